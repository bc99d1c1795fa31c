// Connections to services of this machine, for programs that may block.
#pragma once

#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "sys/fd.h"

namespace postrider::sys {

/// Connects to a UNIX-domain stream socket. Neither that nor a later write blocks for longer than `limit`;
/// what takes longer fails with EAGAIN.
Result<Fd> connect_local(const std::string& path, seconds limit);

/// Sends a datagram to a UNIX-domain socket, without waiting for room.
Result<void> send_local_datagram(const std::string& path, std::string_view data);

}  // namespace postrider::sys
