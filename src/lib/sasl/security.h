// What a mechanism must or must not do (smtpd_sasl_security_options).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace postrider::sasl {

/// Properties that are asked for.
struct SecurityOptions {
  bool noplaintext = false;      ///< No passwords in the clear.
  bool noactive = false;         ///< Not open to active attacks.
  bool nodictionary = false;     ///< Not open to guessing from what was overheard.
  bool noanonymous = false;      ///< Somebody in particular.
  bool forward_secrecy = false;  ///< What was overheard stays useless when a secret becomes known.
  bool mutual_auth = false;      ///< The server authenticates, too.

  friend bool operator==(const SecurityOptions&, const SecurityOptions&) = default;
};

/// Reads a list of these names. The error has the word that is none of them.
Result<SecurityOptions> parse_security_options(std::string_view text);

}  // namespace postrider::sasl
