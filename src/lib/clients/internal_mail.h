// Mail that the mail system writes itself: notices to senders, reports to the postmaster, verification
// probes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "clients/cleanup.h"
#include "config/config.h"

namespace postrider::clients {

/// What a message of the mail system is; internal_mail_filter_classes and smtputf8_autodetect_classes go by
/// it.
enum class InternalMailClass : unsigned char {
  bounce,  ///< Notices about mail to its sender, and copies of them.
  notify,  ///< Reports to the postmaster about a client or server that broke the protocol.
  verify,  ///< Probes; never filtered.
};

struct InternalEnvelope {
  std::string_view sender;  ///< Empty: the null sender.
  std::string_view recipient;
  InternalMailClass mail_class = InternalMailClass::notify;
  int64_t send_options = 0;  ///< queue::kSmtputf8Requested and kRequireTls of the mail that it is about.
  int trace_flags = 0;       ///< As in queue files; for probes.
};

/// A message on its way. Dropping it before finish() leaves nothing behind.
class InternalMessage {
 public:
  const std::string& queue_id() const { return submission_.queue_id(); }

  /// A line of the header or of the body, without its end; "\n" inside separates lines. Longer lines than a
  /// record holds are split. After a failure further lines are dropped: finish() says why.
  void line(std::string_view text, Deadline deadline);
  /// The beginning of a line that goes on with the next piece.
  void line_part(std::string_view text, Deadline deadline);
  /// Success: the message is in the queue. The error's text is a reason in words for a log line.
  Result<void> finish(Deadline deadline);

 private:
  friend class InternalMailer;
  explicit InternalMessage(Submission submission) : submission_(std::move(submission)) {}
  void put(queue::RecordType type, std::string_view data, Deadline deadline);

  Submission submission_;
  Result<void> state_;
};

class InternalMailer {
 public:
  InternalMailer(const config::Config& config, std::string_view asker);

  /// Begins a message; its Received: and Date: headers are written. The caller goes on with From:.
  Result<InternalMessage> begin(const InternalEnvelope& envelope, Deadline deadline);

 private:
  uint32_t cleanup_flags(const InternalEnvelope& envelope) const;

  CleanupClient cleanup_;
  std::string hostname_, mail_name_;
  bool filter_bounces_ = false, filter_notices_ = false;
  bool detect_bounces_ = false, detect_notices_ = false, detect_probes_ = false;
};

}  // namespace postrider::clients
