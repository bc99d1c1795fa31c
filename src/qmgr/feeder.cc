#include "qmgr/feeder.h"

#include <ctime>
#include <vector>

#include "io/fiber.h"
#include "io/offload.h"
#include "log/log.h"

namespace postrider::qmgr {

using queue::QueueName;

namespace {

constexpr size_t kMaxAnnounced = 10'000;  // Beyond, a scan finds them.
constexpr size_t kReadAhead = 500;        // Names found and not yet admitted.
constexpr size_t kScanStep = 200;         // Files looked at in one go on another thread.
constexpr size_t kNewEntering = 32;       // Messages being read and routed at a time.
constexpr size_t kDeferredEntering = 8;   // Of the deferred queue; on top of these.

}  // namespace

Feeder::Feeder(const Settings& settings, const queue::Store& store, ActiveQueue& active)
    : settings_(settings), store_(store), active_(active), deferred_timer_([this] {
        scan_deferred(false);
        deferred_timer_.start(settings_.queue_run_delay);
      }) {}

void Feeder::recover() {
  queue::Scan scan = store_.scan(QueueName::active);
  for (;;) {
    auto entry = scan.next();
    if (!entry) return log::error("{}", entry.error().text);
    if (!*entry) return;
    if (!queue::is_valid_id((*entry)->name)) continue;
    auto moved = store_.move((*entry)->name, QueueName::active, QueueName::incoming);
    if (!moved && !queue::is_missing(moved.error())) log::warning("{}", moved.error().text);
  }
}

void Feeder::start() {
  io::spawn([this] { run_scans(incoming_); });
  io::spawn([this] { run_scans(deferred_); });
  io::spawn([this] { feed(); });
  scan_incoming();
  scan_deferred(false);
  deferred_timer_.start(settings_.queue_run_delay);
}

void Feeder::announce(std::string id) {
  if (announced_.size() >= kMaxAnnounced) return scan_incoming();
  announced_.push_back(std::move(id));
  work_.notify_all();
}

void Feeder::scan_incoming() {
  request(incoming_, true, false);
}
void Feeder::scan_deferred(bool all) {
  request(deferred_, all, false);
}

void Feeder::flush() {
  active_.forget_failures();
  request(deferred_, false, true);
}

void Feeder::request(Source& source, bool ignore_time, bool flush) {
  source.again = true;
  source.ignore_time_again |= ignore_time;
  source.flush_again |= flush;
  work_.notify_all();
}

/// Looks at some more files of the running scan; false at its end.
bool Feeder::refill(Source& source) {
  struct Step {
    std::vector<std::string> ids;
    bool ended = false;
  };
  auto look = [this, &source]() -> Result<Step> {
    Step step;
    int64_t now = time(nullptr);
    for (size_t i = 0; i < kScanStep; ++i) {
      auto entry = TRY(source.scan->next());
      if (!entry) {
        step.ended = true;
        break;
      }
      if (!queue::is_valid_id(entry->name)) continue;
      auto status = store_.status(source.queue, entry->name);
      if (!status || status->type != queue::FileType::regular || !queue::is_complete(*status)) continue;
      if (!source.ignore_time && status->modified > now) continue;
      step.ids.push_back(std::move(entry->name));
    }
    return step;
  };
  auto step = io::offload(look, Deadline::never());
  if (!step) {
    log::error("{}", step.error().text);
    return false;
  }
  for (std::string& id : step->ids)
    source.found.push_back(std::move(id));
  if (!step->ids.empty()) work_.notify_all();
  return !step->ended;
}

void Feeder::run_scans(Source& source) {
  for (;;) {
    while (!source.again)
      work_.wait(Deadline::never());
    source.again = false;
    source.ignore_time = std::exchange(source.ignore_time_again, false);
    source.flush = std::exchange(source.flush_again, false);
    source.scan.emplace(store_.scan(source.queue));
    for (bool more = true; more;) {
      // A request that asks for more than this scan gives must not wait until a long one is over.
      if (source.again && source.ignore_time_again && !source.ignore_time) break;
      if (source.found.size() >= kReadAhead) {
        work_.wait(Deadline::never());
        continue;
      }
      more = refill(source);
    }
    source.scan.reset();
  }
}

std::optional<std::string> Feeder::next_new() {
  std::deque<std::string>& queue = announced_.empty() ? incoming_.found : announced_;
  if (queue.empty()) return std::nullopt;
  std::string id = std::move(queue.front());
  queue.pop_front();
  return id;
}

void Feeder::admit(std::string id, QueueName from, bool flush, size_t& entering) {
  ++entering;
  io::spawn([this, id = std::move(id), from, flush, &entering] {
    active_.admit(id, from, flush);
    --entering;
    work_.notify_all();
  });
}

bool Feeder::feed_new() {
  if (new_entering_ >= kNewEntering || !active_.has_room(QueueName::incoming)) return false;
  auto id = next_new();
  if (id) admit(std::move(*id), QueueName::incoming, false, new_entering_);
  return id.has_value();
}

bool Feeder::feed_deferred() {
  if (deferred_.found.empty() || deferred_entering_ >= kDeferredEntering ||
      !active_.has_room(QueueName::deferred)) {
    return false;
  }
  std::string id = std::move(deferred_.found.front());
  deferred_.found.pop_front();
  admit(std::move(id), QueueName::deferred, deferred_.flush, deferred_entering_);
  return true;
}

void Feeder::feed() {
  active_.on_room([this] { work_.notify_all(); });
  for (;;) {
    bool fed = feed_new();
    fed = feed_deferred() || fed;
    if (!fed) work_.wait(Deadline::never());
  }
}

}  // namespace postrider::qmgr
