// Session tickets (RFC 5077): sessions that the client keeps, sealed with the server's key.
#pragma once

#include <memory>
#include <string>

#include "tls/openssl.h"
#include "tls/server.h"

namespace postrider::tls {

/// The cipher of tls_session_ticket_cipher; null, with a warning, when it is not one for tickets.
const EVP_CIPHER* find_ticket_cipher(const std::string& name);

/// Has connections of the context make and open tickets with the keys of their Session (use_ticket_keys()).
void use_tickets(SSL_CTX* context, const EVP_CIPHER* cipher);

/// The keys for one connection, which makes no tickets without a current one. Called before its handshake,
/// and with a null pointer when they are not valid any more.
void use_ticket_keys(SSL* connection, const TicketKeys* keys);

}  // namespace postrider::tls
