// What a local user may put into the maildrop queue.
//
// Whoever can run postdrop can hand it any bytes. Only records that a submission needs pass: nothing that
// tells the mail system where the message came from, whether it was delivered, how it is filtered or where it
// goes beside its recipients.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "queue/record.h"

namespace postrider::maildrop {

/// Values of the attribute trace_flags, as queue files have them.
inline constexpr int kTraceVerifyOnly = 512;  ///< sendmail -bv
inline constexpr int kTraceRecord = 1024;     ///< sendmail -v

/// The attribute of a submission with the options that its sender asked for (queue::kSmtputf8Requested,
/// queue::kRequireTls).
inline constexpr std::string_view kSendOptions = "sendopts";

/// The records of one submission, in order: envelope, content, and what was extracted from the header.
class SubmissionFilter {
 public:
  enum class Verdict : unsigned char {
    keep,
    drop,  ///< The record is left out, and warning() says why.
    end,   ///< Keep it: it is the last one.
  };

  /// Whether the next record goes into the queue. An error ends the submission; its text says what is wrong.
  Result<Verdict> check(queue::RecordType type, std::string_view data);
  const std::string& warning() const { return warning_; }

  /// A message must have both before it is complete.
  bool has_sender() const { return sender_.has_value(); }
  bool has_recipient() const { return has_recipient_; }
  /// The first envelope sender.
  const std::optional<std::string>& sender() const { return sender_; }

 private:
  enum class Segment : unsigned char { envelope, content, extracted };

  bool allowed(queue::RecordType type) const;
  Verdict check_attribute(std::string_view data);

  Segment segment_ = Segment::envelope;
  std::optional<std::string> sender_;
  bool has_recipient_ = false;
  std::string warning_;
};

/// Whether a submission may have this attribute.
bool allowed_attribute(std::string_view name, std::string_view value);

}  // namespace postrider::maildrop
