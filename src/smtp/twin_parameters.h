// Parameters that there are twice, for SMTP and for LMTP.
#pragma once

#include "config/config.h"

namespace postrider::smtp_client {

/// Reads a parameter in the form that the protocol has.
class TwinParameters {
 public:
  TwinParameters(const config::Config& config, bool lmtp) : config_(config), lmtp_(lmtp) {}
  template <typename T>
  auto get(config::Param<T> smtp, config::Param<T> lmtp) const {
    return config_.get(lmtp_ ? lmtp : smtp);
  }

 private:
  const config::Config& config_;
  bool lmtp_;
};

}  // namespace postrider::smtp_client
