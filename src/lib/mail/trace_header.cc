#include "mail/trace_header.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time_text.h"
#include "mail/address.h"
#include "mail/encoded_word.h"
#include "mail/quote.h"

namespace postrider::mail {

namespace {

/// Text that others chose, made safe between parentheses.
std::string comment_text(std::string_view text) {
  std::string out;
  size_t open = 0;
  for (char c : text) {
    if (!is_printable(c) || c == '\\') c = '?';
    if (c == '(') ++open;
    if (c == ')' && open == 0) {
      c = '?';
    } else if (c == ')') {
      --open;
    }
    out += c;
  }
  out.append(open, ')');
  return out;
}

std::string signature_text(std::string_view side, const TlsSignature& signature) {
  if (signature.name.empty()) return {};
  std::string out = fmt::format(" {}-signature {}", side, signature.name);
  if (!signature.curve.empty()) {
    out += fmt::format(" ({}{})", signature.curve, signature.raw_public_key ? " raw public key" : "");
  } else if (signature.bits > 0) {
    out += fmt::format(" ({} bit{})", signature.bits, signature.raw_public_key ? " raw public key" : "s");
  }
  if (!signature.digest.empty()) out += fmt::format(" {}-digest {}", side, signature.digest);
  return out;
}

std::string key_exchange_text(const ReceivedTls& tls) {
  if (tls.key_exchange.empty()) return {};
  std::string out = " key-exchange " + tls.key_exchange;
  if (!tls.key_exchange_curve.empty()) {
    out += fmt::format(" ({})", tls.key_exchange_curve);
  } else if (tls.key_exchange_bits > 0) {
    out += fmt::format(" ({} bits)", tls.key_exchange_bits);
  }
  return out;
}

std::string client_identity_text(const ReceivedTls& tls) {
  switch (tls.client_identity) {
    case ReceivedTls::Client::certificate:
      return fmt::format("(Client CN \"{}\", Issuer \"{}\" ({}))", comment_text(tls.common_name),
                         comment_text(tls.issuer), tls.trusted ? "verified OK" : "not verified");
    case ReceivedTls::Client::raw_public_key:
      return fmt::format("(Client RPK {} digest {})", tls.key_type, tls.key_digest);
    case ReceivedTls::Client::none:
      return "(Client did not present a certificate)";
    case ReceivedTls::Client::not_asked:
      return "(No client certificate requested)";
  }
  return {};
}

std::string tls_lines(const ReceivedTls& tls) {
  std::string out = fmt::format("\n\t(using {} with cipher {} ({}/{} bits)", tls.protocol, tls.cipher,
                                tls.used_bits, tls.algorithm_bits);
  std::string server = key_exchange_text(tls) + signature_text("server", tls.server);
  std::string client = signature_text("client", tls.client);
  if (!server.empty()) out += "\n\t" + server;
  if (!client.empty()) out += "\n\t" + client;
  return out + ")\n\t" + client_identity_text(tls);
}

/// "for <recipient>; date" on its own line, or the date after a semicolon.
std::string end_lines(const ReceivedBy& by) {
  if (by.recipient)
    return fmt::format("\n\tfor <{}>; {}", quote_822_local(*by.recipient), mail_date(by.when));
  return ";\n\t" + mail_date(by.when);
}

/// Characters that cannot stand in a display name without quotes.
bool needs_quotes(char c) {
  return std::string_view("()<>@,;:\\\".[]%!").find(c) != std::string_view::npos;
}

std::string display_name(std::string_view full_name) {
  if (std::any_of(full_name.begin(), full_name.end(), needs_quotes)) {
    return write_external({make_word(TokenKind::quoted, std::string(full_name))});
  }
  return write_external(scan_tokens(full_name));
}

}  // namespace

std::string with_protocol(std::string_view protocol, bool tls, bool authenticated, bool smtputf8) {
  std::string out(protocol);
  // RFC 6531 defines UTF8SMTP and UTF8LMTP: the "E" goes, extensions being a matter of course.
  if (smtputf8) out = "UTF8" + (out.starts_with('E') ? out.substr(1) : out);
  if (protocol == "SMTP") return out;
  return out + (tls ? "S" : "") + (authenticated ? "A" : "");
}

std::string tls_keys_text(const ReceivedTls& tls) {
  return key_exchange_text(tls) + signature_text("server", tls.server) + signature_text("client", tls.client);
}

std::string received_header(const ReceivedSession& session, const ReceivedBy& by) {
  std::string out = "Received:";
  if (session.hidden) {
    out += fmt::format(" by {} ({})", by.hostname, by.mail_name);
  } else {
    out +=
        fmt::format(" from {} ({} [{}])", session.helo_name.empty() ? session.client_name : session.helo_name,
                    session.client_name, session.client_address);
    if (session.tls) out += tls_lines(*session.tls);
    if (!session.authenticated_sender.empty()) {
      out += fmt::format("\n\t(Authenticated sender: {})", comment_text(session.authenticated_sender));
    }
    out += fmt::format("\n\tby {} ({}) with {}", by.hostname, by.mail_name, session.with);
  }
  if (session.qmqp && !by.recipient)
    return out + fmt::format("\n\tid {}; {}", by.queue_id, mail_date(by.when));
  if (!by.queue_id.empty()) out += fmt::format(" id {}", by.queue_id);
  return out + end_lines(by);
}

std::string local_received_header(const ReceivedBy& by, std::optional<unsigned long> uid) {
  std::string user = uid ? fmt::format(", from userid {}", *uid) : "";
  return fmt::format("Received: by {} ({}{})\n\tid {}; {}", by.hostname, by.mail_name, user, by.queue_id,
                     mail_date(by.when));
}

std::string make_message_id(time_t when, std::string_view queue_id, std::string_view hostname) {
  return fmt::format("<{}.{}@{}>", compact_time(when), queue_id, hostname);
}

std::optional<FromFormat> parse_from_format(std::string_view text) {
  if (text == "standard") return FromFormat::standard;
  if (text == "obsolete") return FromFormat::obsolete;
  return std::nullopt;
}

Result<std::string> make_from(std::string_view address, std::string_view given_name, FromFormat format,
                              std::string_view charset) {
  std::string external = quote_822_local(address);
  if (given_name.empty()) return external;
  std::string full_name(given_name);
  std::replace_if(full_name.begin(), full_name.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  const bool comment = format == FromFormat::obsolete;
  std::string name;
  if (!is_all_ascii(full_name)) {
    name =
        TRY(encode_words(full_name, comment ? EncodedWordPlace::comment : EncodedWordPlace::phrase, charset));
  } else {
    name = comment ? full_name : display_name(full_name);
  }
  if (comment) return fmt::format("{} ({})", external, name);
  return fmt::format("{}{}<{}>", name, name.empty() ? "" : " ", external);
}

}  // namespace postrider::mail
