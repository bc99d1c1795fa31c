#include "base/sha1.h"

#include <array>
#include <bit>
#include <cstdint>

namespace postrider {

namespace {

constexpr size_t kBlock = 64;
using State = std::array<uint32_t, 5>;

uint32_t word_at(std::string_view block, size_t index) {
  uint32_t out = 0;
  for (size_t i = 0; i < 4; ++i)
    out = out << 8 | static_cast<uint8_t>(block[4 * index + i]);
  return out;
}

void add_block(State& state, std::string_view block) {
  std::array<uint32_t, 80> w{};
  for (size_t t = 0; t < 16; ++t)
    w[t] = word_at(block, t);
  for (size_t t = 16; t < w.size(); ++t)
    w[t] = std::rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
  auto [a, b, c, d, e] = state;
  for (size_t t = 0; t < w.size(); ++t) {
    uint32_t f = 0, k = 0;
    if (t < 20) {
      f = (b & c) | (~b & d);
      k = 0x5a827999;
    } else if (t < 40) {
      f = b ^ c ^ d;
      k = 0x6ed9eba1;
    } else if (t < 60) {
      f = (b & c) | (b & d) | (c & d);
      k = 0x8f1bbcdc;
    } else {
      f = b ^ c ^ d;
      k = 0xca62c1d6;
    }
    uint32_t next = std::rotl(a, 5) + f + e + k + w[t];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e};
}

}  // namespace

std::string sha1(std::string_view data) {
  State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  uint64_t bits = uint64_t{data.size()} * 8;
  for (; data.size() >= kBlock; data.remove_prefix(kBlock))
    add_block(state, data.substr(0, kBlock));
  // One bit, zeros, and the length.
  std::string rest(data);
  rest += '\x80';
  while (rest.size() % kBlock != kBlock - 8)
    rest += '\0';
  for (int shift = 56; shift >= 0; shift -= 8)
    rest += static_cast<char>(bits >> shift);
  for (std::string_view tail = rest; !tail.empty(); tail.remove_prefix(kBlock))
    add_block(state, tail.substr(0, kBlock));
  std::string out;
  for (uint32_t word : state) {
    for (int shift = 24; shift >= 0; shift -= 8)
      out += static_cast<char>(word >> shift);
  }
  return out;
}

}  // namespace postrider
