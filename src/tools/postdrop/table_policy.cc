#include "tools/postdrop/table_policy.h"

#include <fmt/format.h>

#include "base/text.h"
#include "clients/tables.h"
#include "config/params/local.h"
#include "config/params/tools.h"
#include "mail/address_parts.h"
#include "mail/quote.h"

namespace postrider::postdrop {

namespace params = config::params;

TablePolicy::TablePolicy(const config::Config& config, uid_t uid, std::string login)
    : uid_(uid),
      login_(std::move(login)),
      null_sender_pattern_(config.get(params::empty_address_local_login_sender_maps_lookup_key)),
      recipient_delimiter_(config.get(params::recipient_delimiter)),
      catalog_(clients::table_options(config)),
      submitters_(clients::open_match_list(catalog_, config, params::authorized_submit_users,
                                           table::MatchList::Kind::text, paths_)),
      senders_(clients::open_maps(catalog_, config, params::local_login_sender_maps, {}, paths_)) {}

Result<void> TablePolicy::may_submit() {
  std::string name = login_.empty() ? "unknown" : login_;
  if (TRY(submitters_.match(name, Deadline::never())).matched) return {};
  return fail(ErrorKind::denied, fmt::format("User {}({}) is not allowed to submit mail", name, uid_));
}

Result<void> TablePolicy::may_use(std::string_view sender) {
  std::string key = login_.empty() ? fmt::format("uid:{}", uid_) : login_;
  auto found = TRY(senders_.find(key, table::Where::all, Deadline::never()));
  if (found) {
    mail::DelimiterRules rules{.delimiters = recipient_delimiter_};
    auto stripped = mail::strip_extension(sender, rules);
    for (std::string_view pattern : split_quoted(found->value)) {
      if (matches(pattern, sender) || (stripped && matches(pattern, stripped->address))) return {};
    }
  }
  return fail(ErrorKind::denied, fmt::format("not authorized to use sender='{}'", sender));
}

bool TablePolicy::matches(std::string_view pattern, std::string_view sender) const {
  if (pattern == "*") return true;
  if (sender.empty()) return pattern == null_sender_pattern_;
  if (pattern.starts_with('@')) return equals_ignore_case(pattern.substr(1), mail::domain_of(sender));
  return equals_ignore_case(pattern, mail::quote_822_local(sender));
}

std::vector<std::string_view> split_quoted(std::string_view list) {
  std::vector<std::string_view> out;
  size_t start = list.npos;
  bool quoted = false;
  for (size_t i = 0; i <= list.size(); ++i) {
    bool separator = i == list.size() || (!quoted && kListSeparators.find(list[i]) != list.npos);
    if (separator) {
      if (start != list.npos) out.push_back(list.substr(start, i - start));
      start = list.npos;
      continue;
    }
    if (start == list.npos) start = i;
    if (list[i] == '"') quoted = !quoted;
    if (quoted && list[i] == '\\' && i + 1 < list.size()) ++i;
  }
  return out;
}

}  // namespace postrider::postdrop
