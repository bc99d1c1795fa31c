// The private keys and certificates of the SMTP server: making, deploying and describing them for "postfix
// tls".
//
// Errors are the texts that the command fails with.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "tools/postfix/tls/openssl.h"

namespace postrider::postfix {

/// What "new-server-key" and its kin are asked for.
struct KeyRequest {
  KeyAlgorithm algorithm = KeyAlgorithm::rsa;
  std::string bits;                ///< Empty: 2048 or secp256r1.
  std::vector<std::string> names;  ///< Empty: myhostname.
  bool keep_key = false;           ///< A new certificate for the key that is deployed, if there is one.
};

/// Files that belong together.
struct KeyFiles {
  std::string certificate, key;
  bool new_key = true;
};

class ServerKeys {
 public:
  ServerKeys(const config::Config& config, Openssl openssl);

  /// A key and a self-signed certificate in new files of the configuration directory, named after the time.
  Result<KeyFiles> create(const KeyRequest& request) const;
  /// Has main.cf name the files, when they belong together.
  Result<void> deploy(std::string_view certificate_file, std::string_view key_file) const;
  /// Prints a certificate signing request for a key: a file, or what is configured for an algorithm ("rsa",
  /// "ecdsa"); empty: the first that is configured.
  Result<void> print_request(std::string_view key, std::vector<std::string> names) const;
  /// Prints TLSA records for port 25 of a host; empty: myhostname, and the keys that are configured.
  Result<void> print_tlsa(std::string host, const std::vector<std::string>& keys) const;

 private:
  /// The key file of an algorithm; empty where none is configured.
  std::string configured(KeyAlgorithm algorithm) const;
  std::string key_file(std::string_view key) const;
  std::string in_config_directory(std::string_view file) const;
  Result<std::string> key_text(const KeyRequest& request, KeyFiles& files) const;
  /// With a name where there is none; an error for what is no host name.
  Result<std::vector<std::string>> complete(std::vector<std::string> names) const;

  const config::Config& config_;
  Openssl openssl_;
};

/// Sets parameters in main.cf.
Result<void> set_parameters(const config::Config& config,
                            const std::vector<std::pair<std::string, std::string>>& settings);

}  // namespace postrider::postfix
