#include "ipc/codec.h"

#include <gtest/gtest.h>

namespace postrider::ipc {
namespace {

enum class Colour : uint8_t { red, green };

struct Inner {
  Text<8> name;
  int64_t number = 0;
  void fields(auto& f) { f(name, number); }
};

struct Sample {
  static constexpr uint16_t kType = 99;
  bool flag = false;
  uint16_t small = 0;
  int32_t negative = 0;
  Colour colour = Colour::red;
  List<Inner, 3> items;
  std::optional<Inner> maybe;
  void fields(auto& f) { f(flag, small, negative, colour, items, maybe); }
};

std::string encode(Sample& sample, bool* too_long = nullptr) {
  std::string out;
  Encoder encoder(out);
  sample.fields(encoder);
  if (too_long != nullptr) *too_long = encoder.too_long();
  return out;
}

Sample example() {
  Sample sample;
  sample.flag = true;
  sample.small = 65535;
  sample.negative = -7;
  sample.colour = Colour::green;
  sample.items = std::vector<Inner>{{"one", 1}, {"two", -2}};
  sample.maybe = Inner{"x", 1LL << 40};
  return sample;
}

TEST(Codec, RoundTripsAllKindsOfFields) {
  Sample sample = example();
  Sample copy = decode<Sample>(encode(sample)).value();
  EXPECT_TRUE(copy.flag);
  EXPECT_EQ(copy.small, 65535);
  EXPECT_EQ(copy.negative, -7);
  EXPECT_EQ(copy.colour, Colour::green);
  ASSERT_EQ(copy.items.size(), 2U);
  EXPECT_EQ(copy.items[1].name, "two");
  EXPECT_EQ(copy.items[1].number, -2);
  EXPECT_EQ(copy.maybe->number, 1LL << 40);
}

TEST(Codec, EveryTruncationIsAnError) {
  Sample sample = example();
  std::string bytes = encode(sample);
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(decode<Sample>(std::string_view(bytes).substr(0, length))) << length;
  }
  EXPECT_FALSE(decode<Sample>(bytes + "x"));
}

TEST(Codec, MaximaHoldOnBothSides) {
  Sample sample = example();
  sample.items[0].name = "123456789";
  bool too_long = false;
  std::string bytes = encode(sample, &too_long);
  EXPECT_TRUE(too_long);
  EXPECT_FALSE(decode<Sample>(bytes));

  sample = example();
  sample.items.resize(4);
  encode(sample, &too_long);
  EXPECT_TRUE(too_long);
}

}  // namespace
}  // namespace postrider::ipc
