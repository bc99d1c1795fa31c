// How a message is handed to the cleanup service. Types 32 to 39.
//
// One connection carries one message at a time: CleanupBegin, answered by CleanupQueueId; any number of
// CleanupData; CleanupEnd, answered by CleanupStatus. The data are queue-file records (docs/queue-file.md),
// back to back; a record may be split between two frames. A client that goes away before CleanupEnd leaves
// nothing behind.
//
// A client that has talked to mail filters on behalf of the message (smtpd) says so with CleanupMilters
// before the content. After CleanupEnd cleanup goes on to talk to them, through the client: any number of
// MilterExchange, each of which that wants an answer gets a MilterAnswer, before CleanupStatus.
#pragma once

#include <string_view>

#include "ipc/codec.h"

namespace postrider::proto {

/// What cleanup shall do with the message.
enum CleanupFlag : uint32_t {
  kCleanupBounce = 1 << 0,       ///< Bounce what cannot be accepted, instead of reporting it to the client.
  kCleanupFilter = 1 << 1,       ///< Header and body checks.
  kCleanupHold = 1 << 2,         ///< Into the hold queue.
  kCleanupDiscard = 1 << 3,      ///< Accept and drop.
  kCleanupBcc = 1 << 4,          ///< always_bcc and the bcc maps apply.
  kCleanupMap = 1 << 5,          ///< Canonical and virtual alias mapping apply.
  kCleanupMilter = 1 << 6,       ///< Milters apply.
  kCleanupSmtpUtf8 = 1 << 7,     ///< SMTPUTF8 was requested.
  kCleanupAutoUtf8 = 1 << 8,     ///< Set SMTPUTF8 when the message needs it.
  kCleanupFromSmtpd = 1 << 9,    ///< smtpd_milters instead of non_smtpd_milters.
  kCleanupInternal = 1 << 10,    ///< Mail made by the mail system itself.
  kCleanupRequireTls = 1 << 11,  ///< REQUIRETLS was requested.
};

struct CleanupBegin {
  static constexpr uint16_t kType = 32;
  uint32_t flags = 0;
  void fields(auto& f) { f(flags); }
};
struct CleanupQueueId {
  static constexpr uint16_t kType = 33;
  ipc::Text<100> queue_id;
  void fields(auto& f) { f(queue_id); }
};
struct CleanupData {
  static constexpr uint16_t kType = 34;
  ipc::Text<ipc::kMaxChunk> records;
  void fields(auto& f) { f(records); }
};
struct CleanupEnd {
  static constexpr uint16_t kType = 35;
  void fields(auto&) {}
};

/// Why a message was not accepted, most important first; several may be set.
enum CleanupProblem : uint32_t {
  kProblemBad = 1 << 0,         ///< Internal protocol error.
  kProblemWrite = 1 << 1,       ///< The queue file could not be written.
  kProblemSize = 1 << 2,        ///< message_size_limit.
  kProblemContent = 1 << 3,     ///< Refused by content (header or body checks, MIME strictness).
  kProblemHops = 1 << 4,        ///< hopcount_limit.
  kProblemRecipients = 1 << 5,  ///< No recipients.
  kProblemProxy = 1 << 6,       ///< The before-queue filter.
  kProblemDefer = 1 << 7,       ///< A table did not answer, or a rule said so: try again.
  kProblemDiskFull = 1 << 8,    ///< With kProblemWrite: no space is left, or a quota is used up.
};

struct CleanupProblemText {
  std::string_view status;  ///< RFC 3463
  std::string_view text;    ///< In Postfix's words.
};
/// The most important of several problems; empty for none.
constexpr CleanupProblemText problem_text(uint32_t problems) {
  constexpr struct {
    uint32_t problem;
    CleanupProblemText text;
  } kTexts[] = {
      {kProblemDefer, {"4.7.1", "service unavailable"}},
      {kProblemProxy, {"4.3.0", "queue file write error"}},
      {kProblemBad, {"4.3.0", "internal protocol error"}},
      {kProblemRecipients, {"5.1.0", "no recipients specified"}},
      {kProblemHops, {"5.4.0", "too many hops"}},
      {kProblemSize, {"5.3.4", "message file too big"}},
      {kProblemContent, {"5.7.1", "message content rejected"}},
      {kProblemWrite, {"4.3.0", "queue file write error"}},
  };
  for (const auto& known : kTexts) {
    if ((problems & known.problem) != 0) return known.text;
  }
  return problems == 0 ? CleanupProblemText() : CleanupProblemText{"4.3.0", "unknown error"};
}
constexpr std::string_view describe_problem(uint32_t problems) {
  return problem_text(problems).text;
}

struct CleanupStatus {
  static constexpr uint16_t kType = 36;
  uint32_t problems = 0;  ///< 0: data and name are on disk.
  ipc::Text<ipc::kMaxReason>
      reason;  ///< With kProblemContent and kProblemDefer: "5.7.1 text"; else may be empty.
  ipc::Text<ipc::kMaxReason> reply;  ///< The whole SMTP reply, where a mail filter has given one.
  void fields(auto& f) { f(problems, reason, reply); }
};

// --- mail filters ---

/// Packets of the filter protocol that go in one frame, and one packet that comes back.
inline constexpr size_t kMaxRelay = 640 * 1024;

/// A filter that the client is connected to; milter::Snapshot.
struct MilterState {
  ipc::Text<ipc::kMaxPath> endpoint;
  uint32_t content_timeout = 0;  ///< Seconds.
  ipc::Text<64> default_action;
  uint32_t steps = 0;
  uint8_t state = 0;
  uint8_t failure_kind = 0;
  ipc::Text<ipc::kMaxReason> failure;
  ipc::List<ipc::Text<ipc::kMaxName>, 200> end_of_header_macros, end_of_data_macros;
  void fields(auto& f) {
    f(endpoint, content_timeout, default_action, steps, state, failure_kind, failure, end_of_header_macros,
      end_of_data_macros);
  }
};
struct MilterMacro {
  ipc::Text<ipc::kMaxName> name;
  ipc::Text<ipc::kMaxReason> value;
  void fields(auto& f) { f(name, value); }
};
struct CleanupMilters {
  static constexpr uint16_t kType = 37;
  ipc::List<MilterState, 64> filters;
  ipc::List<MilterMacro, 200> macros;  ///< What the lists of the filters name.
  void fields(auto& f) { f(filters, macros); }
};
struct MilterExchange {
  static constexpr uint16_t kType = 38;
  uint32_t filter = 0;      ///< Its place in CleanupMilters.
  uint32_t timeout_ms = 0;  ///< For sending, and for the answer.
  bool wants_answer = false;
  bool gives_up = false;  ///< The connection is of no more use.
  ipc::Text<kMaxRelay> packets;
  void fields(auto& f) { f(filter, timeout_ms, wants_answer, gives_up, packets); }
};
struct MilterAnswer {
  static constexpr uint16_t kType = 39;
  bool good = false;   ///< Else an error: kind (ErrorKind), code (errno) and text.
  uint8_t letter = 0;  ///< Of the packet.
  ipc::Text<kMaxRelay> data;
  uint8_t error_kind = 0;
  int32_t error_code = 0;
  ipc::Text<ipc::kMaxReason> error;
  void fields(auto& f) { f(good, letter, data, error_kind, error_code, error); }
};

}  // namespace postrider::proto
