// Keys for session tickets, the same for all processes that make and open them.
#pragma once

#include <ctime>
#include <functional>

#include "base/deadline.h"
#include "tls/server.h"

namespace postrider::tlsmgr {

/// A key makes tickets for half of the time that sessions can be resumed, and opens them for as long again.
class KeyRing {
 public:
  /// `random` fills a string with bytes that nobody can guess; false when it cannot.
  KeyRing(seconds session_timeout, std::function<bool(std::string&)> random)
      : half_life_(session_timeout / 2), random_(std::move(random)) {}

  /// The keys at a time; none where sessions are not resumed, or without randomness.
  tls::TicketKeys at(std::time_t now);

 private:
  bool make_key(std::time_t now);

  seconds half_life_;
  std::function<bool(std::string&)> random_;
  tls::TicketKeys keys_;
};

}  // namespace postrider::tlsmgr
