#include "smtpd/data_reader.h"

#include <vector>

#include <gtest/gtest.h>

namespace postrider::smtpd {
namespace {

std::vector<std::string> chunks(std::initializer_list<std::string_view> pieces,
                                BareLf mode = BareLf::normalize, size_t limit = 10) {
  ChunkReader reader(mode, limit);
  std::vector<std::string> out;
  auto take = [&] {
    const ContentRecord& record = reader.record();
    out.push_back((record.type == queue::RecordType::text ? "N:" : "L:") + std::string(record.text));
  };
  for (std::string_view piece : pieces) {
    while (reader.next(piece))
      take();
  }
  if (reader.finish()) take();
  return out;
}

using Records = std::vector<std::string>;

TEST(ChunkReader, LinesGoOnInTheNextChunk) {
  EXPECT_EQ(chunks({"one\r", "\ntw", "o\r\n"}), (Records{"N:one", "N:two"}));
  EXPECT_EQ(chunks({"a\r\n", ".\r\n", "b"}), (Records{"N:a", "N:.", "N:b"}));
  EXPECT_EQ(chunks({""}), Records{});
}

TEST(ChunkReader, LongLinesComeInPieces) {
  EXPECT_EQ(chunks({"012345678\r\n"}), (Records{"N:012345678"}));
  EXPECT_EQ(chunks({"012345678\r", "\n"}), (Records{"N:012345678"}));
  EXPECT_EQ(chunks({"012345678\n", "012345678\r", "a\n"}), (Records{"N:012345678", "L:012345678\r", "N:a"}));
  EXPECT_EQ(chunks({"0123456789abc\r\nx\r\n"}), (Records{"L:0123456789", "N:abc", "N:x"}));
  EXPECT_EQ(chunks({"01234567890123456789012\n"}), (Records{"L:0123456789", "L:0123456789", "N:012"}));
}

TEST(ChunkReader, TheEndOfALineAsLongAsTheLimitIsAPieceOfItsOwn) {
  EXPECT_EQ(chunks({"0123456789\r\n"}), (Records{"L:0123456789", "N:"}));
  EXPECT_EQ(chunks({"0123456789", "\n"}), (Records{"L:0123456789", "N:"}));
  // Also where nothing ends it.
  EXPECT_EQ(chunks({"0123456789"}), (Records{"L:0123456789", "N:"}));
  EXPECT_EQ(chunks({"01234567890123456789\r\nx"}), (Records{"L:0123456789", "L:0123456789", "N:", "N:x"}));
}

TEST(ChunkReader, OneCarriageReturnBelongsToTheLineEnd) {
  EXPECT_EQ(chunks({"a\r\r\n"}), (Records{"N:a\r"}));
  EXPECT_EQ(chunks({"a\r\r\n"}, BareLf::accept), (Records{"N:a"}));
}

DataReader::Step step(DataReader& reader, std::string_view text, io::LineEnd end = io::LineEnd::crlf) {
  return reader.next({text, end});
}

TEST(DataReader, OnlyADotBetweenProperLineEndsIsTheEnd) {
  using enum DataReader::Step;
  using enum io::LineEnd;
  DataReader reader(BareLf::normalize);
  EXPECT_EQ(step(reader, "a", lf), record);
  EXPECT_EQ(step(reader, ".", crlf), ignored);
  EXPECT_EQ(step(reader, ".", lf), ignored);
  EXPECT_EQ(step(reader, ".", crlf), ignored);
  EXPECT_EQ(step(reader, "b", crlf), record);
  EXPECT_EQ(step(reader, ".\r", crlf), record);
  EXPECT_EQ(step(reader, "..", crlf), record);
  EXPECT_EQ(reader.record().text, ".");
  EXPECT_EQ(step(reader, ".", crlf), end);
  EXPECT_TRUE(reader.saw_bare_lf());
}

TEST(DataReader, ADotInTheMiddleOfALongLineIsContent) {
  using enum DataReader::Step;
  DataReader reader(BareLf::normalize);
  EXPECT_EQ(step(reader, "long", io::LineEnd::partial), record);
  EXPECT_EQ(step(reader, ".", io::LineEnd::crlf), record);
  EXPECT_EQ(reader.record().text, ".");
  EXPECT_EQ(step(reader, ".", io::LineEnd::crlf), end);
}

}  // namespace
}  // namespace postrider::smtpd
