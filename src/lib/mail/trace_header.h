// Headers that a mail system writes itself: Received:, Message-Id:, From:. Date: is "Date: " + mail_date().
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::mail {

/// One side's signature in a TLS handshake. Empty name: not known.
struct TlsSignature {
  std::string name;   ///< "ECDSA".
  std::string curve;  ///< "prime256v1"; empty for keys that have bits instead.
  int bits = 0;
  std::string digest;  ///< "SHA256".
  bool raw_public_key = false;
};

/// What a Received: header tells of a TLS session.
struct ReceivedTls {
  enum class Client : unsigned char { not_asked, none, certificate, raw_public_key };

  std::string protocol;  ///< "TLSv1.3".
  std::string cipher;
  int used_bits = 0, algorithm_bits = 0;
  std::string key_exchange;  ///< "X25519"; empty: not known.
  std::string key_exchange_curve;
  int key_exchange_bits = 0;
  TlsSignature server, client;
  Client client_identity = Client::not_asked;
  std::string common_name, issuer;  ///< Of the client's certificate.
  bool trusted = false;
  std::string key_type, key_digest;  ///< Of the client's raw public key.
};

/// " key-exchange X25519 server-signature ECDSA (prime256v1) server-digest SHA256", as log lines have it;
/// empty where nothing is known.
std::string tls_keys_text(const ReceivedTls& tls);

/// A message that came by network.
struct ReceivedSession {
  std::string_view helo_name;  ///< The client's name for itself; empty: it gave none.
  std::string_view client_name;
  std::string_view client_address;        ///< "192.0.2.1", "IPv6:2001:db8::1".
  const ReceivedTls* tls = nullptr;       ///< When smtpd_tls_received_header.
  std::string_view authenticated_sender;  ///< When smtpd_sasl_authenticated_header.
  std::string_view with;                  ///< As from with_protocol().
  bool hidden = false;                    ///< smtpd_hide_client_session: nothing of the client is told.
  bool qmqp = false;  ///< Without a recipient to be named, the id begins a line, as QMQP servers have it.
};

struct ReceivedBy {
  std::string_view hostname;  ///< myhostname.
  std::string_view mail_name;
  std::string_view queue_id;  ///< Empty: a before-queue filter will queue the message.
  time_t when = 0;
  std::optional<std::string_view> recipient;  ///< In internal form, when the message has only one.
};

/// The word after "with" (RFC 3848, RFC 6531): `protocol` is "SMTP", "ESMTP", "LMTP".
std::string with_protocol(std::string_view protocol, bool tls, bool authenticated, bool smtputf8);

/// The Received: header, a line for each line.
std::string received_header(const ReceivedSession& session, const ReceivedBy& by);
/// For a message that did not come by network; `uid` when a user's command submitted it.
std::string local_received_header(const ReceivedBy& by, std::optional<unsigned long> uid = std::nullopt);

/// "<20240205120000.4TT2wX0gJ1z2x@mx.example>".
std::string make_message_id(time_t when, std::string_view queue_id, std::string_view hostname);

/// header_from_format.
enum class FromFormat : unsigned char {
  standard,  ///< name <address>
  obsolete,  ///< address (name)
};
std::optional<FromFormat> parse_from_format(std::string_view text);

/// The value of a From: header for an address in internal form and a full name, which may be empty. A full
/// name outside US-ASCII is encoded as `charset` (full_name_encoding_charset); fails when it cannot be, and
/// the caller warns and tries without.
Result<std::string> make_from(std::string_view address, std::string_view full_name, FromFormat format,
                              std::string_view charset);

}  // namespace postrider::mail
