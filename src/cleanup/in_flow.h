// Global flow control: who brings mail is slowed down while it comes in faster than the queue manager takes
// it.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "base/deadline.h"

namespace postrider::cleanup {

class InFlow {
 public:
  /// Tells whether a message is still in the incoming queue. Called where it may block.
  using IsWaiting = std::function<bool(const std::string& id)>;

  /// `delay`: in_flow_delay, 0 for none. `limit`: as many messages may wait for the queue manager before
  /// that.
  InFlow(seconds delay, size_t limit, IsWaiting is_waiting)
      : delay_(delay), limit_(limit), is_waiting_(std::move(is_waiting)) {}

  /// The queue manager has been told of a message.
  void arrived(const std::string& id);
  /// Before a message is accepted: waits a while if the queue manager is behind. Others are served meanwhile.
  void pause();
  /// Whether the queue manager is behind.
  bool is_behind();

 private:
  seconds delay_;
  size_t limit_;
  IsWaiting is_waiting_;
  std::deque<std::string> told_;  // In the order in which the queue manager takes them.
  bool looking_ = false, behind_ = false;
};

}  // namespace postrider::cleanup
