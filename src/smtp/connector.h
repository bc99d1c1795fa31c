// Connections to servers.
#pragma once

#include <expected>

#include "io/stream.h"
#include "mail/dsn.h"
#include "smtp/client.h"
#include "smtp/settings.h"
#include "sys/socket.h"

namespace postrider::smtp_client {

/// Connects, from the address that the configuration wants.
std::expected<io::Stream, mail::DeliveryStatus> open_connection(const Settings& settings,
                                                                const sys::Address& to,
                                                                const smtp::Peer& peer);

}  // namespace postrider::smtp_client
