// One submission: records on standard input, a file in the maildrop queue, an answer on standard output.
#pragma once

#include <sys/types.h>

#include "config/config.h"
#include "tools/postdrop/policy.h"

namespace postrider::postdrop {

struct CommandLine {
  std::string config_directory;  ///< -c
  int verbose = 0;               ///< -v
  bool for_program = false;      ///< -r: who started it reads the answer.
};

/// The working directory must be the queue directory. Returns the exit status.
int serve(const config::Config& config, Policy& policy, const CommandLine& line);

/// Parses the options, which end the process when they are wrong.
CommandLine parse_command_line(int argc, char** argv);

}  // namespace postrider::postdrop
