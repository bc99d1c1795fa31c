// One client's way: access list, cache, tests before the greeting, the built-in SMTP engine, and on to an
// SMTP server.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "io/stream.h"
#include "postscreen/engine.h"
#include "postscreen/progress.h"
#include "postscreen/screener.h"
#include "service/daemon.h"
#include "service/passing.h"

namespace postrider::postscreen {

class Visit {
 public:
  Visit(Screener& screener, service::Client client);
  void run();

 private:
  /// What a part of the way has come to.
  enum class Next : unsigned char { go_on, over };

  bool identify();
  void screen();
  bool has_room(size_t connections);
  void take_tests();
  Next wait_before_greeting();
  Next pay_attention(bool pregreet);
  Next judge_pregreet(std::string_view seen);
  Next judge_score(const DnsblScore& score);
  bool is_good_by_score(const DnsblScore& score);
  void talk();
  void pass_on();
  /// False when that does not work: the client has been told `complaint`.
  bool try_to_pass_on(std::string_view complaint);
  void log_pass() const;
  void remember() const;
  Next drop(std::string_view reply);
  void say(std::string_view text);
  std::string since(Clock::time_point start) const;

  Screener& screener_;
  const Settings& settings_;
  io::Stream stream_;
  sys::Address server_;
  std::optional<service::Ends> ends_;  // As a load balancer tells them.
  Peer peer_;
  std::optional<Progress> progress_;
  Clock::time_point wait_start_;
  bool silent_ = true;  // The client has waited for the greeting so far.
};

}  // namespace postrider::postscreen
