// Netstrings: "5:hello,".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postrider {

/// A text as a netstring.
std::string netstring(std::string_view text);

/// The length in front of a netstring, as its bytes arrive.
class NetstringLength {
 public:
  /// A length above `max` is not worth reading to its end.
  explicit NetstringLength(uint64_t max) : max_(max) {}

  enum class Step : unsigned char {
    more,       ///< It goes on.
    done,       ///< That was the colon behind it: value() bytes and a comma follow.
    malformed,  ///< Neither a digit nor the colon, or more digits than any number needs.
    too_long,   ///< Above the limit.
  };
  Step take(char c);
  /// As Postfix has it, no digits at all are a length of nothing.
  uint64_t value() const { return value_; }

 private:
  uint64_t max_;
  uint64_t value_ = 0;
  size_t digits_ = 0;
};

}  // namespace postrider
