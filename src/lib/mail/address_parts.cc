#include "mail/address_parts.h"

#include <algorithm>

#include "base/casefold.h"
#include "base/text.h"
#include "mail/quote.h"

namespace postrider::mail {

namespace {

bool never_divided(std::string_view localpart, const DelimiterRules& rules) {
  if (equals_ignore_case(localpart, "postmaster") || equals_ignore_case(localpart, "mailer-daemon"))
    return true;
  if (equals_ignore_case(localpart, rules.double_bounce_sender)) return true;
  if (!rules.owner_request_special || rules.delimiters.find('-') == std::string_view::npos) return false;
  return starts_with_ignore_case(localpart, "owner-") || ends_with_ignore_case(localpart, "-request");
}

}  // namespace

std::string_view localpart_of(std::string_view address) {
  return address.substr(0, address.rfind('@'));
}

std::string_view domain_of(std::string_view address) {
  size_t at = address.rfind('@');
  return at == std::string_view::npos ? std::string_view() : address.substr(at + 1);
}

bool has_domain(std::string_view address) {
  return address.find('@') != std::string_view::npos;
}

std::optional<ExtendedLocalpart> split_extension(std::string_view localpart, const DelimiterRules& rules) {
  size_t at = localpart.find_first_of(rules.delimiters);
  // Nobody is named by an extension alone: "+tag" stays whole.
  if (at == 0 || at == std::string_view::npos || never_divided(localpart, rules)) return std::nullopt;
  return ExtendedLocalpart{
      .user = localpart.substr(0, at), .delimiter = localpart[at], .extension = localpart.substr(at + 1)};
}

std::optional<StrippedAddress> strip_extension(std::string_view address, const DelimiterRules& rules) {
  std::string_view localpart = localpart_of(address);
  auto divided = split_extension(localpart, rules);
  if (!divided) return std::nullopt;
  std::string stripped(divided->user);
  stripped += address.substr(localpart.size());
  return StrippedAddress{.address = std::move(stripped), .extension = localpart.substr(divided->user.size())};
}

std::string fold_address(std::string_view address, FoldParts parts, bool utf8_enabled) {
  std::string_view local = localpart_of(address), domain = address.substr(local.size());
  auto part = [&](std::string_view text, bool fold) {
    return !fold ? std::string(text) : utf8_enabled ? casefold(text) : lowercase(text);
  };
  return part(local, parts != FoldParts::domain) + part(domain, parts != FoldParts::localpart);
}

std::optional<LogForm> parse_log_form(std::string_view text) {
  if (text == "external") return LogForm::external;
  if (text == "internal") return LogForm::internal;
  return std::nullopt;
}

std::string log_address(std::string_view address, LogForm form) {
  // The null sender is "<>", not "<"">".
  if (form == LogForm::internal || address.empty()) return std::string(address);
  return quote_822_local(address);
}

}  // namespace postrider::mail
