// The recipients that a notice is about, from a log file or from a request.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "queue/delivery_log.h"
#include "queue/files.h"

namespace postrider::bounce {

class Entries {
 public:
  using Visit = std::function<void(const queue::RecipientStatus&)>;

  virtual ~Entries() = default;
  /// Calls `visit` for each entry, in their order. Stops at what cannot be read: false.
  virtual bool visit(const Visit& visit) const = 0;
};

/// Those of a log. Without a file nothing can be read.
class LogEntries final : public Entries {
 public:
  LogEntries(std::shared_ptr<queue::File> file, queue::LogKind kind) : file_(std::move(file)), kind_(kind) {}
  bool visit(const Visit& visit) const override;

 private:
  std::shared_ptr<queue::File> file_;
  queue::LogKind kind_;
};

class OneEntry final : public Entries {
 public:
  explicit OneEntry(queue::RecipientStatus entry) : entry_(std::move(entry)) {}
  bool visit(const Visit& visit) const override {
    visit(entry_);
    return true;
  }

 private:
  queue::RecipientStatus entry_;
};

/// Which recipients want to hear of something: those that did not say, and those that asked for it.
struct NotifyFilter {
  static constexpr int kAll = -1;
  int asked = kAll;  ///< queue::kNotifyFailure and so on.

  bool accepts(const queue::RecipientStatus& entry) const {
    return asked == kAll || entry.notify == 0 || (entry.notify & asked) != 0;
  }
};

}  // namespace postrider::bounce
