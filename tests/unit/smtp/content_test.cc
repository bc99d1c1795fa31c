#include "smtp/content.h"

#include <gtest/gtest.h>

namespace postrider::smtp {
namespace {

std::string encode(size_t limit, std::initializer_list<std::string> lines) {
  ContentEncoder encoder(limit);
  std::string out;
  for (const std::string& line : lines)
    encoder.add(line, true, out);
  return out;
}

TEST(ContentEncoder, DoublesDotsAtLineStarts) {
  EXPECT_EQ(encode(998, {".", "..", ".x", "a.b", ""}), "..\r\n...\r\n..x\r\na.b\r\n\r\n");
}

TEST(ContentEncoder, BreaksLongLines) {
  EXPECT_EQ(encode(10, {"1234567890"}), "1234567890\r\n");
  EXPECT_EQ(encode(10, {"12345678901"}), "1234567890\r\n 1\r\n");
  EXPECT_EQ(encode(10, {"1234567890123456789"}), "1234567890\r\n 123456789\r\n");
  EXPECT_EQ(encode(10, {"12345678901234567890"}), "1234567890\r\n 123456789\r\n 0\r\n");
}

TEST(ContentEncoder, ADoubledDotDoesNotCount) {
  EXPECT_EQ(encode(5, {"....."}), "......\r\n");
  EXPECT_EQ(encode(5, {"......"}), "......\r\n .\r\n");
}

TEST(ContentEncoder, PiecesOfALineBelongTogether) {
  ContentEncoder encoder(10);
  std::string out;
  encoder.add("12345", false, out);
  encoder.add(".6789", false, out);
  encoder.add("x", true, out);
  EXPECT_EQ(out, "12345.6789\r\n x\r\n");
  EXPECT_TRUE(encoder.broke_lines());
}

TEST(ContentEncoder, WithoutALimitNothingIsBroken) {
  std::string line(5000, 'x');
  EXPECT_EQ(encode(0, {line, "." + line}), line + "\r\n.." + line + "\r\n");
}

TEST(ContentEncoder, EndsAnUnfinishedLine) {
  ContentEncoder encoder(10);
  std::string out;
  encoder.add("abc", false, out);
  encoder.finish(out);
  EXPECT_EQ(out, "abc\r\n");
  encoder.finish(out);
  EXPECT_EQ(out, "abc\r\n");
}

TEST(ContentEncoder, AnAbsurdLimitDoesNotHang) {
  EXPECT_EQ(encode(1, {"abc"}), "a\r\n b\r\n c\r\n");
}

}  // namespace
}  // namespace postrider::smtp
