// Keys, certificates and trusted authorities, from the files that the parameters of one side name.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "tls/chain.h"
#include "tls/openssl.h"

namespace postrider::tls {

/// What a side can show: smtpd_tls_chain_files, or smtpd_tls_cert_file and its kin.
struct IdentityFiles {
  std::string prefix;  ///< "smtpd_tls_": the first part of the parameters' names, for the log.
  std::string chain_files;
  struct Pair {
    const char* kind;  ///< "RSA"
    std::string certificate, key;
  };
  Pair pairs[3];
};

/// Whom a side trusts: smtpd_tls_CAfile, smtpd_tls_CApath.
struct AuthorityFiles {
  std::string file, path;
  bool append_default = false;  ///< tls_append_default_CA
};

/// Has the context present what the files have. False: none are named.
Result<bool> load_identity(SSL_CTX* context, const IdentityFiles& files);

/// Has the context trust those of the files. An error without a text has been logged.
Result<void> load_authorities(SSL_CTX* context, const AuthorityFiles& files);
/// What is read of the file system when certificates are looked at.
std::vector<std::string> required_paths(const AuthorityFiles& files);

}  // namespace postrider::tls
