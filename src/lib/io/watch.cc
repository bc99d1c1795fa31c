#include "io/watch.h"

#include "io/internal.h"

namespace postrider::io {

struct FdWatch::State {
  int fd;
  std::shared_ptr<Call> call;  // Shared with the call under way, which may destroy the watch.
  event watch;
  short wanted = 0;
};

FdWatch::FdWatch(int fd, Call call) : state_(std::make_unique<State>()) {
  state_->fd = fd;
  state_->call = std::make_shared<Call>(std::move(call));
}

FdWatch::~FdWatch() {
  want(false, false);
}

void FdWatch::want(bool readable, bool writable) {
  State& s = *state_;
  auto wanted = static_cast<short>((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));
  if (wanted == s.wanted) return;
  if (s.wanted != 0) event_del(&s.watch);
  s.wanted = wanted;
  if (wanted == 0) return;
  auto on_event = [](evutil_socket_t, short what, void* argument) {
    std::shared_ptr<Call> keep = static_cast<State*>(argument)->call;
    (*keep)((what & EV_READ) != 0, (what & EV_WRITE) != 0);
  };
  event_assign(&s.watch, Loop::current().state().base, s.fd, static_cast<short>(wanted | EV_PERSIST),
               on_event, &s);
  event_add(&s.watch, nullptr);
}

}  // namespace postrider::io
