// What all uses of TLS in a process have in common: the tls_ parameters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"
#include "tls/ciphers.h"
#include "tls/openssl.h"

namespace postrider::tls {

struct LibrarySettings {
  explicit LibrarySettings(const config::Config& config);

  std::string config_file, config_name;
  CipherLists ciphers;
  std::string curves, groups;  ///< tls_eecdh_auto_curves, tls_ffdhe_auto_groups
  std::string disabled_workarounds, options;
  bool preempt_cipherlist, fast_shutdown;
};

/// Prepares OpenSSL, once for the process, before anything else is done with it. The error is that the
/// configuration file asked for cannot be used: TLS is off then.
Result<void> prepare_library(const LibrarySettings& settings);

/// The SSL_OP_ bits of the settings. Words that are no option are warned of.
uint64_t option_bits(const LibrarySettings& settings);

/// OpenSSL's list of the groups that it knows, "X25519:prime256v1"; empty: its own choice. Names that it does
/// not know as curves are warned of, as groups passed over.
std::string usable_groups(const LibrarySettings& settings);

/// Options, groups and memory use of a context, for servers and clients.
Result<void> configure(SSL_CTX* context, const LibrarySettings& settings, std::string_view protocols);

}  // namespace postrider::tls
