#include "smtpd/transcript.h"

#include "base/text.h"

namespace postrider::smtpd {

ErrorClasses parse_error_classes(std::string_view list) {
  using access::ErrorClass;
  constexpr struct {
    std::string_view name;
    ErrorClass error;
  } kClasses[] = {{"policy", ErrorClass::policy},     {"protocol", ErrorClass::protocol},
                  {"bounce", ErrorClass::bounce},     {"software", ErrorClass::software},
                  {"resource", ErrorClass::resource}, {"data", ErrorClass::data}};
  ErrorClasses out;
  for (std::string_view word : split_any(list, kListSeparators)) {
    for (const auto& known : kClasses) {
      if (equals_ignore_case(word, known.name)) out.add(known.error);
    }
  }
  return out;
}

void Transcript::clear() {
  text_ = {};
  lines_ = 0;
}

void Transcript::add(std::string_view direction, std::string_view line) {
  ++lines_;
  if (text_.size() + line.size() > kMaxText) return;
  text_ += direction;
  text_ += printable(line);
  text_ += '\n';
}

}  // namespace postrider::smtpd
