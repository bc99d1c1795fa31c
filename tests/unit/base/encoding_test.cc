#include "base/encoding.h"

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(Xtext, RoundTripsEveryByte) {
  std::string all;
  for (int c = 0; c < 256; ++c)
    all += static_cast<char>(c);
  std::string encoded = xtext_encode(all);
  EXPECT_EQ(encoded.find('\n'), std::string::npos);
  EXPECT_EQ(xtext_decode(encoded), all);
}

TEST(Xtext, RejectsBadHex) {
  EXPECT_FALSE(xtext_decode("a+4").has_value());
  EXPECT_FALSE(xtext_decode("a+ZZ").has_value());
  EXPECT_EQ(xtext_decode("a+2b"), "a+");
}

TEST(Base64, FollowsRfc4648Vectors) {
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  for (std::string text : {"", "f", "fo", "foo", "foob"})
    EXPECT_EQ(base64_decode(base64_encode(text)), text);
}

TEST(Base64, RejectsWhatIsNotBase64) {
  EXPECT_FALSE(base64_decode("Zg=").has_value());
  EXPECT_FALSE(base64_decode("Z===").has_value());
  EXPECT_FALSE(base64_decode("Zg!=").has_value());
  EXPECT_FALSE(base64_decode("Zg==Zg==").has_value());
}

TEST(Json, StringsAreQuoted) {
  EXPECT_EQ(json_quoted("a"), "\"a\"");
  EXPECT_EQ(json_quoted("q\" b\\ \t\n\x01\x7f \u00e9"), "\"q\\\" b\\\\ \\t\\n\\u0001\\u007F \u00e9\"");
}

}  // namespace
}  // namespace postrider
