#include "sys/random.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace postrider::sys {

uint64_t random_u64() {
  // 256 bytes is the most that getentropy() gives at once. A child process must not repeat its parent's
  // numbers.
  thread_local std::array<uint64_t, 32> batch;
  thread_local size_t left = 0;
  thread_local pid_t owner = 0;
  if (left == 0 || owner != getpid()) {
    if (getentropy(batch.data(), sizeof batch) != 0) {
      perror("getentropy");
      abort();
    }
    left = batch.size();
    owner = getpid();
  }
  return batch[--left];
}

uint64_t random_below(uint64_t bound) {
  // Numbers above the last whole multiple of `bound` would favour the small results.
  uint64_t limit = std::numeric_limits<uint64_t>::max() / bound * bound;
  uint64_t number;
  do {
    number = random_u64();
  } while (number >= limit);
  return number % bound;
}

}  // namespace postrider::sys
