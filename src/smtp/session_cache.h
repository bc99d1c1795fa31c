// Sessions that wait for another message to their server.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/deadline.h"
#include "base/text.h"
#include "io/loop.h"
#include "smtp/server_session.h"

namespace postrider::smtp_client {

/// How often the cache could help, for the connection cache service.
struct CacheCounts {
  uint32_t destination_hits = 0, destination_misses = 0;
  uint32_t address_hits = 0, address_misses = 0;
  uint32_t destinations = 0, addresses = 0, connections = 0;  ///< The most at a time.
};

/// A session is found by the destination that it was made for (so that hosts which did not answer need not be
/// tried again), or by the address of its server. Idle sessions go after a short time, without a farewell.
class SessionCache {
 public:
  /// `idle` is how long a session is kept; at most `capacity` are.
  SessionCache(Clock::duration idle, size_t capacity);
  ~SessionCache();

  /// `destination` may be empty: then the session is found by its address only.
  void store(std::unique_ptr<ServerSession> session, std::string destination, std::string address);
  /// A session for the caller alone; null when there is none, or only such as have ended meanwhile.
  std::unique_ptr<ServerSession> take_by_destination(std::string_view destination);
  std::unique_ptr<ServerSession> take_by_address(std::string_view address);
  size_t size() const { return entries_.size(); }
  /// Since the call before.
  CacheCounts take_counts() { return std::exchange(counts_, {}); }

 private:
  struct Entry {
    std::unique_ptr<ServerSession> session;
    std::string destination, address;
    Clock::time_point until;
  };
  using Entries = std::list<Entry>;
  using Index = std::unordered_multimap<std::string_view, Entries::iterator>;

  std::unique_ptr<ServerSession> take(Index& index, std::string_view key);
  void remove(Entries::iterator entry);
  void expire();

  Clock::duration idle_;
  size_t capacity_;
  Entries entries_;  // In the order in which they expire.
  Index by_destination_, by_address_;
  io::Timer timer_;
  CacheCounts counts_;
};

}  // namespace postrider::smtp_client
