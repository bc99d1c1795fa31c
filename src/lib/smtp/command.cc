#include "smtp/command.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"

namespace postrider::smtp {

namespace {

using enum XforwardAttribute;

bool is_known(XforwardAttribute attribute, std::string_view value) {
  if (value.empty()) return false;
  bool may_say_unknown = attribute == helo || attribute == ident || attribute == source;
  return may_say_unknown || !equals_ignore_case(value, "unknown");
}

}  // namespace

std::string MailCommand::text(const Capabilities& server) const {
  std::string out = fmt::format("MAIL FROM:<{}>", sender);
  if (size > 0 && server.has(Keyword::size)) out += fmt::format(" SIZE={}", size);
  if (server.has(Keyword::eightbitmime)) {
    if (body == BodyType::eight_bit) out += " BODY=8BITMIME";
    if (body == BodyType::seven_bit) out += " BODY=7BIT";
  }
  if (server.has(Keyword::dsn)) {
    if (!envelope_id.empty()) out += fmt::format(" ENVID={}", envelope_id);
    if (ret != mail::Ret::none) out += fmt::format(" RET={}", mail::to_text(ret));
  }
  if (smtputf8 && server.has(Keyword::smtputf8)) out += " SMTPUTF8";
  if (requiretls && server.has(Keyword::requiretls)) out += " REQUIRETLS";
  if (null_auth && server.has(Keyword::auth)) out += " AUTH=<>";
  return out;
}

std::string RcptCommand::text(const Capabilities& server) const {
  std::string out = fmt::format("RCPT TO:<{}>", recipient);
  if (!server.has(Keyword::dsn)) return out;
  if (original) out += fmt::format(" ORCPT={}", mail::format_orcpt(*original, false));
  if (notify != mail::Notify::none) out += fmt::format(" NOTIFY={}", mail::to_text(notify));
  return out;
}

std::vector<std::string> xforward_commands(const ClientFacts& facts, const Capabilities& server) {
  static constexpr std::initializer_list<XforwardAttribute> kCommands[] = {{name, address, port},
                                                                           {protocol, helo, ident, source}};
  std::vector<std::string> out;
  for (const auto& attributes : kCommands) {
    std::string command;
    for (XforwardAttribute attribute : attributes) {
      std::string_view value = facts[static_cast<size_t>(attribute)];
      if (!server.takes(attribute) || !is_known(attribute, value)) continue;
      command += fmt::format(" {}={}", xforward_name(attribute), xtext_encode(value));
    }
    if (!command.empty()) out.push_back("XFORWARD" + command);
  }
  return out;
}

}  // namespace postrider::smtp
