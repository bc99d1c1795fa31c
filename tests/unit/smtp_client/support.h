// Configurations and sessions for tests of the client.
#pragma once

#include <stdlib.h>

#include <fstream>
#include <string>

#include "../smtp/scripted_server.h"
#include "config/config.h"
#include "smtp/server_session.h"

namespace postrider::smtp_client::test {

/// A configuration with these lines in main.cf.
inline config::Config configuration(const std::string& lines) {
  char name[] = "/tmp/postrider-smtp-XXXXXX";
  std::string directory = mkdtemp(name);
  std::ofstream(directory + "/main.cf") << "compatibility_level = 3.11\nmyhostname = me.test\n"
                                        << "inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n"
                                        << lines;
  auto config = config::Config::load({.directory = directory,
                                      .overrides = {},
                                      .process_name = "smtp",
                                      .service_name = "smtp",
                                      .process_id = 1,
                                      .only_listed_directories = false,
                                      .defaults_only = false});
  std::system(("rm -rf " + directory).c_str());
  return std::move(config).value();
}

}  // namespace postrider::smtp_client::test
