#include "cleanup/in_flow.h"

#include <algorithm>
#include <utility>

#include "io/fiber.h"
#include "io/offload.h"

namespace postrider::cleanup {

namespace {
/// What is not known any more is taken to have left the queue: a queue manager that is this far behind finds
/// mail by scanning.
constexpr size_t kMaxTold = 100'000;
}  // namespace

void InFlow::arrived(const std::string& id) {
  if (delay_.count() == 0) return;
  if (told_.size() >= kMaxTold) told_.pop_front();
  told_.push_back(id);
}

void InFlow::pause() {
  if (delay_.count() > 0 && is_behind()) io::sleep_for(delay_);
}

/// One file tells of all: what was told before it has left the queue before it. The file half the limit from
/// the end is looked at, so that a look serves for many messages.
bool InFlow::is_behind() {
  if (told_.size() <= limit_) return behind_ = false;
  if (std::exchange(looking_, true)) return behind_;
  std::string id = told_[told_.size() - 1 - limit_ / 2];
  auto waits = io::offload([this, &id] { return Result<bool>(is_waiting_(id)); }, Deadline::never());
  looking_ = false;
  if (waits && !*waits) {
    auto left = std::find(told_.begin(), told_.end(), id);
    if (left != told_.end()) told_.erase(told_.begin(), left + 1);
  }
  return behind_ = told_.size() > limit_;
}

}  // namespace postrider::cleanup
