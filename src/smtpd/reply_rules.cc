#include "smtpd/reply_rules.h"

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mail/dsn.h"

namespace postrider::smtpd {

namespace {

bool is_refusal(std::string_view line) {
  return line.starts_with('4') || line.starts_with('5');
}

/// The enhanced status code of a reply line, or nothing.
std::string_view status_of(std::string_view line) {
  if (line.size() < 5) return {};
  auto status = mail::StatusCode::parse_prefix(line.substr(4));
  return status ? line.substr(4, status->text().size()) : std::string_view();
}

/// "550 5.7.1 text": a refusal whose status, if there is one, fits its code.
bool is_good_refusal(std::string_view line) {
  if (!is_refusal(line) || line.size() < 4 || !is_all_digits(line.substr(0, 3)) ||
      (line[3] != ' ' && line[3] != '-')) {
    return false;
  }
  std::string_view status = status_of(line);
  return status.empty() || status[0] == line[0];
}

void soften(std::string& line) {
  if (!line.starts_with('5')) return;
  line[0] = '4';
  if (line.size() > 4 && line[4] == '5') line[4] = '4';
}

}  // namespace

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

void ReplyRules::filter(std::string& reply, std::string_view queue_id, Deadline deadline) const {
  auto found = lists_.reject_filter.find(reply, table::Where::all, deadline);
  if (!found || !*found) return;
  const std::string& result = (*found)->value;
  if (!is_good_refusal(result)) {
    log::warning("{}: ignoring invalid reject filter result: {}", queue_id, printable(result));
    return;
  }
  log::info("{}: reply filter in: {}", queue_id, reply);
  log::info("{}: reply filter out: {}", queue_id, result);
  reply = printable(result);
}

std::string ReplyRules::footer_template(std::string_view reply, Deadline deadline) const {
  if (!lists_.reject_footer.empty()) {
    auto found = lists_.reject_footer.find(reply, table::Where::all, deadline);
    if (found && *found) return (*found)->value;
  }
  return settings_.reject_footer;
}

std::vector<std::string> ReplyRules::apply(std::vector<std::string> lines, std::string_view queue_id,
                                           const config::MacroLookup& names, Deadline deadline) const {
  if (!is_refusal(lines.front())) return lines;
  if (!lists_.reject_filter.empty() && lines.size() == 1) filter(lines.front(), queue_id, deadline);
  if (std::string footer = footer_template(lines.front(), deadline); !footer.empty()) {
    auto with_footer = add_footer(lines, footer, names, settings_.expansion_filter);
    if (with_footer) {
      lines = std::move(*with_footer);
    } else {
      log::warning("could not append reply footer: {}", footer);
    }
  }
  if (settings_.soft_bounce) {
    for (std::string& line : lines)
      soften(line);
  }
  return lines;
}

}  // namespace postrider::smtpd
