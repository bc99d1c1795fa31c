// Who has how many connections, and does what how often.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/deadline.h"
#include "base/text.h"
#include "proto/anvil.h"

namespace postrider::anvil {

/// The highest numbers since the last look, each with whose it was and when.
class Statistics {
 public:
  enum Kind : size_t { rate, count, message, recipient, newtls, auth, kKinds };
  void note(Kind kind, uint32_t value, std::string_view ident, time_t when);
  void note_size(size_t entries, time_t when);
  /// The log lines; everything starts anew.
  std::vector<std::string> take(seconds time_unit);

 private:
  struct Peak {
    uint32_t value = 0;
    std::string ident;
    time_t when = 0;
  };
  std::array<Peak, kKinds> peaks_;
  size_t most_entries_ = 0;
  time_t most_when_ = 0;
};

/// Rates count from the first event of a client; when anvil_rate_time_unit has passed since, they begin anew
/// with the next one.
class Ledger {
 public:
  /// `now` and `wall` tell the time. No more than `max_entries` clients are kept.
  Ledger(seconds time_unit, size_t max_entries, std::function<Clock::time_point()> now,
         std::function<time_t()> wall)
      : time_unit_(time_unit), max_entries_(max_entries), now_(std::move(now)), wall_(std::move(wall)) {}

  struct Answer {
    uint32_t count = 0, rate = 0;
  };
  /// ErrorKind::limit: there are too many clients to keep another one.
  Result<Answer> connect(std::string_view ident);
  void disconnect(std::string_view ident);
  Result<uint32_t> event(std::string_view ident, proto::AnvilEvent event, bool report_only);

  /// Forgets clients without connections and recent events.
  void expire();
  size_t size() const { return entries_.size(); }
  std::vector<std::string> take_statistics() { return statistics_.take(time_unit_); }

 private:
  struct Entry {
    uint32_t connections = 0;
    uint32_t connection_rate = 0;
    std::array<uint32_t, proto::kAnvilEvents> rates{};
    Clock::time_point start;
  };
  Entry* find_or_make(std::string_view ident);
  void renew(Entry& entry) const;

  seconds time_unit_;
  size_t max_entries_;
  std::function<Clock::time_point()> now_;
  std::function<time_t()> wall_;
  std::unordered_map<std::string, Entry, TextHash, std::equal_to<>> entries_;
  Statistics statistics_;
};

}  // namespace postrider::anvil
