#include "tls/ciphers.h"

#include "base/text.h"

namespace postrider::tls {

std::optional<std::string_view> grade_list(const CipherLists& lists, std::string_view grade) {
  for (std::string_view name : {"medium", "low", "export"}) {
    if (equals_ignore_case(grade, name)) return lists.medium;
  }
  if (equals_ignore_case(grade, "high")) return lists.high;
  if (equals_ignore_case(grade, "null")) return lists.null;
  return std::nullopt;
}

std::string with_exclusions(std::string_view list, std::string_view exclusions) {
  std::string out(list);
  for (std::string_view word : split_any(exclusions, " \t\r\n,:")) {
    // A word must not become an instruction of another kind.
    size_t begin = word.find_first_not_of("!-+@");
    if (begin == std::string_view::npos) continue;
    out += ":!";
    out += word.substr(begin);
  }
  return out;
}

}  // namespace postrider::tls
