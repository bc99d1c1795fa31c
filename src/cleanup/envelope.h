// The envelope of a message: the records before and behind its content.
#pragma once

#include <string>
#include <unordered_set>

#include "cleanup/message_state.h"
#include "queue/record.h"

namespace postrider::cleanup {

class Envelope {
 public:
  explicit Envelope(MessageState& state) : state_(state) {}

  /// One record in front of the content ('M' excluded).
  void record(const queue::Record& record);
  /// The content begins.
  void end_of_envelope();
  /// One record behind the content ('X' and 'E' excluded).
  void extracted(const queue::Record& record);
  /// Writes what belongs behind the content.
  void finish();

 private:
  /// What the records since the last recipient said about the next one.
  struct RecipientNotes {
    std::string original;
    std::string dsn_original;
    unsigned notify = 0;
  };

  void attribute(const queue::Record& record);
  void sender(std::string_view address);
  void recipient(std::string_view address);
  void write_recipient(const std::string& address, const RecipientNotes& notes);
  void write_warn_time();

  MessageState& state_;
  RecipientNotes notes_;
  bool warn_time_written_ = false;
  std::unordered_set<std::string> seen_;  // Recipients that were written, for dropping duplicates.
};

}  // namespace postrider::cleanup
