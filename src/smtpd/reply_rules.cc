#include "smtpd/reply_rules.h"

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "smtp/reply_footer.h"

namespace postrider::smtpd {

namespace {

/// "550 5.7.1 text": a refusal whose status, if there is one, fits its code.
bool is_good_refusal(std::string_view line) {
  if (!smtp::is_refusal(line) || line.size() < 4 || !is_all_digits(line.substr(0, 3)) ||
      (line[3] != ' ' && line[3] != '-')) {
    return false;
  }
  std::string_view status = smtp::status_of(line);
  return status.empty() || status[0] == line[0];
}

}  // namespace

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
  if (!smtp::is_refusal(lines.front())) return lines;
  if (!lists_.reject_filter.empty() && lines.size() == 1) filter(lines.front(), queue_id, deadline);
  if (std::string footer = footer_template(lines.front(), deadline); !footer.empty()) {
    auto with_footer = smtp::add_footer(lines, footer, names, settings_.expansion_filter);
    if (with_footer) {
      lines = std::move(*with_footer);
    } else {
      log::warning("could not append reply footer: {}", footer);
    }
  }
  if (settings_.soft_bounce) {
    for (std::string& line : lines)
      smtp::soften(line);
  }
  return lines;
}

}  // namespace postrider::smtpd
