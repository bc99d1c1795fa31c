// Who can connect to a service, and what it does about TLS.
#pragma once

#include <string>
#include <string_view>

#include "tools/lint/model.h"

namespace postrider::lint {

/// The port of an inet service by its number, where it is one of those for mail; else as it is written.
std::string port_of(const Service& service);

/// Whether others than this system can connect to an smtpd service.
bool faces_network(const Model& model, const Service& service);
/// As faces_network(), and not only from private addresses (RFC 1918).
bool faces_internet(const Model& model, const Service& service);

enum class TlsUse : unsigned char { none, offered, required };
/// What an smtpd service is told to do.
TlsUse server_tls(const Model& model, const Service& service);
/// The parameter that says so.
std::string_view server_tls_parameter(const Model& model, const Service& service);

/// "yes" in any case.
bool is_yes(const Model& model, std::string_view name, const Service* service);

}  // namespace postrider::lint
