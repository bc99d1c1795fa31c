// The logs of bounce/, defer/ and trace/: what happened to the recipients of a message, one file a queue id.
// They are what a notice to the sender is made from, and what the queue listing shows as reasons.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "queue/committer.h"
#include "queue/store.h"

namespace postrider::queue {

enum class LogKind : unsigned char {
  bounce,  ///< Failed; goes into a non-delivery notice.
  defer,   ///< Why a recipient waits; begins anew with each delivery attempt of the message.
  trace,   ///< Delivered or tried; goes into a delivery report.
};

QueueName log_queue(LogKind kind);

/// What happened to one recipient. Addresses are in external form, localparts quoted where they must be.
struct RecipientStatus {
  std::string recipient;
  std::string original;      ///< Before rewriting; empty when it is not known.
  std::string dsn_original;  ///< "rfc822;address", decoded; empty when none was given.
  int notify = 0;            ///< kNotifyNever and so on.
  uint64_t offset = 0;       ///< Of the recipient in the queue file; 0: not known.
  std::string status;        ///< Enhanced status code, as "5.1.1".
  std::string action;        ///< As in a delivery status notification: "failed", "delayed", "delivered"...
  std::string diagnostic_type, diagnostic_text;  ///< As "smtp", "550 5.1.1 unknown user"; both or none.
  std::string mta_type, mta_name;                ///< As "dns", "mx.example.com"; both or none.
  std::string reason;

  friend bool operator==(const RecipientStatus&, const RecipientStatus&) = default;
};

/// What an entry consists of (backwards_bounce_logfile_compatibility).
enum class LogForm : unsigned char {
  attributes,  ///< Lines name=value.
  headline,    ///< Before them, a line for releases before Postfix 2.3, which read nothing else.
};

/// The text of one entry, as the files have it.
std::string log_entry(const RecipientStatus& status, LogForm form = LogForm::headline);

/// Reads the entries of a log, in bounded memory. Lines that make no sense are skipped; an entry that is not
/// finished, because a crash came in between, is not returned: its recipient has not been marked as done, and
/// what happened to it will be recorded again.
class LogReader {
 public:
  /// `source` must outlive the reader.
  LogReader(ByteSource& source, LogKind kind) : source_(&source), kind_(kind) {}

  /// The next entry; nothing at the end. Values that the file does not give have the defaults of its kind.
  Result<std::optional<RecipientStatus>> next();

 private:
  Result<bool> read_line(std::string& line);

  ByteSource* source_;
  LogKind kind_;
  std::string buffer_;
  size_t consumed_ = 0;
  uint64_t offset_ = 0;
  bool at_end_ = false;
};

class DeliveryLogs {
 public:
  /// Both must outlive this object and the jobs that it starts.
  DeliveryLogs(const Store& store, Committer& committer, LogForm form = LogForm::headline)
      : store_(store), committer_(committer), form_(form) {}

  /// Appends all entries or none. Entries of bounce and trace are on disk when this has returned, so that the
  /// recipients may be marked as done; reasons for deferral are only information.
  Result<void> append(LogKind kind, std::string_view id, std::span<const RecipientStatus> entries,
                      Deadline deadline);

  /// is_missing() when there is no log.
  Result<std::shared_ptr<File>> open(LogKind kind, std::string_view id) const;

  /// Removes the log if there is one.
  Result<void> remove(LogKind kind, std::string_view id) const;

 private:
  const Store& store_;
  Committer& committer_;
  LogForm form_;
};

}  // namespace postrider::queue
