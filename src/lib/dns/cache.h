// Answers that name servers allow to remember; inside this folder only.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/deadline.h"
#include "base/text.h"
#include "dns/message.h"

namespace postrider::dns {

/// Bounded by memory; what was not asked for longest goes first.
class Cache {
 public:
  struct Hit {
    std::shared_ptr<const Reply> reply;
    uint32_t age = 0;  ///< Seconds since it was stored.
  };

  explicit Cache(size_t max_bytes) : max_bytes_(max_bytes) {}
  /// Nothing, or an answer that has not expired.
  Hit find(std::string_view key);
  void store(std::string key, std::shared_ptr<const Reply> reply, seconds lifetime);
  void clear();
  size_t size() const { return index_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const Reply> reply;
    Clock::time_point stored, expires;
    size_t bytes;
  };
  using Entries = std::list<Entry>;
  void drop(Entries::iterator entry);

  size_t max_bytes_;
  size_t bytes_ = 0;
  Entries entries_;                                                // The most recently used first.
  std::unordered_map<std::string_view, Entries::iterator> index_;  // Keys point into the entries.
};

}  // namespace postrider::dns
