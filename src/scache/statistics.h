// How well the connections that delivery agents keep serve them, all processes together.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <unordered_map>
#include <vector>

#include "proto/scache.h"

namespace postrider::scache {

class Statistics {
 public:
  explicit Statistics(time_t now) : start_(now) {}

  /// `process` tells reporting processes apart.
  void add(uint64_t process, const proto::CacheReport& report);
  /// Log lines about the interval up to `now`, which ends; none when nobody used the cache.
  std::vector<std::string> take_lines(time_t now);

 private:
  struct Peak {
    uint32_t destinations = 0, addresses = 0, connections = 0;
  };

  time_t start_;
  uint64_t destination_hits_ = 0, destination_misses_ = 0, address_hits_ = 0, address_misses_ = 0;
  std::unordered_map<uint64_t, Peak> peaks_;  // Of each process.
};

}  // namespace postrider::scache
