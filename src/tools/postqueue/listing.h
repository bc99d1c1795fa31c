// The queue listing as text and as JSON.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "proto/showq.h"

namespace postrider::postqueue {

/// Formats entries as they come.
class Listing {
 public:
  virtual ~Listing() = default;
  /// Adds one entry, or a part of one (proto::QueueEntry::more), to `out`.
  virtual void add(const proto::QueueEntry& entry, std::string& out) = 0;
  virtual void end(std::string& out) = 0;

 protected:
  /// Whether the entry goes on with the message of the one before; to be asked once an entry.
  bool continues(const proto::QueueEntry& entry) {
    bool before = open_;
    open_ = entry.more;
    return before;
  }

 private:
  bool open_ = false;
};

/// For people: a few lines a message. Columns are wider for long queue ids.
std::unique_ptr<Listing> text_listing(bool long_ids);
/// One JSON object a line for each message.
std::unique_ptr<Listing> json_listing();

}  // namespace postrider::postqueue
