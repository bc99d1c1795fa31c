#include "cleanup/header_addresses.h"

#include <fmt/format.h>

#include "log/log.h"
#include "mail/address.h"
#include "mail/quote.h"

namespace postrider::cleanup {

bool HeaderAddresses::map(std::string& external, Role role) {
  std::string internal = mail::unquote_822_local(external);
  std::string mapped = mapper_.map(state_, internal, role);
  if (mapped == internal) return false;
  external = mail::quote_822_local(mapped);
  return true;
}

std::optional<std::string> HeaderAddresses::rewrite(const mail::HeaderInfo& known, std::string_view header) {
  const size_t name = header.find(':');
  mail::TokenList list =
      mail::parse_address_list(header.substr(name + 1), state_.settings.address_token_limit);
  const std::vector<mail::Token*> tokens = mail::addresses_of(list);
  if (tokens.empty()) return std::nullopt;
  std::vector<std::string> before;
  before.reserve(tokens.size());
  for (const mail::Token* token : tokens)
    before.push_back(mail::quoted_as_written(*token));
  auto after = mapper_.standard_forms(state_, state_.header_context, before);
  if (!after) return std::nullopt;

  const Role role = known.sender_addresses ? Role::header_sender : Role::header_recipient;
  const bool maps = state_.has(proto::kCleanupMap) && mapper_.maps(role);
  bool changed = false;
  for (size_t i = 0; i < tokens.size(); ++i) {
    std::string& address = (*after)[i];
    bool mapped = maps && map(address, role);
    if (!mapped && address == before[i]) continue;
    mail::replace_address(*tokens[i], address);
    changed = true;
  }
  if (!changed) return std::nullopt;
  std::vector<std::string> warnings;
  std::string written = mail::write_external(list, mail::ListLayout::header, &warnings);
  for (const std::string& warning : warnings)
    log::warning("{}: {}", state_.id(), warning);
  return mail::fold_address_header(fmt::format("{}: {}", header.substr(0, name), written));
}

}  // namespace postrider::cleanup
