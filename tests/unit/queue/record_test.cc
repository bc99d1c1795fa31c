#include "queue/record.h"

#include <gtest/gtest.h>

#include "memory_source.h"

namespace postrider::queue {
namespace {

using enum RecordType;

/// The error that reading `bytes` ends with, and the offset it is about.
std::pair<std::string, uint64_t> damage(const std::string& bytes) {
  MemorySource source(bytes);
  RecordReader reader(source);
  for (;;) {
    auto record = reader.next();
    if (!record) return {record.error().text, reader.failed_at()};
    if (!*record) return {"", 0};
  }
}

TEST(Record, LengthIsBase128LeastSignificantFirst) {
  EXPECT_EQ(record(sender, "a@b"), std::string("S\x03"
                                               "a@b"));
  EXPECT_EQ(record(text, std::string(0x7f, 'x')).substr(0, 3), "N\x7fx");
  EXPECT_EQ(record(text, std::string(0x80, 'x')).substr(0, 4), std::string("N\x80\x01x"));
  EXPECT_EQ(record(text, std::string(0x4000, 'x')).substr(0, 5), std::string("N\x80\x80\x01x"));
  EXPECT_EQ(record_length(0x80), 0x83U);
  EXPECT_EQ(record(text, std::string(300, 'x')).size(), record_length(300));
}

TEST(Record, WrittenRecordsAreReadBackWithTheirOffsets) {
  std::string big(100'000, 'b');
  MemorySource source(record(sender, "a") + record(text, big) + record(recipient, "") + record(end, ""));
  RecordReader reader(source);
  auto first = reader.next().value().value();
  EXPECT_EQ(first.type, sender);
  EXPECT_EQ(first.data, "a");
  auto second = reader.next().value().value();
  EXPECT_EQ(second.offset, 3U);
  EXPECT_EQ(second.data, big);
  EXPECT_EQ(reader.next().value().value().data, "");
  EXPECT_TRUE(reader.next().value().value().is(end));
  EXPECT_FALSE(reader.next().value());
  EXPECT_FALSE(reader.next().value());
}

TEST(Record, SmallFileIsReadAtOnce) {
  MemorySource source(sample("single"));
  RecordReader reader(source);
  while (reader.next().value())
    continue;
  EXPECT_EQ(source.reads, 1U);
}

TEST(Record, PointersAreFollowedAndZeroPointersSkipped) {
  std::string bytes = record(sender, "a");
  append_pointer(bytes, 0);
  append_pointer(bytes, bytes.size() + record_length(15) + record_length(6));
  bytes += record(text, "hidden");
  bytes += record(padding, "xx") + record(recipient, "r") + record(end, "") + "rest";
  MemorySource source(bytes);
  RecordReader reader(source);
  std::string types;
  for (;;) {
    auto next = reader.next().value();
    if (!next) break;
    types += static_cast<char>(next->type);
  }
  EXPECT_EQ(types, "SRE");
}

TEST(Record, PointersCanBeReadAsRecords) {
  std::string bytes;
  append_pointer(bytes, 1234);
  MemorySource source(bytes);
  RecordReader reader(source, 0, {.follow_pointers = false});
  EXPECT_EQ(reader.next().value().value().data, "           1234");
}

TEST(Record, DamageNamesReasonAndOffset) {
  std::string good = record(sender, "a");
  EXPECT_EQ(damage(good + "A"),
            std::pair(std::string("unexpected EOF reading length, record type 65"), uint64_t{3}));
  EXPECT_EQ(damage(good + "A\x85").first, "unexpected EOF reading length, record type 65");
  EXPECT_EQ(damage(good + "A\x05"
                          "abc")
                .first,
            "unexpected EOF in data, record type 65 length 5");
  EXPECT_EQ(damage(good + "A\xff\xff\xff\xff\xff\x01").first, "too many length bits, record type 65");
  EXPECT_EQ(damage(good + "A\xff\xff\xff\xff\x0f").first, "illegal length -1, record type 65");
  EXPECT_EQ(damage(good + record(pointer, "abc")).first, "malformed pointer record value: abc");
  EXPECT_EQ(damage(good + record(pointer, "-5")).first, "malformed pointer record value: -5");
  EXPECT_EQ(damage(good + record(pointer, "     5 ")).first, "malformed pointer record value: 5 ");
}

TEST(Record, LengthBeyondTheLimitIsNotRead) {
  MemorySource source(record(text, std::string(101, 'x')));
  RecordReader reader(source, 0, {.max_record = 100});
  EXPECT_EQ(reader.next().error().text, "illegal length 101, record type 78");
  RecordReader roomy(source, 0, {.max_record = 101});
  EXPECT_TRUE(roomy.next());
}

TEST(Record, LyingLengthReadsNoMoreThanTheFileHas) {
  MemorySource source(std::string("A\xff\xff\xff\x07", 5) + std::string(1000, 'x'));
  RecordReader reader(source, 0, {.max_record = INT32_MAX});
  EXPECT_FALSE(reader.next());
  EXPECT_LT(source.reads, 4U);
}

TEST(Record, PointerLoopsEnd) {
  std::string self = record(sender, "a");
  append_pointer(self, self.size());
  EXPECT_EQ(damage(self).first, "too many reverse jump records");
  // Over a large record: bounded by bytes, not by a number of jumps.
  std::string wide = record(text, std::string(500'000, 'x'));
  append_pointer(wide, 0);
  size_t jump = wide.size();
  append_pointer(wide, 1);
  wide.replace(jump + 2, 15, "              0");
  EXPECT_EQ(damage(wide).first, "");
  std::string back = record(text, std::string(500'000, 'x')) + record(pointer, "              0");
  std::string loop = record(sender, "a") + back;
  append_pointer(loop, 3);
  MemorySource source(loop);
  RecordReader reader(source);
  while (reader.next())
    continue;
  EXPECT_LT(source.reads, 40U);
}

TEST(Record, SizeRecordHasFixedColumns) {
  SizeRecord size{
      .size = 345, .offset = 683, .recipients = 1, .flags = 0, .content_length = 345, .send_options = 7};
  EXPECT_EQ(
      size.text(),
      "            345             683               1               0             345               7");
  auto parsed = SizeRecord::parse(size.text()).value();
  EXPECT_EQ(parsed.offset, 683);
  EXPECT_EQ(parsed.send_options, 7);
  EXPECT_EQ(SizeRecord::parse("            345             683               1").value().recipients, 1);
  EXPECT_FALSE(SizeRecord::parse("  "));
  EXPECT_FALSE(SizeRecord::parse("12 -1"));
  EXPECT_FALSE(SizeRecord::parse("12 x"));
}

TEST(Record, NamesAreThoseOfPostcat) {
  EXPECT_EQ(record_name(attribute), "named_attribute");
  EXPECT_EQ(record_name(filter), "content_filter");
  EXPECT_EQ(record_name(static_cast<RecordType>('Z')), "unknown_record_type");
  EXPECT_TRUE(is_envelope_type(size));
  EXPECT_FALSE(is_envelope_type(text));
  EXPECT_FALSE(is_envelope_type(static_cast<RecordType>('g')));
}

TEST(Record, AttributesLoseTheSpaceAroundThem) {
  auto parsed = parse_attribute("  a   =  b c ").value();
  EXPECT_EQ(parsed.name, "a");
  EXPECT_EQ(parsed.value, "b c");
  EXPECT_EQ(parse_attribute("a=").value().value, "");
  EXPECT_EQ(parse_attribute("noequal").error().text, "missing '=' after attribute name");
  EXPECT_EQ(parse_attribute("a b=c").error().text, "missing '=' after attribute name");
  EXPECT_EQ(parse_attribute("=x").error().text, "missing attribute name");
  EXPECT_EQ(parse_attribute("").error().text, "missing attribute name");
}

}  // namespace
}  // namespace postrider::queue
