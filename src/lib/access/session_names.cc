#include "access/session_names.h"

#include <ctime>

#include "base/time_text.h"
#include "log/log.h"
#include "mail/address_parts.h"

namespace postrider::access {

namespace {

/// sender, sender_name, sender_domain; likewise for recipients.
std::optional<std::string> address_value(std::string_view name, std::string_view prefix,
                                         std::optional<std::string_view> address) {
  if (!name.starts_with(prefix)) return std::nullopt;
  std::string_view part = name.substr(prefix.size());
  if (part != "" && part != "_name" && part != "_domain") return std::nullopt;
  if (!address) return std::string();
  std::string_view text = *address;
  if (part.empty()) return std::string(text.empty() ? "<>" : text);
  if (part == "_name") return std::string(text.empty() ? "<>" : mail::localpart_of(text));
  if (part == "_domain") return std::string(mail::domain_of(text));
  return std::nullopt;
}

}  // namespace

std::optional<std::string> session_value(std::string_view name, const Facts& facts) {
  if (name == "client") return std::string(facts.client);
  if (name == "client_address") return std::string(facts.client_address);
  if (name == "client_name") return std::string(facts.client_name);
  if (name == "client_port") return std::string(facts.client_port);
  if (name == "reverse_client_name") return std::string(facts.reverse_name);
  if (name == "helo_name") return std::string(facts.helo_name.value_or(std::string_view()));
  if (name == "localtime") return short_date(::time(nullptr));
  if (auto value = address_value(name, "sender", facts.sender)) return value;
  if (auto value = address_value(name, "recipient", facts.recipient)) return value;
  log::warning("unknown macro name \"{}\" in expansion request", name);
  return std::nullopt;
}

}  // namespace postrider::access
