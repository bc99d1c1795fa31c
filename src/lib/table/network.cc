#include "table/network.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/text.h"
#include "sys/socket.h"

namespace postrider::table {

namespace {

/// The byte with the first `bits` bits set; `bits` may be out of 0..8.
uint8_t mask_byte(int bits) {
  if (bits >= 8) return 0xff;
  return bits <= 0 ? uint8_t{0} : static_cast<uint8_t>(0xff00U >> bits);
}

}  // namespace

Result<Network> Network::parse(std::string_view pattern) {
  std::string_view address = pattern, mask_part = pattern;
  if (pattern.starts_with('[')) {
    size_t close = pattern.find(']');
    if (close == std::string_view::npos) {
      return fail(ErrorKind::invalid, fmt::format("missing ']' character after \"{}\"", pattern));
    }
    address = pattern.substr(1, close - 1);
    mask_part = pattern.substr(close + 1);
    if (mask_part.empty()) {
      mask_part = address;
    } else if (!mask_part.starts_with('/')) {
      return fail(ErrorKind::invalid, fmt::format("garbage after \"[{}]\"", address));
    }
  }
  size_t slash = mask_part.find('/');
  bool masked = slash != std::string_view::npos;
  std::string_view mask = masked ? mask_part.substr(slash + 1) : std::string_view();
  if (masked) address = address.substr(0, address.find('/'));
  int width = address.find(':') != std::string_view::npos ? 128 : 32;

  Network out;
  out.size_ = static_cast<uint8_t>(width / 8);
  out.bits_ = static_cast<uint8_t>(width);
  if (masked) {
    if (!is_all_digits(mask)) {
      return fail(ErrorKind::invalid, fmt::format("bad mask value in \"{}/{}\"", address, mask));
    }
    auto bits = parse_unsigned(mask);
    if (!bits || *bits > static_cast<unsigned>(width)) {
      return fail(ErrorKind::invalid, fmt::format("bad mask length in \"{}/{}\"", address, mask));
    }
    out.bits_ = static_cast<uint8_t>(*bits);
  }
  auto parsed = sys::Address::from_ip(address);
  if (!parsed) {
    return fail(ErrorKind::invalid, masked ? fmt::format("bad network value in \"{}/{}\"", address, mask)
                                           : fmt::format("bad address pattern: \"{}\"", address));
  }
  std::memcpy(out.bytes_.data(), parsed->bytes().data(), out.size_);
  bool host_bits = false;
  for (int i = 0; i < out.size_; ++i) {
    uint8_t kept = out.bytes_[i] & mask_byte(out.bits_ - 8 * i);
    host_bits |= kept != out.bytes_[i];
    out.bytes_[i] = kept;
  }
  if (host_bits) {
    auto network = sys::Address::from_bytes({out.bytes_.data(), out.size_});
    return fail(
        ErrorKind::invalid,
        fmt::format("non-null host address bits in \"{}/{}\", perhaps you should use \"{}/{}\" instead",
                    address, mask, network.ip(), out.bits_));
  }
  return out;
}

Network::Words Network::words_of(std::span<const uint8_t> address) {
  Words out{};
  for (size_t i = 0; i < address.size() && i < 16; ++i)
    out[i / 8] |= uint64_t{address[i]} << (56 - 8 * (i % 8));
  return out;
}

Network::Words Network::mask() const {
  std::array<uint8_t, 16> bytes{};
  for (int i = 0; i < size_; ++i)
    bytes[i] = mask_byte(bits_ - 8 * i);
  return words_of(bytes);
}

bool Network::contains(std::span<const uint8_t> address) const {
  if (address.size() != size_) return false;
  int whole = bits_ / 8;
  if (std::memcmp(bytes_.data(), address.data(), whole) != 0) return false;
  return bits_ % 8 == 0 || (address[whole] & mask_byte(bits_ % 8)) == bytes_[whole];
}

}  // namespace postrider::table
