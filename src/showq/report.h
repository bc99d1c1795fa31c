// What the queue listing says about one message.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "proto/showq.h"
#include "queue/delivery_log.h"
#include "queue/envelope.h"
#include "queue/record.h"
#include "queue/store.h"

namespace postrider::showq {

struct Message {
  queue::QueueName queue;
  std::string id;
  std::string path;
  queue::FileStatus status;
};

struct Rules {
  size_t dup_limit =
      0;  ///< Recipients of the logs that are remembered, so that they are not listed again; 0: all.
  std::string empty_address = "MAILER-DAEMON";  ///< Stands for the null sender.
};

/// Reads the envelope of a queue file, and with it the delivery logs of the same id, which have the reasons.
/// As much as can be read of a damaged file is listed.
class Report {
 public:
  /// The store and the rules must outlive the object.
  Report(const queue::Store& store, Message message, const Rules& rules);

  /// The entries of the message, mostly one; see proto::QueueEntry::more. Nothing when there are no more.
  std::optional<proto::QueueEntry> next();
  /// Once nothing is left: what the administrator should know about the file; mostly empty.
  const std::string& warning() const { return warning_; }

 private:
  struct Log {
    Log(std::shared_ptr<queue::File> f, queue::LogKind k) : file(std::move(f)), reader(*file, k), kind(k) {}
    std::shared_ptr<queue::File> file;
    queue::LogReader reader;
    queue::LogKind kind;
  };

  bool step();
  bool take(const queue::Record& record);
  bool take_sender(std::string_view address);
  bool take_recipient(std::string_view address);
  bool skip_content();
  bool next_status();
  void open_log(queue::LogKind kind);
  void add(proto::QueueRecipient recipient);
  bool full() const;

  const queue::Store& store_;
  Message message_;
  std::string readable(std::string_view address) const;
  const Rules& rules_;
  std::shared_ptr<queue::File> file_;
  std::optional<queue::RecordReader> reader_;
  std::unique_ptr<Log> log_;  // While its entries are listed.

  std::optional<queue::SizeRecord> size_;
  int64_t arrival_ = 0;
  int64_t recipients_ = 0;
  std::string original_;
  std::optional<proto::QueueEntry> entry_;  // Once there is a sender.
  size_t text_ = 0;                         // Bytes of its recipients.
  bool done_ = false;
  std::unordered_set<std::string> seen_;
  std::string warning_;
};

}  // namespace postrider::showq
