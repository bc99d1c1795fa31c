// What a service of master.cf says behind "pipe": the command and how it is run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "config/config.h"
#include "mailbox/copy.h"
#include "mailbox/open_file.h"

namespace postrider::pipe {

/// Changes of addresses in arguments: the flags h, q and u.
struct AddressStyle {
  bool fold_domain = false;
  bool fold_localpart = false;
  bool quote = false;
};

struct Attributes {
  std::string service;              ///< The name of the service in master.cf, which is the transport's.
  bool original_recipients = true;  ///< For flag O (enable_original_recipient).
  std::string config_directory;     ///< Where master.cf is, for log lines.
  std::vector<std::string> argv;    ///< Not expanded.
  mailbox::Identity as;
  bool switch_user = true;      ///< False where everything is one user.
  std::string root, directory;  ///< chroot=, directory=
  std::string null_sender = "MAILER-DAEMON";
  int64_t size_limit = 0;  ///< 0: none.
  mailbox::CopyFormat format;
  AddressStyle addresses;
  bool final_delivery = false;  ///< The flag X.
  seconds time_limit{0};
  std::vector<std::string> environment;
  std::string recipient_delimiter;
  bool owner_request_special = true;
  seconds ipc_timeout{0};
};

/// Throws ConfigError for what is missing or wrong. May block (name services).
Attributes parse_attributes(const config::Config& config, const std::string& service,
                            const std::vector<std::string>& words, bool rootless);

}  // namespace postrider::pipe
