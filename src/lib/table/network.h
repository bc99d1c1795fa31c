// IP networks as patterns: "192.0.2.0/24", "[2001:db8::]/32", "192.0.2.1".
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"

namespace postrider::table {

class Network {
 public:
  /// An address with or without "/bits", the address or the whole in brackets or not. Bits of the address
  /// behind the mask must be zero.
  static Result<Network> parse(std::string_view pattern);

  /// An address for comparisons: its bytes as two numbers, zeros behind those of IPv4.
  using Words = std::array<uint64_t, 2>;
  static Words words_of(std::span<const uint8_t> address);
  /// What is left of an address in this network when all else is masked out; and what masks it out.
  Words words() const { return words_of({bytes_.data(), size_}); }
  Words mask() const;
  uint8_t size() const { return size_; }

  /// Whether `address` is of the same family; in network order, 4 or 16 bytes.
  bool is_comparable(std::span<const uint8_t> address) const { return address.size() == size_; }
  bool contains(std::span<const uint8_t> address) const;

 private:
  std::array<uint8_t, 16> bytes_{};
  uint8_t size_ = 0;  // 4 or 16.
  uint8_t bits_ = 0;
};

}  // namespace postrider::table
