// The command line that master gives a daemon.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/master_cf.h"
#include "config/value_text.h"

namespace postrider::service {

/// Descriptors that a daemon finds open when master started it.
inline constexpr int kStatusFd = 3;         ///< See master_link.h.
inline constexpr int kFirstListenerFd = 4;  ///< The first of `listeners` sockets.

struct Arguments {
  std::string service_name;                               ///< -n: the first column of master.cf.
  config::ServiceType type = config::ServiceType::unix_;  ///< -t
  bool drop_privileges = false;                           ///< -u
  bool change_root = false;                               ///< -c
  int listeners = 1;                                      ///< -s
  int max_clients = 1;       ///< -m: clients (or deliveries) at a time in this process.
  int generation = 0;        ///< -g: of the configuration; changes with each reload.
  int verbose = 0;           ///< -v, repeatable
  bool debugger = false;     ///< -D: runs debugger_command on itself first.
  bool stand_alone = false;  ///< -S: one client on standard input and output, no master.
  std::string probe;         ///< -P directory: shows its sandbox instead of serving (probe.h).
  std::vector<config::Assignment> overrides;  ///< -o name=value, in order
  std::vector<std::string> rest;              ///< What follows the options: the daemon's own (pipe, spawn).
};

Result<Arguments> parse_arguments(int argc, char** argv);

}  // namespace postrider::service
