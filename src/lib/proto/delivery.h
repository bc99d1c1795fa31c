// What qmgr asks of a delivery agent. Types 48 to 55.
//
// qmgr keeps one connection per delivery process. The agent's Hello says how many deliveries it works on at a
// time (its credits); each request has its own id and is answered once. The agent marks each finished
// recipient in the queue file and reports the others to the bounce, defer or trace service before it answers.
#pragma once

#include "ipc/codec.h"

namespace postrider::proto {

inline constexpr size_t kMaxRecipientsPerDelivery = 5000;

enum DeliveryFlag : uint32_t {
  kDeliverRecordTrace = 1 << 0,      ///< Append a trace record also for success (sendmail -v).
  kDeliverVerifyOnly = 1 << 1,       ///< Report what would happen (sendmail -bv); deliver nothing.
  kDeliverUpdateVerify = 1 << 2,     ///< The outcome goes to the verify service.
  kDeliverFinal = 1 << 3,            ///< Last attempt with this connection cache state: no cached session.
  kDeliverConnectionLoad = 1 << 4,   ///< A cached connection may be used.
  kDeliverConnectionStore = 1 << 5,  ///< The connection may be cached.
  kDeliverDelaySent = 1 << 6,  ///< The sender was told of a delay and wants to be told of the delivery, too.
};

struct DeliveryRecipient {
  int64_t offset = 0;  ///< Of its record in the queue file; -1 when it has none.
  ipc::Text<ipc::kMaxAddress> address;
  ipc::Text<ipc::kMaxAddress> original;   ///< Before rewriting; what orig_to= shows.
  ipc::Text<ipc::kMaxAddress> dsn_orcpt;  ///< ORCPT, "type;xtext"
  uint32_t dsn_notify = 0;                ///< NOTIFY flags (mail/dsn.h)
  void fields(auto& f) { f(offset, address, original, dsn_orcpt, dsn_notify); }
};

/// Points in time of a message's way, in microseconds since 1970; 0: not reached.
struct DeliveryTimes {
  int64_t arrival = 0;  ///< Before it was queued.
  int64_t active = 0;   ///< Entered the active queue.
  int64_t handoff = 0;  ///< Given to the agent.
  void fields(auto& f) { f(arrival, active, handoff); }
};

struct DeliverRequest {
  static constexpr uint16_t kType = 48;
  uint32_t flags = 0;
  ipc::Text<32> queue_name;  ///< "active"
  ipc::Text<100> queue_id;
  int64_t data_offset = 0;  ///< Of the message content in the queue file.
  int64_t data_size = 0;    ///< Content bytes as the size record has them.
  ipc::Text<ipc::kMaxName> nexthop;
  ipc::Text<32> encoding;  ///< "7bit" or "8bit", or empty
  uint32_t sendopts = 0;   ///< SMTPUTF8, REQUIRETLS and so on, as in the size record.
  ipc::Text<ipc::kMaxAddress> sender;
  ipc::Text<ipc::kMaxName> dsn_envid;
  uint32_t dsn_ret = 0;
  DeliveryTimes times;
  // Where the message came from, for XFORWARD and logs.
  ipc::Text<ipc::kMaxName> client_name, client_address, client_port, client_protocol, client_helo;
  ipc::Text<ipc::kMaxName> sasl_method, sasl_username, sasl_sender;
  ipc::Text<100> log_ident;  ///< The queue id at the first mail system instance.
  ipc::Text<64> rewrite_context;
  ipc::List<DeliveryRecipient, kMaxRecipientsPerDelivery> recipients;
  void fields(auto& f) {
    f(flags, queue_name, queue_id, data_offset, data_size, nexthop, encoding, sendopts, sender, dsn_envid,
      dsn_ret, times, client_name, client_address, client_port, client_protocol, client_helo, sasl_method,
      sasl_username, sasl_sender, log_ident, rewrite_context, recipients);
  }
};

/// The agent's answer: what qmgr's scheduler learns of the destination. What became of each recipient is in
/// the queue file and the logs by then.
struct DeliverReply {
  static constexpr uint16_t kType = 49;
  bool deferred = false;  ///< At least one recipient has to be tried again.
  /// Set when the destination itself (not a recipient) failed: concurrency goes down, the destination may be
  /// declared dead, and other messages for it are deferred with this status and reason.
  ipc::Text<16> site_status;
  ipc::Text<ipc::kMaxReason> site_reason;
  void fields(auto& f) { f(deferred, site_status, site_reason); }
};

/// From an agent, unasked: give this process no more work and close the connection when what it has is done.
struct AgentRetires {
  static constexpr uint16_t kType = 50;
  void fields(auto&) {}
};

}  // namespace postrider::proto
