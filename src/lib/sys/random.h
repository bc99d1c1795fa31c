// Random numbers that nobody can predict.
#pragma once

#include <cstdint>

namespace postrider::sys {

/// From the kernel's generator, fetched in small batches. Ends the process when there is none: no substitute
/// would do.
uint64_t random_u64();
/// Uniform in [0, bound); bound must not be 0.
uint64_t random_below(uint64_t bound);

/// For std::shuffle and the distributions of <random>.
struct RandomBits {
  using result_type = uint64_t;
  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return UINT64_MAX; }
  uint64_t operator()() { return random_u64(); }
};

}  // namespace postrider::sys
