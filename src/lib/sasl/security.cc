#include "sasl/security.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace postrider::sasl {

Result<SecurityOptions> parse_security_options(std::string_view text) {
  constexpr struct {
    std::string_view name;
    bool SecurityOptions::* member;
  } kNames[] = {
      {"noplaintext", &SecurityOptions::noplaintext},         {"noactive", &SecurityOptions::noactive},
      {"nodictionary", &SecurityOptions::nodictionary},       {"noanonymous", &SecurityOptions::noanonymous},
      {"forward_secrecy", &SecurityOptions::forward_secrecy}, {"mutual_auth", &SecurityOptions::mutual_auth}};
  SecurityOptions out;
  for (std::string_view word : split_any(text, kListSeparators)) {
    const auto* known =
        std::ranges::find_if(kNames, [&](const auto& name) { return equals_ignore_case(name.name, word); });
    if (known == std::end(kNames)) return fail(ErrorKind::invalid, std::string(word));
    out.*(known->member) = true;
  }
  return out;
}

}  // namespace postrider::sasl
