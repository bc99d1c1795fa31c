// What the verify service is asked, and told. Types 144 to 147.
#pragma once

#include "ipc/codec.h"

namespace postrider::proto {

/// What is known of an address. The numbers stand in the cache.
enum class AddressStatus : uint8_t {
  deliverable = 0,
  deferred = 1,  ///< A probe met a temporary failure.
  undeliverable = 2,
  in_progress = 3,  ///< Nothing is known yet; a probe is under way.
};

/// From smtpd: what about this address? Where that is not known, or not known well enough any more, a probe
/// is sent.
struct VerifyQuery {
  static constexpr uint16_t kType = 144;
  ipc::Text<ipc::kMaxAddress> address;
  void fields(auto& f) { f(address); }
};
struct VerifyAnswer {
  static constexpr uint16_t kType = 145;
  AddressStatus status = AddressStatus::in_progress;
  ipc::Text<ipc::kMaxReason> text;  ///< Why; for replies to clients.
  void fields(auto& f) { f(status, text); }
};

/// From a delivery agent: what became of a probe.
struct VerifyUpdate {
  static constexpr uint16_t kType = 146;
  ipc::Text<ipc::kMaxAddress> address;
  AddressStatus status = AddressStatus::deferred;
  ipc::Text<ipc::kMaxReason> text;
  void fields(auto& f) { f(address, status, text); }
};
struct VerifyNoted {
  static constexpr uint16_t kType = 147;
  void fields(auto&) {}
};

}  // namespace postrider::proto
