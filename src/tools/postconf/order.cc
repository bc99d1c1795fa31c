#include "tools/postconf/order.h"

#include <cstdint>
#include <list>
#include <string_view>

namespace postrider::postconf {
namespace {

/// FNV-1a, with one added to every byte.
uint64_t hash(std::string_view text) {
  constexpr uint64_t kBasis = 0xcbf29ce484222325, kPrime = 0x100000001b3;
  uint64_t value = kBasis;
  for (char c : text)
    value = (value ^ (1u + static_cast<unsigned char>(c))) * kPrime;
  return value;
}

using Buckets = std::vector<std::list<const std::string*>>;

void add(Buckets& buckets, const std::string* name) {
  buckets[hash(*name) % buckets.size()].push_front(name);
}

}  // namespace

std::vector<std::string> visiting_order(const std::vector<std::string>& names) {
  constexpr size_t kSmallest = 13;
  Buckets buckets(kSmallest);
  size_t used = 0;
  for (const std::string& name : names) {
    if (used == buckets.size()) {
      // As many buckets as names; the chains turn around when they move.
      Buckets larger(2 * buckets.size() + 1);
      for (const auto& chain : buckets)
        for (const std::string* old : chain)
          add(larger, old);
      buckets = std::move(larger);
    }
    add(buckets, &name);
    ++used;
  }
  std::vector<std::string> out;
  for (const auto& chain : buckets)
    for (const std::string* name : chain)
      out.push_back(*name);
  return out;
}

}  // namespace postrider::postconf
