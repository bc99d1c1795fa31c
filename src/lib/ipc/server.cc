#include "ipc/server.h"

#include <fmt/format.h>

#include "io/sync.h"

namespace postrider::ipc {

Result<void> Dispatcher::serve(Connection& connection, seconds idle, seconds request_limit) const {
  io::TaskGroup running;
  io::Semaphore slots(concurrency_);
  Result<void> outcome;
  while (outcome) {
    if (!connection.wait_frame(Deadline::after(idle))) {
      if (running.size() == 0) break;
      continue;
    }
    if (!outcome) break;
    auto frame = connection.receive(Deadline::after(request_limit));
    if (!frame) {
      if (frame.error().kind != ErrorKind::closed) outcome = std::unexpected(std::move(frame).error());
      break;
    }
    auto handler = handlers_.find(frame->type);
    if (handler == handlers_.end()) {
      outcome = fail(ErrorKind::invalid, fmt::format("unknown request type {}", frame->type));
      break;
    }
    slots.acquire(Deadline::never());
    // The handler itself, not the variable: by the time the fiber runs, the next request may be another
    // one's.
    running.spawn([&, handler = &handler->second, type = frame->type, id = frame->id,
                   payload = std::string(frame->payload)] {
      Frame copy{type, 0, id, payload};
      auto done = (*handler)(connection, copy, Deadline::after(request_limit));
      if (!done && outcome && done.error().kind == ErrorKind::invalid) {
        outcome = std::move(done);
        connection.stream().events().wake_reader();
      }
      slots.release();
    });
  }
  running.wait(Deadline::never());
  return outcome;
}

}  // namespace postrider::ipc
