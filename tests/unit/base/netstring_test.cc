#include "base/netstring.h"

#include <limits>

#include <gtest/gtest.h>

namespace postrider {
namespace {

using Step = NetstringLength::Step;

/// What the last byte of the text leads to; the length where that is `done`.
std::pair<Step, uint64_t> read(std::string_view text, uint64_t max) {
  NetstringLength length(max);
  Step step = Step::more;
  for (char c : text) {
    step = length.take(c);
    if (step != Step::more) break;
  }
  return {step, length.value()};
}

TEST(Netstring, IsWrittenWithItsLength) {
  EXPECT_EQ(netstring("hello"), "5:hello,");
  EXPECT_EQ(netstring(""), "0:,");
}

TEST(NetstringLength, EndsAtTheColon) {
  EXPECT_EQ(read("12:", 12), std::pair(Step::done, uint64_t{12}));
  EXPECT_EQ(read("0012:", 12), std::pair(Step::done, uint64_t{12}));
  EXPECT_EQ(read(":", 12), std::pair(Step::done, uint64_t{0}));
  EXPECT_EQ(read("12", 12).first, Step::more);
}

TEST(NetstringLength, HasALimit) {
  EXPECT_EQ(read("13", 12).first, Step::too_long);
  EXPECT_EQ(read("120", 12).first, Step::too_long);
  EXPECT_EQ(read("5", 0).first, Step::too_long);
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(read("9223372036854775807:", kMost), std::pair(Step::done, kMost));
  EXPECT_EQ(read("9223372036854775808", kMost).first, Step::too_long);
  EXPECT_EQ(read("18446744073709551616", std::numeric_limits<uint64_t>::max()).first, Step::too_long);
  EXPECT_EQ(read(std::string(101, '0'), 12).first, Step::malformed);
}

TEST(NetstringLength, TakesDigitsAlone) {
  EXPECT_EQ(read("x", 12).first, Step::malformed);
  EXPECT_EQ(read("-1:", 12).first, Step::malformed);
  EXPECT_EQ(read(" 1:", 12).first, Step::malformed);
  EXPECT_EQ(read("1,", 12).first, Step::malformed);
}

}  // namespace
}  // namespace postrider
