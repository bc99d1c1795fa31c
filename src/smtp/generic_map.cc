#include "smtp/generic_map.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/params/cleanup.h"
#include "config/params/instance.h"
#include "config/params/local.h"
#include "config/params/rewrite.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/quote.h"

namespace postrider::smtp_client {

namespace params = config::params;

namespace {

bool propagates(const config::Config& config) {
  std::string list = config.get(params::propagate_unmatched_extensions);
  return std::ranges::any_of(split_any(list, kListSeparators),
                             [](std::string_view word) { return equals_ignore_case(word, "generic"); });
}

/// "+ext" put in front of the domain.
std::string with_extension(const std::string& address, std::string_view extension) {
  size_t at = std::min(address.rfind('@'), address.size());
  return address.substr(0, at) + std::string(extension) + address.substr(at);
}

/// A result that is a domain only replaces the domain.
std::string with_domain(std::string_view address, std::string_view extension, std::string_view at_domain) {
  std::string user(mail::localpart_of(address));
  if (!extension.empty()) user.resize(user.size() - extension.size());
  return mail::quote_822_localpart(user) + std::string(at_domain);
}

}  // namespace

GenericMap::GenericMap(const config::Config& config, const table::Maps& maps,
                       const rewrite::LocalDomains& local)
    : maps_(maps),
      local_(local),
      rewrite_(config, "smtp"),
      myorigin_(config.get(params::myorigin)),
      delimiters_(config.get(params::recipient_delimiter)),
      propagate_extension_(propagates(config)),
      token_limit_(static_cast<size_t>(config.get(params::header_address_token_limit))) {}

Result<bool> GenericMap::is_local(std::string_view domain, Deadline deadline) const {
  if (equals_ignore_case(domain, myorigin_)) return true;
  return TRY(local_.match(domain, deadline)).local;
}

Result<std::string> GenericMap::map(const std::string& address, Deadline deadline) {
  if (maps_.empty() || address.empty()) return address;
  table::AddressContext context{
      .extensions = {.delimiters = delimiters_},
      .is_local = [this](std::string_view domain, Deadline limit) { return is_local(domain, limit); },
      .key_form = [](std::string_view key) { return mail::quote_822_local(key); }};
  auto found = table::find_address(maps_, address, {}, context, deadline);
  if (!found) {
    return fail(found.error().kind, fmt::format("{} map lookup problem for {}", maps_.parameter(), address));
  }
  if (!*found) return address;
  std::string_view extension = (*found)->extension;
  std::string value = (*found)->value;
  if (value.starts_with('@')) value = with_domain(address, extension, value);
  mail::TokenList list = mail::parse_address_list(value, token_limit_);
  std::vector<const mail::Token*> results = mail::addresses_of(std::as_const(list));
  if (results.empty()) return address;
  if (results.size() > 1) log::warning("multi-valued {} result for {}", maps_.parameter(), address);
  std::string standard = TRY(rewrite_.rewrite("local", mail::external_address(*results.front()), deadline));
  std::string out = mail::unquote_822_local(standard);
  return propagate_extension_ && !extension.empty() ? with_extension(out, extension) : out;
}

Result<std::string> GenericMap::map_header(std::string_view header, Deadline deadline) {
  mail::TokenList list = mail::parse_address_list(mail::header_value(header), token_limit_);
  bool changed = false;
  for (mail::Token* token : mail::addresses_of(list)) {
    std::string before = mail::internal_address(*token);
    std::string after = TRY(map(before, deadline));
    if (after == before) continue;
    changed = true;
    token->parts = mail::scan_tokens(mail::quote_822_local(after));
  }
  if (!changed) return std::string(header);
  std::string written = mail::write_external(list, mail::ListLayout::header);
  // The name stays as it was written.
  std::string_view name = header.substr(0, mail::header_name_length(header));
  return mail::fold_address_header(fmt::format("{}: {}", name, written));
}

}  // namespace postrider::smtp_client
