// What the bounce, defer and trace services are asked. Types 64 to 71.
#pragma once

#include "ipc/codec.h"
#include "proto/delivery.h"

namespace postrider::proto {

/// One recipient's outcome, appended to the log file of the service asked (bounce, defer or trace): each
/// service is the same program under another name and writes to the queue directory of that name.
struct AppendStatus {
  static constexpr uint16_t kType = 64;
  ipc::Text<100> queue_id;
  DeliveryRecipient recipient;
  ipc::Text<16> status;  ///< D.D.D
  ipc::Text<16>
      action;  ///< "failed", "delayed", "delivered", "relayed", "expanded", "deliverable", "undeliverable"
  ipc::Text<ipc::kMaxName> relay;
  ipc::Text<ipc::kMaxReason> reason;
  ipc::Text<64> diagnostic_type;
  ipc::Text<ipc::kMaxReason> diagnostic_text;
  ipc::Text<64> mta_type;
  ipc::Text<ipc::kMaxName> mta_name;
  void fields(auto& f) {
    f(queue_id, recipient, status, action, relay, reason, diagnostic_type, diagnostic_text, mta_type,
      mta_name);
  }
};

/// What kind of notice to make of a log file.
enum class NoticeKind : uint8_t {
  failure,  ///< Non-delivery notification from bounce/, which is removed.
  delay,    ///< Delayed-mail notice from defer/, which stays.
  trace,    ///< Delivery status report from trace/, which is removed (success notices, sendmail -v, -bv).
};

struct SendNotice {
  static constexpr uint16_t kType = 65;
  NoticeKind kind = NoticeKind::failure;
  uint32_t flags = 0;  ///< DeliveryFlag, for trace.
  ipc::Text<32> queue_name;
  ipc::Text<100> queue_id;
  ipc::Text<32> encoding;
  uint32_t sendopts = 0;
  ipc::Text<ipc::kMaxAddress> sender;
  ipc::Text<ipc::kMaxName> dsn_envid;
  uint32_t dsn_ret = 0;
  ipc::Text<8> verp_delimiters;  ///< Empty: one notice for all recipients.
  void fields(auto& f) {
    f(kind, flags, queue_name, queue_id, encoding, sendopts, sender, dsn_envid, dsn_ret, verp_delimiters);
  }
};

/// A notice about one recipient that never was in a log file: what cleanup bounces.
struct BounceOne {
  static constexpr uint16_t kType = 66;
  SendNotice message;
  AppendStatus outcome;
  void fields(auto& f) { f(message, outcome); }
};

struct Done {
  static constexpr uint16_t kType = 67;
  void fields(auto&) {}
};

}  // namespace postrider::proto
