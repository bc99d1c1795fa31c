// Asking the verify service whether addresses take mail, and telling it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "config/config.h"
#include "ipc/client.h"
#include "proto/verify.h"

namespace postrider::clients {

class VerifyClient {
 public:
  VerifyClient(const config::Config& config, std::string_view asker);

  /// What is known of an address in internal form. Sends a probe where nothing is, and does not wait for it.
  Result<proto::VerifyAnswer> query(std::string_view address, Deadline deadline);
  /// As query(), and while a probe is under way asks again: address_verify_poll_count times altogether,
  /// address_verify_poll_delay apart. The status is AddressStatus::in_progress when that was not enough.
  Result<proto::VerifyAnswer> verify(std::string_view address, Deadline deadline);
  /// The outcome of a probe.
  Result<void> update(std::string_view address, proto::AddressStatus status, std::string_view text,
                      Deadline deadline);

 private:
  ipc::Client client_;
  int poll_count_;
  seconds poll_delay_;
};

/// The sender of probes (address_verify_sender), which may change with time (address_verify_sender_ttl) so
/// that nobody profits from collecting it.
class ProbeSender {
 public:
  explicit ProbeSender(const config::Config& config);

  /// The address at a time, in seconds since 1970; empty: the null sender.
  std::string at(int64_t now) const;
  /// address_verify_sender itself, where `address` is what it looks like now or looked like lately: mail to
  /// it may be an answer to a probe. Nothing for other addresses, and where the sender does not change.
  std::optional<std::string> canonical(std::string_view address, int64_t now) const;

 private:
  std::string with_slot(int64_t slot) const;

  std::string address_;  ///< With a domain, unless it is empty.
  int64_t ttl_;          ///< 0: the address does not change.
};

}  // namespace postrider::clients
