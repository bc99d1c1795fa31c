#include "smtp/command.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"

namespace postrider::smtp {

namespace {

using enum XforwardAttribute;

/// RFC 6533 section 3: the ASCII form of an international address; empty when the text is not UTF-8.
std::string unitext_encode(std::string_view text) {
  if (!is_valid_utf8(text)) return {};
  std::string out;
  for (size_t i = 0; i < text.size();) {
    auto byte = static_cast<unsigned char>(text[i]);
    size_t length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    uint32_t point = length == 1 ? byte : byte & (0x7fU >> length);
    for (size_t k = 1; k < length; ++k)
      point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3fU);
    bool plain = point > ' ' && point < 0x7f && point != '\\' && point != '+' && point != '=';
    if (plain) {
      out += text[i];
    } else {
      out += fmt::format("\\x{{{:02X}}}", point);
    }
    i += length;
  }
  return out;
}

std::string notify_text(unsigned notify) {
  static constexpr std::pair<unsigned, std::string_view> kNames[] = {{kNotifyNever, "NEVER"},
                                                                     {kNotifySuccess, "SUCCESS"},
                                                                     {kNotifyFailure, "FAILURE"},
                                                                     {kNotifyDelay, "DELAY"}};
  std::string out;
  for (auto [bit, name] : kNames) {
    if ((notify & bit) == 0) continue;
    if (!out.empty()) out += ',';
    out += name;
  }
  return out;
}

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
    if (ret == ReturnContent::full) out += " RET=FULL";
    if (ret == ReturnContent::headers) out += " RET=HDRS";
  }
  if (smtputf8 && server.has(Keyword::smtputf8)) out += " SMTPUTF8";
  if (requiretls && server.has(Keyword::requiretls)) out += " REQUIRETLS";
  if (null_auth && server.has(Keyword::auth)) out += " AUTH=<>";
  return out;
}

std::string RcptCommand::text(const Capabilities& server) const {
  std::string out = fmt::format("RCPT TO:<{}>", recipient);
  if (!server.has(Keyword::dsn)) return out;
  if (!original.empty()) {
    bool international = starts_with_ignore_case(original, "utf-8;");
    std::string encoded = international ? unitext_encode(original) : xtext_encode(original);
    if (!encoded.empty()) out += fmt::format(" ORCPT={}", encoded);
  }
  if (notify != 0) out += fmt::format(" NOTIFY={}", notify_text(notify));
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
