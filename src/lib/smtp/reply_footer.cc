#include "smtp/reply_footer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "mail/dsn.h"

namespace postrider::smtp {

bool is_refusal(std::string_view line) {
  return line.starts_with('4') || line.starts_with('5');
}

std::string_view status_of(std::string_view line) {
  if (line.size() < 5) return {};
  auto status = mail::StatusCode::parse_prefix(line.substr(4));
  return status ? line.substr(4, status->text().size()) : std::string_view();
}

void soften(std::string& line) {
  if (!line.starts_with('5')) return;
  line[0] = '4';
  if (line.size() > 4 && line[4] == '5') line[4] = '4';
}

Result<std::vector<std::string>> add_footer(std::vector<std::string> lines, std::string_view footer,
                                            const config::MacroLookup& names, std::string_view allowed) {
  std::string code = lines.back().substr(0, 3);
  std::string status(status_of(lines.back()));
  if (!status.empty()) status += ' ';
  config::MacroOptions options;
  options.allowed = allowed;
  bool goes_on = footer.starts_with("\\c");
  if (goes_on) footer.remove_prefix(2);
  for (;;) {
    size_t end = std::min(footer.find("\\n"), footer.size());
    auto text = TRY(config::expand_macros(footer.substr(0, end), names, options));
    if (std::exchange(goes_on, false)) {
      lines.back() += text.text;
    } else {
      lines.back()[3] = '-';
      lines.push_back(fmt::format("{} {}{}", code, status, text.text));
    }
    if (end == footer.size()) return lines;
    footer.remove_prefix(end + 2);
  }
}

}  // namespace postrider::smtp
