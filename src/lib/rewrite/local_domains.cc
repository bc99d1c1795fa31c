#include "rewrite/local_domains.h"

#include <algorithm>

#include "base/text.h"
#include "log/log.h"
#include "mail/hostname.h"

namespace postrider::rewrite {

LocalDomains::LocalDomains(table::MatchList mydestination, std::vector<sys::Address> own,
                           std::vector<sys::Address> proxies)
    : mydestination_(std::move(mydestination)), own_(std::move(own)), proxies_(std::move(proxies)) {}

Result<LocalDomains::Decision> LocalDomains::match(std::string_view domain, Deadline deadline) const {
  // One trailing dot makes a name absolute; two make it none.
  if (domain.ends_with('.')) domain.remove_suffix(1);
  if (domain.empty() || domain.ends_with('.')) return Decision{};
  auto listed = TRY(mydestination_.match(domain, deadline));
  if (listed.matched) return Decision{.local = true, .by = std::move(listed.by)};
  if (domain.starts_with('[') && domain.ends_with(']')) return match_literal(domain);
  return Decision{};
}

LocalDomains::Decision LocalDomains::match_literal(std::string_view literal) const {
  std::string why;
  auto text = mail::mailhost_address(literal.substr(1, literal.size() - 2), &why);
  if (!text) log::warning("{}", why);
  auto address = text ? sys::Address::from_ip(*text) : std::nullopt;
  if (!address) return {};
  auto in = [&](const std::vector<sys::Address>& list) {
    return std::any_of(list.begin(), list.end(),
                       [&](const sys::Address& one) { return one.ip() == address->ip(); });
  };
  for (auto [list, parameter] :
       {std::pair{&own_, "inet_interfaces"}, std::pair{&proxies_, "proxy_interfaces"}}) {
    if (!in(*list)) continue;
    table::Provenance by{.parameter = parameter, .source = {}, .key = std::string(literal)};
    return {.local = true, .by = std::move(by)};
  }
  return {};
}

}  // namespace postrider::rewrite
