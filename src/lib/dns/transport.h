// Sends queries to name servers with c-ares; inside this folder only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dns/resolv_conf.h"
#include "io/loop.h"

namespace postrider::dns {

/// Retries, time limits, the choice of a server and the change to TCP after a truncated answer are c-ares's
/// work; sockets and timers are the event loop's.
class Transport {
 public:
  /// The answer, or nothing when no server gave one. SERVFAIL, NOTIMP and REFUSED from all servers count as
  /// no answer. Runs on the loop, or inside send() when that fails at once; not in a fiber of its own.
  using Answered = std::function<void(const std::string_view* message)>;

  explicit Transport(ResolvConf conf);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// `edns` tells that the query has an EDNS0 record.
  void send(std::string_view query, bool edns, Answered answered);
  /// Queries under way.
  size_t pending() const;

 private:
  class Channel;
  std::unique_ptr<Channel>& fresh_channel(bool edns);
  void retire(std::unique_ptr<Channel> channel);
  void sweep();

  ResolvConf conf_;
  std::unique_ptr<Channel> plain_, edns_;
  std::vector<std::unique_ptr<Channel>> retired_;  // Until their last query is answered.
  io::Timer sweep_timer_;
};

}  // namespace postrider::dns
