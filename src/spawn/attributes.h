// What a service of master.cf says behind "spawn": the command and its user.
#pragma once

#include <string>
#include <vector>

#include "base/deadline.h"
#include "config/config.h"
#include "mailbox/open_file.h"

namespace postrider::spawn {

struct Attributes {
  std::vector<std::string> argv;
  mailbox::Identity as;
  bool switch_user = true;  ///< False where everything is one user.
  seconds time_limit{0};
  std::vector<std::string> environment;
};

/// Throws ConfigError for what is missing or wrong. May block (name services).
Attributes parse_attributes(const config::Config& config, const std::string& service,
                            const std::vector<std::string>& words, bool rootless);

}  // namespace postrider::spawn
