// What one message has become so far; the stages of cleanup share it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "cleanup/filter_marks.h"
#include "cleanup/settings.h"
#include "proto/cleanup.h"
#include "queue/message_writer.h"

namespace postrider::cleanup {

class Milters;

struct MessageState {
  MessageState(const Settings& s, queue::MessageWriter w, uint32_t f);

  const Settings& settings;
  queue::MessageWriter writer;
  uint32_t flags;  ///< proto::CleanupFlag; checks take some of them away.

  uint32_t problems = 0;  ///< proto::CleanupProblem; anything set: the message is not accepted.
  std::string reason;     ///< "5.7.1 text"; empty: what the problem is called.

  std::optional<std::string> sender;     ///< In its final form; not set: no sender record yet.
  std::optional<std::string> recipient;  ///< The last one, before alias expansion.
  std::string full_name;
  std::string filter, redirect;  ///< From checks; written behind the content.
  std::vector<std::string> bcc;  ///< The same.
  std::string encoding;          ///< "7bit", "8bit" or empty.
  std::string envelope_id;
  int return_flags = 0;
  std::string verp;
  int trace_flags = 0;

  int64_t arrival_seconds = 0, arrival_microseconds = 0;
  /// In which context header addresses are rewritten; empty: they are not.
  std::string_view header_context = "local";
  int64_t size_flags = 0;  ///< queue::SizeRecord::flags
  int64_t send_options = 0;
  size_t recipients = 0;        ///< Records written.
  bool probe_answered = false;  ///< It needs no recipients.
  bool traced = false;          ///< The trace service has a log for this message.

  // Mail filters.
  bool filtered = false;  ///< They will see the message: the file has places where it can be changed.
  FilterMarks marks;
  Milters* milters = nullptr;  ///< Set for as long as records come.
  std::string smtp_reply;      ///< What the client shall hear, where a filter has said so.

  // For log lines about the content.
  std::string origin = "local";  ///< "host[address]"
  std::string protocol, helo;

  const std::string& id() const { return writer.id(); }
  bool has(uint32_t flag) const { return (flags & flag) != 0; }
  /// Whether records still go to the queue file. Where the client wants what is refused to be bounced, they
  /// do in spite of problems that leave the message whole.
  bool writing() const { return (problems & stop_at_) == 0 && !has(proto::kCleanupDiscard); }

  /// Writes a record, unless writing() is over. A limit or error ends it.
  void put(queue::RecordType type, std::string_view data);
  void put_attribute(std::string_view name, std::string_view value);
  /// Leaves a place where reading can be led elsewhere; returns where it is. Only for messages that are
  /// `filtered`.
  uint64_t put_place();

  /// Whether a queue file of this size is more than message_size_limit allows.
  bool is_too_large(uint64_t size) const;
  void fail_too_large();
  /// Notes that the message cannot be accepted. A reason that is given replaces an earlier one.
  void fail(uint32_t problem, std::string_view why = {});
  /// The same with a warning "ID: message rejected: text".
  void reject(uint32_t problem, std::string_view text);

  /// For one question to another service.
  Deadline service_deadline() const { return Deadline::after(settings.ipc_timeout); }
  /// " from=<...> to=<...>" for log lines; what is not known yet is left out.
  std::string addresses_for_log() const;

 private:
  uint32_t stop_at_;
};

/// Problems after which not every record of the message has been looked at.
inline constexpr uint32_t kLeavesIncomplete =
    proto::kProblemBad | proto::kProblemWrite | proto::kProblemSize | proto::kProblemDefer;
/// Problems that may be gone at the next try.
inline constexpr uint32_t kCannotBounce =
    proto::kProblemBad | proto::kProblemWrite | proto::kProblemDefer | proto::kProblemRecipients;

}  // namespace postrider::cleanup
