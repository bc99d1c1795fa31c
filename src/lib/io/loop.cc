#include "io/loop.h"

#include <cassert>
#include <stdexcept>

#include "io/internal.h"

namespace postrider::io {

namespace {

thread_local Loop* current_loop = nullptr;

timeval to_timeval(Clock::duration span) {
  auto us = std::chrono::duration_cast<std::chrono::microseconds>(span).count();
  return timeval{us < 0 ? 0 : us / 1'000'000, us < 0 ? 0 : us % 1'000'000};
}

}  // namespace

Loop::Loop() : state_(std::make_unique<State>()) {
  assert(current_loop == nullptr && "one loop per thread");
  event_config* config = event_config_new();
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
  event_config_require_features(config, EV_FEATURE_ET);
  state_->base = event_base_new_with_config(config);
  event_config_free(config);
  auto pipe = sys::make_pipe();
  if (state_->base == nullptr || !pipe) throw std::runtime_error("cannot create an event loop");
  state_->wake_pipe = std::move(*pipe);
  (void)sys::set_nonblocking(state_->wake_pipe.read.get());
  (void)sys::set_nonblocking(state_->wake_pipe.write.get());
  state_->wake_event = event_new(
      state_->base, state_->wake_pipe.read.get(), EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* argument) { static_cast<State*>(argument)->run_posted(); },
      state_.get());
  event_add(state_->wake_event, nullptr);
  current_loop = this;
}

Loop::~Loop() {
  // Suspended fibers end with an exception out of suspend(); destructors on their stacks may use the loop.
  state_->unwinding = true;
  while (!state_->fibers.empty())
    state_->resume(state_->fibers.back().get());
  state_.reset();
  current_loop = nullptr;
}

Loop::State::~State() {
  for (auto& [signal, call] : signals)
    event_free(signal);
  if (wake_event != nullptr) event_free(wake_event);
  spare.clear();
  if (base != nullptr) event_base_free(base);
}

Loop& Loop::current() {
  assert(current_loop != nullptr && "no event loop on this thread");
  return *current_loop;
}

bool Loop::exists() {
  return current_loop != nullptr;
}

void Loop::State::run_ready() {
  // Only those ready now: fibers that keep each other busy must not starve the descriptors.
  for (size_t count = ready.size(); count > 0; --count) {
    Fiber* fiber = ready.front();
    ready.pop_front();
    resume(fiber);
  }
}

void Loop::State::run_posted() {
  char drain[64];
  while (true) {
    auto count = sys::read_some(wake_pipe.read.get(), drain, sizeof drain);
    if (!count || *count < sizeof drain) break;
  }
  std::vector<Task> calls;
  {
    std::lock_guard lock(posted_mutex);
    calls.swap(posted);
  }
  for (Task& call : calls)
    call();
}

