// What the configuration leaves out when mail is received (receive_override_options), for all who hand mail
// to cleanup.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/config.h"

namespace postrider::clients {

struct ReceiveOverrides {
  bool recipient_checks = true;  ///< Addresses that are not known are refused.
  bool mappings = true;          ///< Aliases, canonical and masqueraded addresses, automatic copies.
  bool content_checks = true;    ///< header_checks and its kin.
  bool milters = true;

  /// proto::CleanupFlag for what is left.
  uint32_t cleanup_flags() const;
};

/// Throws ConfigError for a word that is not known.
ReceiveOverrides receive_overrides(const config::Config& config);

/// Whether mail from this source ("smtpd", "sendmail", "verify"...) becomes SMTPUTF8 mail when it needs that
/// (smtputf8_autodetect_classes).
bool detects_smtputf8(const config::Config& config, std::string_view source);

}  // namespace postrider::clients
