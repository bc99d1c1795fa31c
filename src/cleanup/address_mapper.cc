#include "cleanup/address_mapper.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/tables.h"
#include "config/params/cleanup.h"
#include "config/params/rewrite.h"
#include "mail/address.h"
#include "mail/address_parts.h"
#include "mail/quote.h"

namespace postrider::cleanup {

namespace params = config::params;

namespace {

constexpr int kMaxCanonicalSteps = 10;

template <typename T>
const AddressClasses& classes(const T& settings, const table::Maps& maps) {
  if (maps.parameter() == "sender_canonical_maps") return settings.sender_canonical;
  if (maps.parameter() == "recipient_canonical_maps") return settings.recipient_canonical;
  return settings.canonical;
}

bool applies(const AddressClasses& classes, Role role) {
  switch (role) {
    case Role::envelope_sender:
      return classes.envelope_sender;
    case Role::envelope_recipient:
      return classes.envelope_recipient;
    case Role::header_sender:
      return classes.header_sender;
    case Role::header_recipient:
      return classes.header_recipient;
  }
  return false;
}

std::unexpected<MappingError> lookup_problem(const table::Maps& maps, std::string_view address) {
  return std::unexpected(MappingError{
      fmt::format("{} map lookup problem for {} -- message not accepted, try again later", maps.parameter(), address),
      "4.6.0 Alias expansion error"});
}

/// The address with an extension that the table's key did not have.
std::string with_extension(const std::string& address, std::string_view extension) {
  size_t at = std::min(address.rfind('@'), address.size());
  return address.substr(0, at) + std::string(extension) + address.substr(at);
}

}  // namespace

Tables::Tables(const config::Config& config)
    : catalog(clients::table_options(config)), local_domains(clients::open_local_domains(catalog, config, paths)) {
  auto open = [&](auto param, table::Maps& maps) {
    maps = clients::open_maps(catalog, config, param, {}, paths);
  };
  open(params::canonical_maps, canonical);
  open(params::sender_canonical_maps, sender_canonical);
  open(params::recipient_canonical_maps, recipient_canonical);
  open(params::virtual_alias_maps, virtual_alias);
}

AddressMapper::AddressMapper(const Settings& settings, const Tables& tables)
    : settings_(settings), tables_(tables), rewrite_(settings.config, "cleanup") {}

Result<bool> AddressMapper::is_local(std::string_view domain, Deadline deadline) const {
  if (equals_ignore_case(domain, settings_.myorigin)) return true;
  return TRY(tables_.local_domains.match(domain, deadline)).local;
}

table::AddressContext AddressMapper::context() const {
  return {.extensions = {.delimiters = settings_.recipient_delimiter},
          .is_local = [this](std::string_view domain, Deadline deadline) { return is_local(domain, deadline); },
          .key_form = [](std::string_view key) { return mail::quote_822_local(key); }};
}

Mapped<std::vector<std::string>> AddressMapper::parse_list(std::string_view text, Deadline deadline) {
  mail::TokenList list = mail::parse_address_list(text, settings_.address_token_limit);
  std::vector<std::string> addresses;
  for (const mail::Token* token : mail::addresses_of(std::as_const(list))) {
    addresses.push_back(mail::external_address(*token));
  }
  auto rewritten = rewrite_.rewrite("local", addresses, deadline);
  if (!rewritten) return std::unexpected(MappingError{rewritten.error().text, ""});
  return std::move(*rewritten);
}

Mapped<std::vector<std::string>> AddressMapper::look_up(const table::Maps& maps, const std::string& address,
                                                        bool propagate, Deadline deadline) {
  auto found = table::find_address(maps, address, {}, context(), deadline);
  if (!found) return lookup_problem(maps, address);
  if (!*found) return std::vector<std::string>();
  auto addresses = parse_list((*found)->value, deadline);
  if (!addresses) return addresses;
  if (propagate && !(*found)->extension.empty()) {
    for (std::string& result : *addresses) result = with_extension(result, (*found)->extension);
  }
  return addresses;
}

Mapped<std::string> AddressMapper::map_once_each(std::string address, const table::Maps& maps, Deadline deadline) {
  for (int step = 0; step < kMaxCanonicalSteps; ++step) {
    auto results = look_up(maps, address, settings_.propagate_canonical, deadline);
    if (!results) return std::unexpected(std::move(results).error());
    if (results->empty()) return address;
    bool same = equals_ignore_case(results->front(), address);
    address = std::move(results->front());
    if (same) return address;
  }
  return std::unexpected(MappingError{
      fmt::format("unreasonable {} map nesting for {} -- message not accepted, try again later", maps.parameter(), address),
      "4.6.0 Alias expansion error"});
}

bool AddressMapper::masquerade(std::string& address) const {
  size_t at = address.rfind('@');
  if (at == std::string::npos) return false;
  std::string user = lowercase(std::string_view(address).substr(0, at));
  std::string domain = lowercase(std::string_view(address).substr(at + 1));
  if (settings_.masquerade_exceptions.contains(user)) return false;
  for (std::string_view item : settings_.masquerade_domains) {
    bool excluded = item.starts_with('!');
    std::string_view parent = excluded ? item.substr(1) : item;
    bool below = domain.size() > parent.size() && domain.ends_with(parent) &&
                 domain[domain.size() - parent.size() - 1] == '.';
    if (domain != parent && !below) continue;
    if (!excluded && below) address.replace(at + 1, std::string::npos, parent);
    return !excluded && below;
  }
  return false;
}

Mapped<std::string> AddressMapper::map(std::string_view address, Role role, std::string_view context_name,
                                       bool use_maps, Deadline deadline) {
  if (address.empty()) return std::string();
  auto standard = rewrite_.rewrite(context_name, mail::quote_822_local(address), deadline);
  if (!standard) return std::unexpected(MappingError{standard.error().text, ""});
  std::string out = std::move(*standard);
  if (!use_maps) return out;
  bool sender = role == Role::envelope_sender || role == Role::header_sender;
  for (const table::Maps* maps : {sender ? &tables_.sender_canonical : &tables_.recipient_canonical, &tables_.canonical}) {
    if (maps->empty() || !applies(classes(settings_, *maps), role)) continue;
    auto mapped = map_once_each(std::move(out), *maps, deadline);
    if (!mapped) return mapped;
    out = std::move(*mapped);
  }
  if (applies(settings_.masquerade, role)) masquerade(out);
  return out;
}

Mapped<std::vector<std::string>> AddressMapper::expand(std::string_view address, Deadline deadline) {
  std::vector<std::string> out{std::string(address)};
  const table::Maps& maps = tables_.virtual_alias;
  if (maps.empty()) return out;
  auto unreasonable = [&](const char* what) {
    return std::unexpected(MappingError{
        fmt::format("unreasonable {} map {} for {} -- message not accepted, try again later", maps.parameter(), what, address),
        "4.6.0 Alias expansion error"});
  };
  std::set<std::string> own_alias;  // Addresses that stand in their own expansion: they stay.
  for (size_t i = 0; i < out.size(); ++i) {
    for (int depth = 0; !own_alias.contains(lowercase(out[i])); ++depth) {
      if (depth >= settings_.virtual_recursion_limit) return unreasonable("nesting");
      std::string left = out[i];
      auto results = look_up(maps, left, settings_.propagate_virtual, deadline);
      if (!results) return std::unexpected(std::move(results).error());
      if (results->empty()) break;
      for (std::string& result : *results) {
        if (result.size() > settings_.virtual_address_length_limit) return unreasonable("result");
        if (equals_ignore_case(result, left)) own_alias.insert(lowercase(left));
      }
      out[i] = std::move(results->front());
      for (size_t k = 1; k < results->size(); ++k) out.push_back(std::move((*results)[k]));
      if (out.size() > static_cast<size_t>(settings_.virtual_expansion_limit)) return unreasonable("expansion size");
    }
  }
  return out;
}

}  // namespace postrider::cleanup
