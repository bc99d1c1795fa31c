// The sockets of a service: master opens them and its children inherit them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "config/master_cf.h"
#include "service/arguments.h"
#include "sys/fd.h"
#include "sys/socket.h"

namespace postrider::master {

/// What one service listens on.
struct Listeners {
  std::vector<sys::Fd> fds;
  std::string path;                     ///< Of a UNIX-domain socket or FIFO, relative to the queue directory.
  std::vector<sys::Address> addresses;  ///< Of an inet service.
};

/// Where a service is found by others: "public/pickup", "private/rewrite".
std::string socket_path(const config::MasterService& entry);
/// What tells the services of one system apart: "25", "host:25", "private/rewrite". Two entries with the same
/// one would listen at the same place.
std::string place_of(const config::Config& config, const config::MasterService& entry);
/// The addresses of an inet service: "smtp", "127.0.0.1:10025", "[::1]:smtp". Errors name the master.cf line.
Result<std::vector<sys::Address>> inet_addresses(const config::Config& config,
                                                 const config::MasterService& entry);

/// Opens them. UNIX-domain sockets and FIFOs belong to `owner`, where this process is root.
Result<Listeners> open_listeners(const config::Config& config, const config::MasterService& entry);

}  // namespace postrider::master
