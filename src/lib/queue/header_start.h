// The top of a message as a client has sent it: it may be no header at all.
#pragma once

#include <string_view>

#include "queue/record.h"

namespace postrider::queue {

/// A line of content or a piece of it, as a record for the queue file.
struct ContentRecord {
  RecordType type = RecordType::text;
  std::string_view text;
};

/// Makes the first lines of content fit for a message: they may be no header at all.
class HeaderStart {
 public:
  /// What stands in front of the record's text, and whether an empty line comes before it.
  struct Change {
    std::string_view prefix;
    bool empty_line_before = false;
  };
  /// To be asked for each record until `done()`.
  Change look_at(const ContentRecord& record);
  bool done() const { return done_; }
  /// All content is to stay as it is.
  void skip() { done_ = true; }

 private:
  bool done_ = false;
  bool in_long_line_ = false;
};

}  // namespace postrider::queue
