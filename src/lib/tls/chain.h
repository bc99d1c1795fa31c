// Private keys and their certificates, from files in PEM form.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tls/openssl.h"

namespace postrider::tls {

/// One key, its certificate and those that signed it.
struct Chain {
  Key key;
  Certificate certificate;
  std::vector<Certificate> issuers;
};

/// A file that was read.
struct PemFile {
  std::string name;  ///< For error texts.
  std::string text;
};

/// Keys, each directly followed by its chain (smtpd_tls_chain_files); what follows a key may be in the next
/// file. The error tells what is out of place; the library's own errors may tell more.
Result<std::vector<Chain>> read_chains(const std::vector<PemFile>& files);

/// A certificate file and a key file of the older kind (smtpd_tls_cert_file, smtpd_tls_key_file), in any
/// order when they are one.
Result<Chain> read_pair(const PemFile& certificates, const PemFile& key);

/// Has the context, or one connection, present the chain. An error when the key does not belong to the
/// certificate.
Result<void> use_chain(SSL_CTX* context, const Chain& chain);
Result<void> use_chain(SSL* connection, const Chain& chain);

}  // namespace postrider::tls
