#include "queue/content.h"

#include <gtest/gtest.h>

#include "memory_source.h"
#include "queue/envelope.h"

namespace postrider::queue {
namespace {

std::string whole(const std::string& bytes) {
  MemorySource source(bytes);
  SizeRecord size = read_envelope(source, 1).value().size;
  ContentReader reader(source, size);
  std::string text;
  while (reader.read_text(text, text.size() + 100, "\n").value())
    continue;
  return text;
}

TEST(Content, LinesOfAMessageEditedByAMilter) {
  EXPECT_EQ(whole(sample("edited")),
            "X-Zero: zero\n"
            "Received: from client.test (localhost [127.0.0.1])\n"
            "\tby mx.site.test (Postfix) with ESMTP id 0FD0317A;\n"
            "\tSat, 21 Nov 2026 08:38:28 +0000 (UTC)\n"
            "X-First: inserted\n"
            "Subject: changed subject\n"
            "X-Multi: one\n"
            "X-Multi: three\n"
            "Message-Id: <20261121083828.0FD0317A@mx.site.test>\n"
            "Date: Sat, 21 Nov 2026 08:38:28 +0000 (UTC)\n"
            "From: joe@sender.test\n"
            "X-Added: last\n"
            "\tfolded\n"
            "X-End: end\n"
            "X-New: by change\n"
            "\n"
            "new body\n"
            "line two\n"
            "line three\n");
}

TEST(Content, LongLinesComeInPieces) {
  MemorySource source(sample("long-line"));
  ContentReader reader(source, read_envelope(source, 1).value().size);
  std::vector<std::pair<size_t, bool>> pieces;
  for (;;) {
    auto piece = reader.next().value();
    if (!piece) break;
    if (piece->text.find_first_not_of("xy") == std::string_view::npos)
      pieces.emplace_back(piece->text.size(), piece->ends_line);
  }
  std::vector<std::pair<size_t, bool>> expected = {{0, true},   {2048, false}, {2048, false},
                                                   {904, true}, {2048, false}, {0, true}};
  EXPECT_EQ(pieces, expected);
}

std::string with_content(const std::string& content) {
  return record(RecordType::message, "") + content;
}

TEST(Content, LastLineWithoutEndIsEnded) {
  MemorySource source(with_content(record(RecordType::text_part, "abc") + record(RecordType::extracted, "")));
  ContentReader reader(source, {.offset = 2});
  std::string text;
  EXPECT_TRUE(reader.read_text(text, 1000, "\r\n").value());
  EXPECT_EQ(text, "abc\r\n");
  EXPECT_FALSE(reader.read_text(text, 1000, "\r\n").value());
  EXPECT_FALSE(reader.next().value());
}

TEST(Content, ReadTextStopsWhenItHasEnough) {
  std::string lines;
  for (int i = 0; i < 100; ++i)
    lines += record(RecordType::text, "0123456789");
  MemorySource source(with_content(lines + record(RecordType::extracted, "")));
  ContentReader reader(source, {.offset = 2});
  std::string text;
  ASSERT_TRUE(reader.read_text(text, 50, "\n").value());
  EXPECT_EQ(text.size(), 55U);
}

TEST(Content, DamageNamesTheOffset) {
  auto damage = [](const std::string& content) {
    MemorySource source(with_content(content));
    ContentReader reader(source, {.offset = 2});
    for (;;) {
      auto piece = reader.next();
      if (!piece) return piece.error().text;
      if (!*piece) return std::string();
    }
  };
  std::string line = record(RecordType::text, "x");
  EXPECT_EQ(damage(line), "at offset 5: the file ends in the content");
  EXPECT_EQ(damage(line + record(RecordType::recipient, "x")), "bad record type: 82 in message content");
  EXPECT_EQ(damage(line + std::string(20, '\0')), "bad record type: 0 in message content");
  EXPECT_EQ(damage(line + "N\x7f"
                          "abc"),
            "at offset 5: unexpected EOF in data, record type 78 length 127");
}

}  // namespace
}  // namespace postrider::queue
