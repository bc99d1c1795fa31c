// What a queue file says about its message: sender, recipients, when and whence it came.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "queue/record.h"

namespace postrider::queue {

/// Names in attribute records.
namespace attribute {
inline constexpr std::string_view kCreateTime = "create_time";
inline constexpr std::string_view kLogIdent = "log_ident";
inline constexpr std::string_view kRewriteContext = "rewrite_context";
inline constexpr std::string_view kEnvelopeId = "envelope_id";
inline constexpr std::string_view kReturn = "ret_flags";
inline constexpr std::string_view kNotify = "notify_flags";
inline constexpr std::string_view kDsnOriginal = "dsn_orig_rcpt";
inline constexpr std::string_view kEncoding = "encoding";
inline constexpr std::string_view kTraceFlags = "trace_flags";
inline constexpr std::string_view kLogClientName = "log_client_name";
inline constexpr std::string_view kLogClientAddress = "log_client_address";
inline constexpr std::string_view kLogClientPort = "log_client_port";
inline constexpr std::string_view kLogMessageOrigin = "log_message_origin";
inline constexpr std::string_view kLogHeloName = "log_helo_name";
inline constexpr std::string_view kLogProtocolName = "log_protocol_name";
inline constexpr std::string_view kClientName = "client_name";
inline constexpr std::string_view kReverseClientName = "reverse_client_name";
inline constexpr std::string_view kClientAddress = "client_address";
inline constexpr std::string_view kClientPort = "client_port";
inline constexpr std::string_view kClientAddressType = "client_address_type";
inline constexpr std::string_view kServerAddress = "server_address";
inline constexpr std::string_view kServerPort = "server_port";
inline constexpr std::string_view kHeloName = "helo_name";
inline constexpr std::string_view kProtocolName = "protocol_name";
inline constexpr std::string_view kSaslMethod = "sasl_method";
inline constexpr std::string_view kSaslUsername = "sasl_username";
inline constexpr std::string_view kSaslSender = "sasl_sender";
}  // namespace attribute

/// NOTIFY of RFC 3461, as the attribute notify_flags has it; 0: not given.
inline constexpr int kNotifyNever = 1;
inline constexpr int kNotifySuccess = 2;
inline constexpr int kNotifyFailure = 4;
inline constexpr int kNotifyDelay = 8;
/// RET of RFC 3461, as the attribute ret_flags has it; 0: not given.
inline constexpr int kReturnFull = 1;
inline constexpr int kReturnHeaders = 2;

/// Values of the attribute trace_flags.
inline constexpr int kTraceProbe = 256;       ///< An address verification probe.
inline constexpr int kTraceVerifyOnly = 512;  ///< sendmail -bv
inline constexpr int kTraceRecord = 1024;     ///< sendmail -v

/// A recipient that is still to be delivered.
struct Recipient {
  std::string address;
  std::string original;      ///< Before rewriting; empty when the file does not say.
  std::string dsn_original;  ///< "rfc822;address", decoded; empty when none was given.
  int notify = 0;
  uint64_t offset = 0;  ///< Of its record, for mark_done().
};

struct Envelope {
  SizeRecord size;
  int64_t arrival_seconds = 0;
  int arrival_microseconds = 0;
  int64_t create_time = 0;  ///< Of the queue file, later than the arrival; 0 in old files.

  std::string sender;  ///< Empty: the null sender.
  std::string sender_full_name;
  std::string filter;  ///< transport:nexthop of the content filter, or empty.
  std::string inspector;
  std::string redirect;     ///< Replaces all recipients when not empty.
  std::string verp;         ///< Two delimiters, or empty.
  std::string envelope_id;  ///< ENVID, decoded.
  int return_flags = 0;
  std::string encoding;  ///< "7bit", "8bit" or empty.
  int trace_flags = 0;
  int64_t warn_time = 0;  ///< When to warn of a delay; 0 or less: not any more.

  uint64_t warn_offset = 0;   ///< Of the record with warn_time; 0: there is none.
  uint64_t trace_offset = 0;  ///< Of the attribute with trace_flags; 0: there is none.

  std::vector<Recipient>
      recipients;       ///< Those not done, in the order of the file, as many as were asked for.
  uint64_t resume = 0;  ///< Where read_recipients() goes on; 0: all were read.
  int64_t unread = 0;   ///< How many recipient records, done or not, lie beyond.

  struct NamedValue {
    std::string name, value;
  };
  std::vector<NamedValue> others;  ///< Attributes without a member above, each name once.
  /// The value of one of `others`, or empty.
  std::string_view attribute(std::string_view name) const;
};

/// Limits on what one envelope may hold in memory, besides the recipients.
inline constexpr size_t kMaxAttributes = 200;
inline constexpr size_t kMaxEnvelopeText = 128 * 1024;

/// Reads an envelope with at most `max_recipients` recipients. ErrorKind::invalid when the file is damaged or
/// not complete: the text says where and why.
Result<Envelope> read_envelope(ByteSource& source, size_t max_recipients);

/// The next recipients, at most `max_recipients`; sets envelope.recipients and envelope.resume.
Result<void> read_recipients(ByteSource& source, Envelope& envelope, size_t max_recipients);

// --- changes in place; each is one small write, so that a crash leaves the old or the new state ---

/// Marks a recipient as needing no further delivery. The record at `offset` must be a recipient or done
/// already.
Result<void> mark_done(File& file, uint64_t offset);
/// Whether the recipient at `offset` still needs delivery.
Result<bool> is_open(File& file, uint64_t offset);
/// Notes that the sender was told of the delay.
Result<void> mark_warned(File& file, uint64_t warn_offset);
/// Makes the attribute at `offset` count no more.
Result<void> mark_killed(File& file, uint64_t offset);

}  // namespace postrider::queue
