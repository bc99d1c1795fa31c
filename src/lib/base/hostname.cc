#include "base/hostname.h"

#include <fmt/format.h>

#include "base/text.h"

namespace postrider {

namespace {

std::string gripe(std::string_view what, std::string_view name) {
  return fmt::format("valid_hostname: {}: {}", what, printable(name.substr(0, 100)));
}

}  // namespace

std::string hostname_problem(std::string_view name, bool wildcard) {
  if (name.empty()) return "valid_hostname: empty hostname";
  size_t label_length = 0;
  bool numeric = true;
  for (size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    bool ends_label = i + 1 == name.size() || name[i + 1] == '.';
    if (is_alnum(c) || c == '_') {
      if (++label_length > kMaxHostnameLabel) return gripe("hostname label too long", name);
      numeric = numeric && is_digit(c);
    } else if (c == '*' && wildcard) {
      if (i != 0 || !ends_label) return gripe("'*' can be the first label only", name);
      ++label_length;
      numeric = false;
    } else if (c == '.') {
      if (label_length == 0 || i + 1 == name.size()) return gripe("misplaced delimiter", name);
      label_length = 0;
    } else if (c == '-') {
      if (++label_length == 1 || ends_label) return gripe("misplaced hyphen", name);
      numeric = false;
    } else {
      return gripe(fmt::format("invalid character {}(decimal)", static_cast<unsigned char>(c)), name);
    }
  }
  if (numeric) return gripe("numeric hostname", name);
  if (name.size() > kMaxHostname) {
    return fmt::format("valid_hostname: bad length {} for {}...", name.size(), name.substr(0, 100));
  }
  return {};
}

bool is_valid_hostname(std::string_view name, bool wildcard) {
  return hostname_problem(name, wildcard).empty();
}

}  // namespace postrider
