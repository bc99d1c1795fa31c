#include "tlsproxy/relay.h"

#include <algorithm>

#include "io/sync.h"
#include "sys/hang_up.h"

namespace postrider::tlsproxy {

namespace {

/// How long a goodbye may take to be heard, and that of the peer to come.
constexpr seconds kGoodbyeTime{5};

}  // namespace

Relay::Relay(io::Stream& plain, io::Stream& secure, seconds idle, bool fast_shutdown)
    : plain_(plain),
      secure_(secure),
      idle_(std::max(idle, seconds(1))),
      fast_shutdown_(fast_shutdown),
      last_(Clock::now()),
      goodbye_([this] { hang_up(); }) {}

void Relay::run() {
  io::TaskGroup back;
  back.spawn([this] { pump(plain_, secure_); });
  pump(secure_, plain_);
  back.wait(Deadline::never());
}

void Relay::hang_up() {
  sys::hang_up(plain_.fd());
  sys::hang_up(secure_.fd());
}

/// False when nothing more will come. Silence of one side is no matter as long as the other one talks.
bool Relay::wait_for_more(io::Stream& from) {
  for (;;) {
    auto more = from.fill(Deadline::at(last_ + idle_));
    if (more) return *more;
    if (more.error().kind != ErrorKind::timeout || Clock::now() >= last_ + idle_) return false;
  }
}

void Relay::pump(io::Stream& from, io::Stream& to) {
  for (;;) {
    if (from.buffered().empty() && !wait_for_more(from)) return end(from);
    last_ = Clock::now();
    if (&to == &plain_ && plain_ended_) {
      from.consume(from.buffered().size());
      continue;
    }
    to.write(from.buffered());
    from.consume(from.buffered().size());
    if (!to.flush(Deadline::after(idle_))) return hang_up();
  }
}

/// The end of one side. What it has said has been passed on; what it still has to hear goes on.
void Relay::end(io::Stream& from) {
  bool out_of_time = Clock::now() >= last_ + idle_;
  if (out_of_time || from.broken()) return hang_up();
  if (&from == &secure_) return plain_.shutdown_write();
  plain_ended_ = true;
  secure_.end_transport(Deadline::after(kGoodbyeTime), false);
  if (fast_shutdown_) return hang_up();
  secure_.shutdown_write();
  goodbye_.start(kGoodbyeTime);
}

}  // namespace postrider::tlsproxy
