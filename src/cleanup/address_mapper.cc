#include "cleanup/address_mapper.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/casefold.h"
#include "base/text.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/quote.h"

namespace postrider::cleanup {

namespace {

constexpr int kMaxCanonicalSteps = 10;
constexpr std::string_view kAliasError = "4.6.0 Alias expansion error";
constexpr std::string_view kTryAgain = "message not accepted, try again later";
/// How much of an address that is too long a log line shows.
constexpr size_t kLoggedAddress = 300;

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

bool is_sender(Role role) {
  return role == Role::envelope_sender || role == Role::header_sender;
}

/// A result "@domain" keeps the user. A match for all of a domain leaves no extension out.
std::string with_user(std::string_view address, std::string_view result) {
  return mail::quote_822_local(std::string(mail::localpart_of(address)) + std::string(result));
}

/// The address with an extension that the table's key did not have.
std::string with_extension(const std::string& address, std::string_view extension) {
  size_t at = std::min(address.rfind('@'), address.size());
  std::string out = address;
  return out.insert(at, extension);
}

bool same_address(std::string_view a, std::string_view b) {
  return is_all_ascii(a) && is_all_ascii(b) ? equals_ignore_case(a, b) : casefold(a) == casefold(b);
}

}  // namespace

AddressMapper::AddressMapper(const Settings& settings, const Tables& tables)
    : settings_(settings), tables_(tables), rewrite_(settings.config, "cleanup") {
  context_ = {
      .extensions = {.delimiters = settings.recipient_delimiter,
                     .owner_request_special = settings.owner_request_special,
                     .double_bounce_sender = settings.double_bounce_sender},
      .is_local = [this](std::string_view domain, Deadline deadline) -> Result<bool> {
        if (equals_ignore_case(domain, settings_.myorigin)) return true;
        return TRY(tables_.local_domains.match(domain, deadline)).local;
      },
      .key_form = [](std::string_view key) { return mail::quote_822_local(key); },
      .localpart_form = [](std::string_view localpart) { return mail::quote_822_localpart(localpart); },
      .as_is_too = false};
  bcc_context_ = context_;
  bcc_context_.as_is_too = true;
}

std::optional<std::vector<std::string>> AddressMapper::standard_forms(
    MessageState& state, std::string_view context, const std::vector<std::string>& addresses) {
  auto out = rewrite_.rewrite(context, addresses, state.service_deadline());
  if (out) return std::move(*out);
  log::warning("{}: {}", state.id(), out.error().text);
  state.fail(proto::kProblemWrite);
  return std::nullopt;
}

std::string AddressMapper::standard_form(MessageState& state, std::string_view address) {
  auto out = standard_forms(state, "local", {mail::quote_822_local(address)});
  return out ? mail::unquote_822_local(out->front()) : std::string(address);
}

void AddressMapper::prefetch(MessageState& state, const std::vector<std::string_view>& addresses) {
  std::vector<std::string> external;
  external.reserve(addresses.size());
  for (std::string_view address : addresses)
    external.push_back(mail::quote_822_local(address));
  // A failure shows again when the address is used.
  (void)rewrite_.rewrite("local", external, state.service_deadline());
}

void AddressMapper::lookup_problem(MessageState& state, const table::Maps& maps, std::string_view address) {
  log::warning("{}: {} map lookup problem for {} -- {}", state.id(), maps.parameter(),
               mail::quote_822_local(address), kTryAgain);
  state.fail(proto::kProblemWrite);
}

std::vector<std::string> AddressMapper::look_up(MessageState& state, const table::Maps& maps,
                                                const std::string& address, bool propagate) {
  auto found = table::find_address(maps, address, {}, context_, state.service_deadline());
  if (!found) {
    lookup_problem(state, maps, address);
    return {};
  }
  if (!*found) return {};
  std::string value = std::move((*found)->value);
  if (value == "<>") return {""};
  if (value.starts_with('@')) value = with_user(address, value);
  mail::TokenList list = mail::parse_address_list(value, settings_.address_token_limit);
  std::vector<std::string> addresses;
  for (const mail::Token* token : mail::addresses_of(std::as_const(list))) {
    addresses.push_back(mail::quoted_as_written(*token));
  }
  if (addresses.empty()) {
    log::warning("{} lookup of {} returns non-address result \"{}\"", maps.parameter(),
                 mail::quote_822_local(address), value);
    lookup_problem(state, maps, address);
    return {};
  }
  auto standard = standard_forms(state, "local", addresses);
  if (!standard) return {};
  for (std::string& result : *standard) {
    result = mail::unquote_822_local(result);
    if (propagate && !(*found)->extension.empty()) result = with_extension(result, (*found)->extension);
  }
  return std::move(*standard);
}

bool AddressMapper::maps(Role role) const {
  const table::Maps& own = is_sender(role) ? tables_.sender_canonical : tables_.recipient_canonical;
  return !own.empty() || !tables_.canonical.empty() ||
         (!settings_.masquerade_domains.empty() && applies(settings_.masquerade, role));
}

std::string AddressMapper::map(MessageState& state, std::string address, Role role) {
  bool sender = is_sender(role);
  if (applies(sender ? settings_.sender_canonical : settings_.recipient_canonical, role)) {
    canonicalize(state, sender ? tables_.sender_canonical : tables_.recipient_canonical, address);
  }
  if (applies(settings_.canonical, role)) canonicalize(state, tables_.canonical, address);
  if (applies(settings_.masquerade, role)) masquerade(state, address);
  return address;
}

void AddressMapper::canonicalize(MessageState& state, const table::Maps& maps, std::string& address) {
  if (maps.empty()) return;
  for (int step = 0; step < kMaxCanonicalSteps; ++step) {
    auto results = look_up(state, maps, address, settings_.propagate_canonical);
    if (results.empty()) return;
    if (results.size() > 1) {
      log::warning("{}: multi-valued {} entry for {}", state.id(), maps.parameter(),
                   mail::quote_822_local(address));
    }
    bool same = same_address(results.front(), address);
    address = std::move(results.front());
    if (same) return;
  }
  // In spite of its words this does not refuse the message, here and with Postfix.
  log::warning("{}: unreasonable {} map nesting for {} -- {}", state.id(), maps.parameter(),
               mail::quote_822_local(address), kTryAgain);
}

void AddressMapper::masquerade(MessageState& state, std::string& address) {
  if (settings_.masquerade_domains.empty()) return;
  size_t at = address.rfind('@');
  if (at == std::string::npos) return;
  if (!tables_.masquerade_exceptions.empty()) {
    auto excepted = tables_.masquerade_exceptions.match(std::string_view(address).substr(0, at),
                                                        state.service_deadline());
    if (!excepted) {
      log::info("{}: masquerade_exceptions lookup error -- {}", state.id(), kTryAgain);
      return state.fail(proto::kProblemWrite);
    }
    if (excepted->matched) return;
  }
  std::string domain = casefold(std::string_view(address).substr(at + 1));
  for (std::string_view item : settings_.masquerade_domains) {
    bool truncate = true;
    for (; item.starts_with('!'); item.remove_prefix(1))
      truncate = !truncate;
    if (item.empty() || !domain.ends_with(item)) continue;
    size_t above = domain.size() - item.size();
    if (above != 0 && domain[above - 1] != '.') continue;
    if (above != 0 && truncate) address.replace(at + 1, std::string::npos, item);
    return;
  }
}

std::vector<std::string> AddressMapper::unreasonable(MessageState& state, std::string_view what,
                                                     std::string_view address, const std::string& keep) {
  log::warning("{}: unreasonable {} {} -- {}", state.id(), what, address, kTryAgain);
  state.fail(proto::kProblemDefer, kAliasError);
  return {keep};
}

std::vector<std::string> AddressMapper::expand(MessageState& state, const std::string& address) {
  std::vector<std::string> out{address};
  const std::string& parameter = tables_.virtual_alias.parameter();
  std::set<std::string> own_alias;  // Folded addresses that stand in their own expansion: they stay.
  for (size_t i = 0; i < out.size(); ++i) {
    for (size_t depth = 0; own_alias.empty() || !own_alias.contains(casefold(out[i])); ++depth) {
      if (depth >= settings_.virtual_recursion_limit) {
        return unreasonable(state, parameter + " map nesting for", address, address);
      }
      const std::string left = out[i];
      auto results = look_up(state, tables_.virtual_alias, left, settings_.propagate_virtual);
      if (results.empty()) break;
      for (const std::string& result : results) {
        if (result.size() > settings_.virtual_address_length_limit) {
          return unreasonable(state, parameter + " result", result.substr(0, kLoggedAddress) + "...",
                              address);
        }
        if (same_address(result, left)) own_alias.insert(casefold(left));
      }
      if (out.size() + results.size() - 1 > settings_.virtual_expansion_limit) {
        return unreasonable(state, parameter + " map expansion size for", address, address);
      }
      out[i] = std::move(results.front());
      out.insert(out.end(), std::make_move_iterator(results.begin() + 1),
                 std::make_move_iterator(results.end()));
    }
    if ((state.problems & proto::kProblemWrite) != 0) break;
  }
  return out;
}

std::string AddressMapper::find_bcc(MessageState& state, const table::Maps& maps, std::string_view address) {
  if (maps.empty() || address.empty()) return {};
  auto found = table::find_address(maps, address, {}, bcc_context_, state.service_deadline());
  if (!found) {
    log::warning("{}: {} map lookup problem -- {}", state.id(), maps.parameter(), kTryAgain);
    state.fail(proto::kProblemWrite);
    return {};
  }
  return *found ? std::move((*found)->value) : std::string();
}

}  // namespace postrider::cleanup
