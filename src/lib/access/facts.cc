#include "access/facts.h"

#include <fmt/format.h>

namespace postrider::access {

std::string session_text(const Facts& facts, mail::LogForm form) {
  std::string out;
  if (facts.sender) out += fmt::format(" from=<{}>", mail::log_address(*facts.sender, form));
  if (facts.recipient) out += fmt::format(" to=<{}>", mail::log_address(*facts.recipient, form));
  out += fmt::format(" proto={}", facts.protocol);
  if (facts.helo_name) out += fmt::format(" helo=<{}>", *facts.helo_name);
  if (!facts.sasl_method.empty()) out += fmt::format(" sasl_method={}", facts.sasl_method);
  if (!facts.sasl_username.empty()) out += fmt::format(" sasl_username={}", facts.sasl_username);
  if (!facts.sasl_sender.empty()) out += fmt::format(" sasl_sender={}", facts.sasl_sender);
  return out;
}

std::string event_text(std::string_view what, std::string_view text, const Facts& facts, mail::LogForm form) {
  return fmt::format("{}: {}: {} from {}: {};{}", facts.queue_id.empty() ? "NOQUEUE" : facts.queue_id, what,
                     facts.where, facts.client, text, session_text(facts, form));
}

}  // namespace postrider::access
