#include "service/acceptor.h"

#include "io/fiber.h"
#include "log/log.h"
#include "sys/fd.h"

namespace postrider::service {

namespace {

constexpr milliseconds kLagLimit(20);
constexpr seconds kLagInterval(1);

/// How long a service that passes a client on may take for it.
constexpr seconds kPassingTime(10);

}  // namespace

Acceptor::Acceptor(AcceptorLimits limits, std::function<void(Arrival)> serve)
    : limits_(limits),
      serve_(std::move(serve)),
      idle_timer_([this] {
        stop();
        worn_out_();
      }),
      lag_timer_([this] { measure_lag(); }) {
  if (limits_.max_idle.count() > 0) idle_timer_.start(limits_.max_idle);
  if (limits_.max_clients > 1) lag_timer_.start(kLagInterval);
}

void Acceptor::add_listener(sys::Fd listener, bool passes_descriptors) {
  (void)sys::set_nonblocking(listener.get());
  io::spawn([this, passes_descriptors, listener = std::move(listener)] {
    io::FdEvents events(listener.get());
    listening_.insert(&events);
    listen(listener.get(), events, passes_descriptors);
    listening_.erase(&events);
  });
}

void Acceptor::listen(int listener, io::FdEvents& events, bool passes_descriptors) {
  for (;;) {
    while (!stopped_ && active_ >= limits_.max_clients)
      room_.wait(Deadline::never());
    if (stopped_) return;
    auto accepted = sys::accept_one(listener);
    if (!accepted) {
      // Out of descriptors or memory: other clients have to leave first.
      log::warning("{}", accepted.error().text);
      io::sleep_for(seconds(1));
    } else if (*accepted) {
      start_client(std::move(**accepted), passes_descriptors);
    } else {
      events.wait_readable(Deadline::never());
    }
  }
}

void Acceptor::report_room() {
  room_changed_(stopped_                         ? Room::none
                : active_ >= limits_.max_clients ? Room::full
                : lagging_                       ? Room::lagging
                                                 : Room::free);
}

void Acceptor::stop() {
  stopped_ = true;
  report_room();
  room_.notify_all();
  for (io::FdEvents* events : listening_)
    events->wake_reader();
  idle_timer_.cancel();
}

void Acceptor::start_client(sys::Accepted accepted, bool passed) {
  ++served_;
  idle_timer_.cancel();
  ++active_;
  report_room();
  io::spawn([this, passed, accepted = std::move(accepted)]() mutable {
    struct Leave {
      Acceptor* acceptor;
      ~Leave() { acceptor->end_client(); }
    } leave{this};
    if (!passed) {
      return serve_(
          {.fd = std::move(accepted.fd), .peer = accepted.peer, .local = std::nullopt, .passed = false});
    }
    auto client = receive_client(std::move(accepted.fd), Deadline::after(kPassingTime));
    if (client) serve_(std::move(*client));
  });
}

void Acceptor::end_client() {
  --active_;
  report_room();
  room_.notify_one();
  bool worn_out = limits_.max_use > 0 && served_ >= limits_.max_use && !stopped_;
  if (worn_out) {
    stop();
    worn_out_();
  }
  if (active_ > 0) return;
  if (!stopped_ && limits_.max_idle.count() > 0) idle_timer_.start(limits_.max_idle);
  idle_();
}

void Acceptor::measure_lag() {
  // A process whose clients wait for the processor says so; master may start another one beside it.
  lagging_ = io::Loop::current().take_lag() > kLagLimit;
  report_room();
  lag_timer_.start(kLagInterval);
}

}  // namespace postrider::service