void Loop::run() {
  State& s = *state_;
  s.stopping = false;
  while (!s.stopping) {
    Clock::time_point begin = Clock::now();
    s.run_ready();
    if (s.ready.empty()) {
      for (auto& call : s.turn_end)
        call();
    }
    s.lag = std::max(s.lag, Clock::now() - begin);
    if (s.stopping) break;
    event_base_loop(s.base, s.ready.empty() ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
  }
  for (auto& call : s.turn_end)
    call();
}

void Loop::stop() {
  state_->stopping = true;
  event_base_loopbreak(state_->base);
}

void Loop::post(Task call) {
  bool first;
  {
    std::lock_guard lock(state_->posted_mutex);
    first = state_->posted.empty();
    state_->posted.push_back(std::move(call));
  }
  if (first) (void)sys::write_all(state_->wake_pipe.write.get(), "w");
}

void Loop::at_turn_end(std::function<void()> call) {
  state_->turn_end.push_back(std::move(call));
}

void Loop::on_signal(int number, std::function<void()> call) {
  auto owned = std::make_unique<std::function<void()>>(std::move(call));
  event* signal = evsignal_new(
      state_->base, number,
      [](evutil_socket_t, short, void* argument) { (*static_cast<std::function<void()>*>(argument))(); },
      owned.get());
  event_add(signal, nullptr);
  state_->signals.emplace_back(signal, std::move(owned));
}

Clock::duration Loop::take_lag() {
  return std::exchange(state_->lag, Clock::duration::zero());
}

void run_with_loop(Task body) {
  Loop loop;
  spawn([&] {
    body();
    loop.stop();
  });
  loop.run();
}

struct Timer::State {
  std::function<void()> call;
  event timer;
};

Timer::Timer(std::function<void()> call) : state_(std::make_unique<State>()) {
  state_->call = std::move(call);
  evtimer_assign(
      &state_->timer, Loop::current().state().base,
      [](evutil_socket_t, short, void* argument) { static_cast<State*>(argument)->call(); }, state_.get());
}

Timer::~Timer() {
  cancel();
}

void Timer::start(Clock::duration after) {
  timeval tv = to_timeval(after);
  event_add(&state_->timer, &tv);
}

void Timer::cancel() {
  event_del(&state_->timer);
}

bool Timer::pending() const {
  return evtimer_pending(&state_->timer, nullptr) != 0;
}

struct ReadWatch::State {
  std::function<void()> call;
  event watch;
};

ReadWatch::ReadWatch(int fd, std::function<void()> call) : state_(std::make_unique<State>()) {
  state_->call = std::move(call);
  event_assign(
      &state_->watch, Loop::current().state().base, fd, EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* argument) { static_cast<State*>(argument)->call(); }, state_.get());
}

ReadWatch::~ReadWatch() {
  disable();
}
void ReadWatch::enable() {
  event_add(&state_->watch, nullptr);
}
void ReadWatch::disable() {
  event_del(&state_->watch);
}

struct FdEvents::State {
  event watch;
  Fiber* reader = nullptr;
  Fiber* writers[2] = {};  // The second one reads through a transport that has to write first.
  bool readable = false;   // Since the last wait; set at first, for nothing is known then.
  bool writable = false;
  bool hung_up = false;  // The peer will send no more: every read ends at once.
  bool wait_readable(Deadline deadline, bool (*wait)(Deadline));
};

FdEvents::FdEvents(int fd) : state_(std::make_unique<State>()) {
  auto on_event = [](evutil_socket_t, short what, void* argument) {
    auto* s = static_cast<State*>(argument);
    if ((what & EV_CLOSED) != 0) s->hung_up = true;
    if ((what & (EV_READ | EV_CLOSED)) != 0) {
      s->readable = true;
      if (s->reader != nullptr) wake(s->reader);
    }
    if ((what & EV_WRITE) != 0) {
      s->writable = true;
      for (Fiber* writer : s->writers)
        if (writer != nullptr) wake(writer);
    }
  };
  event_assign(&state_->watch, Loop::current().state().base, fd,
               EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, on_event, state_.get());
  event_add(&state_->watch, nullptr);
}

FdEvents::~FdEvents() {
  event_del(&state_->watch);
}

bool FdEvents::State::wait_readable(Deadline deadline, bool (*wait)(Deadline)) {
  assert(reader == nullptr && "two fibers read one descriptor");
  if (!readable && !hung_up) {
    reader = current_fiber();
    bool woken = wait(deadline);
    reader = nullptr;
    if (!woken) return false;
  }
  readable = false;
  return true;
}

bool FdEvents::wait_readable(Deadline deadline) {
  return state_->wait_readable(deadline, suspend);
}
bool FdEvents::wait_readable_parked(Deadline deadline) {
  return state_->wait_readable(deadline, suspend_parked);
}

bool FdEvents::wait_writable(Deadline deadline) {
  State& s = *state_;
  if (!s.writable) {
    Fiber*& slot = s.writers[s.writers[0] == nullptr ? 0 : 1];
    assert(slot == nullptr && "three fibers write one descriptor");
    slot = current_fiber();
    bool woken = suspend(deadline);
    slot = nullptr;
    if (!woken) return false;
  }
  s.writable = false;
  return true;
}

bool FdEvents::maybe_readable() const {
  return state_->readable || state_->hung_up;
}

void FdEvents::wake_reader() {
  state_->readable = true;
  if (state_->reader != nullptr) wake(state_->reader);
}

}  // namespace postrider::io
