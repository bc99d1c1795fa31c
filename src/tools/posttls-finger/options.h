// The command line of posttls-finger(1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "config/value_text.h"
#include "dns/mail_routing.h"
#include "tls/level.h"

namespace postrider::posttls_finger {

struct Options {
  dns::AddressPreference family = dns::AddressPreference::any;  ///< -a
  std::vector<std::string> anchors;                             ///< -A
  bool shows_dialogue = true;                                   ///< -c
  bool shows_chain = false;                                     ///< -C
  std::string digest;                                           ///< -d; empty: as main.cf has it.
  bool force_tlsa = false;                                      ///< -f
  std::string authority_file, authority_path;                   ///< -F, -P
  std::string grade = "medium";                                 ///< -g
  std::string host_lookup = "dns";                              ///< -h
  std::string chain_files, certificate_file, key_file;          ///< -H, -k, -K
  std::optional<tls::Level> level;                              ///< -l
  std::string topics = "routine,certmatch";                     ///< -L
  int max_reconnects = 5;                                       ///< -m
  tls::Level insecure_mx_policy = tls::Level::dane;             ///< -M
  std::vector<config::Assignment> overrides;                    ///< -o
  std::string protocols = ">=TLSv1";                            ///< -p
  int reconnect_delay = 0;                                      ///< -r
  bool by_service = false;                                      ///< -R
  std::string server_name;                                      ///< -s
  bool lmtp = false;                                            ///< -S
  seconds connect_timeout{30}, command_timeout{30};             ///< -t, -T
  int verbose = 0;                                              ///< -v
  bool wrapper = false;                                         ///< -w
  bool by_proxy = false;                                        ///< -X

  std::string destination;
  std::vector<std::string> match;
};

/// A mistake ends the process.
Options parse_options(int argc, char** argv);

/// dns, native or both.
struct HostLookup {
  bool dns = false, native = false;
};
HostLookup parse_host_lookup(std::string_view text);

}  // namespace postrider::posttls_finger
