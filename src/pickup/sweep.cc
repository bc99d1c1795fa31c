#include "pickup/sweep.h"

#include "io/fiber.h"
#include "io/sync.h"
#include "log/log.h"
#include "pickup/message.h"
#include "queue/inspect.h"

namespace postrider::pickup {

namespace {
/// Messages under way at a time.
constexpr size_t kConcurrency = 8;
constexpr int kBusyRounds = 10;
constexpr seconds kBusyPause{1};
}  // namespace

void Sweep::run() {
  again_ = true;
  if (running_) return;
  running_ = true;
  for (int patience = kBusyRounds; std::exchange(again_, false);) {
    while (round() > 0) {
    }
    if (busy_ == 0 || again_ || patience-- == 0) continue;
    io::sleep_for(kBusyPause);
    again_ = true;
  }
  running_ = false;
}

/// The number of files that have gone away.
size_t Sweep::round() {
  size_t removed = 0;
  busy_ = 0;
  io::TaskGroup group;
  io::Semaphore slots(kConcurrency);
  queue::Scan scan = store_.scan(queue::QueueName::maildrop);
  for (;;) {
    auto entry = scan.next();
    if (!entry) log::warning("{}", entry.error().text);
    if (!entry || !*entry) break;
    queue::Inspected inspected = queue::inspect(store_.files(), **entry);
    if (!inspected.complaint.empty()) log::warning("{}", inspected.complaint);
    if (!inspected.message) continue;
    slots.acquire(Deadline::never());
    group.spawn([&, found = Found{(*entry)->name, (*entry)->path, *inspected.message}] {
      std::string path = found.path;
      Fate fate = pick_up(settings_, cleanup_, found);
      if (fate == Fate::busy) ++busy_;
      if (fate == Fate::remove) {
        auto gone = store_.remove_file(path, found.id);
        if (!gone && !queue::is_missing(gone.error())) log::warning("{}", gone.error().text);
        if (gone) ++removed;
      }
      slots.release();
    });
  }
  group.wait(Deadline::never());
  return removed;
}

}  // namespace postrider::pickup
