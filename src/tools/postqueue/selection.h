// What becomes of the messages that a query is about: listed, named, or counted.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "proto/showq.h"
#include "tools/postqueue/listing.h"
#include "tools/postqueue/query.h"

namespace postrider::postqueue {

/// Passes on the messages that match, part by part. What is not decided yet waits: the parts of one message
/// at most.
class Selection {
 public:
  Selection(const Query& query, int64_t now) : query_(query), now_(now) {}
  virtual ~Selection() = default;

  void add(const proto::QueueEntry& entry, std::string& out);
  virtual void end(std::string& out) = 0;

 protected:
  /// A part of a message that matches; `match` tells which recipients are meant.
  virtual void take(const proto::QueueEntry& entry, const MessageMatch& match, std::string& out) = 0;

 private:
  const Query& query_;
  int64_t now_;
  std::optional<MessageMatch> match_;  // Of the message that parts are missing of.
  MessageMatch::State state_ = MessageMatch::State::open;
  std::vector<proto::QueueEntry> waiting_;
};

/// By what messages are counted.
enum class Key : unsigned char { all, sender, sender_domain, recipient, domain, reason, queue };
std::optional<Key> parse_key(std::string_view name);

std::unique_ptr<Selection> listed(const Query& query, int64_t now, std::unique_ptr<Listing> listing);
/// One queue id a line: what postsuper reads.
std::unique_ptr<Selection> named(const Query& query, int64_t now);
/// Messages, recipients and bytes for each value of the key, the largest first; as a table or as JSON.
std::unique_ptr<Selection> counted(const Query& query, int64_t now, Key key, bool json);

}  // namespace postrider::postqueue
