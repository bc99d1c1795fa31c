#include "queue/committer.h"

#include <utility>

#include "io/fiber.h"
#include "io/offload.h"

namespace postrider::queue {

Result<void> Committer::sync(std::shared_ptr<File> file, const std::vector<std::string>& directories,
                             Deadline deadline) {
  // The content first: a name on disk that leads to nothing helps nobody.
  TRY(io::offload([file = std::move(file)] { return file->sync(); }, deadline));
  for (const std::string& directory : directories)
    TRY(sync_directory(directory, deadline));
  return {};
}

Result<void> Committer::sync_directory(const std::string& directory, Deadline deadline) {
  if (!io::in_fiber()) return files_.sync_directory(directory);
  Waiting& waiting = directories_[directory];
  if (!waiting.next) waiting.next = std::make_shared<Batch>();
  std::shared_ptr<Batch> batch = waiting.next;
  if (!std::exchange(waiting.running, true)) {
    // In a fiber of its own: no deadline of one waiter may end the sync that others wait for.
    io::spawn([this, &waiting, directory] { run(waiting, directory); });
  }
  while (!batch->done) {
    if (!batch->finished.wait(deadline)) return fail(ErrorKind::timeout, "timed out syncing " + directory);
  }
  return batch->result;
}

void Committer::run(Waiting& waiting, const std::string& directory) {
  while (waiting.next) {
    std::shared_ptr<Batch> batch = std::exchange(waiting.next, nullptr);
    batch->result = io::offload([&files = files_, directory] { return files.sync_directory(directory); },
                                Deadline::never());
    batch->done = true;
    batch->finished.notify_all();
  }
  waiting.running = false;
}

}  // namespace postrider::queue
