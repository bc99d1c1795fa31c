// The connection cache service: how well kept connections serve. Types 136 to 139.
#pragma once

#include "ipc/codec.h"

namespace postrider::proto {

/// From a process that keeps connections, about the time since its report before. Not answered.
struct CacheReport {
  static constexpr uint16_t kType = 136;
  uint32_t destination_hits = 0, destination_misses = 0;
  uint32_t address_hits = 0, address_misses = 0;
  /// The most that were kept at a time.
  uint32_t destinations = 0, addresses = 0, connections = 0;
  void fields(auto& f) {
    f(destination_hits, destination_misses, address_hits, address_misses, destinations, addresses,
      connections);
  }
};

}  // namespace postrider::proto
