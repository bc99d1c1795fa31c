#include "qmqpd/packet.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "qmqpd/content.h"
#include "qmqpd/verp.h"

namespace postrider::qmqpd {
namespace {

using Event = PacketReader::Event;
using Words = std::vector<std::string>;

/// What a packet that comes in pieces of `size` bytes consists of: "c:" content, "s:" sender, "r:" recipient,
/// and how it ends.
Words read(std::string_view packet, size_t size, PacketReader::Limits limits = {100, 20}) {
  PacketReader reader(limits);
  Words out;
  std::string content;
  for (; !packet.empty(); packet.remove_prefix(std::min(size, packet.size()))) {
    std::string_view piece = packet.substr(0, size);
    for (;;) {
      Event event = reader.next(piece);
      if (event == Event::more) break;
      std::string text(reader.text());
      if (event == Event::content) {
        content += text;
        continue;
      }
      if (event == Event::sender) out.push_back("c:" + content);
      if (event == Event::sender || event == Event::recipient) {
        out.push_back((event == Event::sender ? "s:" : "r:") + text);
        continue;
      }
      out.push_back(event == Event::end         ? "end"
                    : event == Event::malformed ? "malformed " + std::string(describe(reader.part()))
                                                : "too long " + std::string(describe(reader.part())));
      return out;
    }
  }
  out.push_back("more " + std::string(describe(reader.part())));
  return out;
}

std::string packet(std::string_view message, std::string_view sender,
                   const std::vector<std::string>& recipients) {
  std::string all = netstring(message) + netstring(sender);
  for (const std::string& recipient : recipients)
    all += netstring(recipient);
  return netstring(all);
}

TEST(Packet, ComesInPiecesOfAnySize) {
  std::string whole = packet("Subject: x\n\nHello\n", "a@b.example", {"x@y.example", "", "z@y.example"});
  Words expected{"c:Subject: x\n\nHello\n", "s:a@b.example", "r:x@y.example", "r:", "r:z@y.example", "end"};
  for (size_t size : {size_t{1}, size_t{2}, size_t{7}, whole.size()})
    EXPECT_EQ(read(whole, size), expected) << size;
}

TEST(Packet, MayBeEmptyButForItsParts) {
  EXPECT_EQ(read(packet("", "", {}), 1), (Words{"c:", "s:", "end"}));
}

TEST(Packet, TheLengthOfTheWholeIsNotMadeUseOf) {
  EXPECT_EQ(read("3:0:,0:,1:x,,", 1), (Words{"c:", "s:", "r:x", "end"}));
  EXPECT_EQ(read("999:0:,0:,1:x,,", 1), (Words{"c:", "s:", "r:x", "end"}));
}

TEST(Packet, SaysWhereItIsMalformed) {
  EXPECT_EQ(read("x", 1), (Words{"malformed QMQP packet header"}));
  EXPECT_EQ(read("9:x", 1), (Words{"malformed message content"}));
  EXPECT_EQ(read("9:1:x;", 1), (Words{"malformed message content"}));
  EXPECT_EQ(read("9:1:x,y", 1), (Words{"malformed sender address"}));
  EXPECT_EQ(read("9:1:x,1:a,y", 1), (Words{"c:x", "s:a", "malformed recipient address"}));
  EXPECT_EQ(read("9:1:x,1:a,1:y;", 1), (Words{"c:x", "s:a", "malformed recipient address"}));
}

TEST(Packet, SaysWhatIsTooLong) {
  EXPECT_EQ(read("99999999999999999999:", 1), (Words{"too long QMQP packet header"}));
  EXPECT_EQ(read("9:100:", 1), (Words{"more message content"}));
  EXPECT_EQ(read("9:101:", 1), (Words{"too long message content"}));
  EXPECT_EQ(read("9:0:,20:", 1), (Words{"more sender address"}));
  EXPECT_EQ(read("9:0:,21:", 1), (Words{"too long sender address"}));
  EXPECT_EQ(read("9:0:,0:,21:", 1), (Words{"c:", "s:", "too long recipient address"}));
}

TEST(Packet, AnAddressHasNoNullByte) {
  EXPECT_EQ(read(packet("", std::string("a\0b", 3), {}), 100), (Words{"malformed sender address"}));
  EXPECT_EQ(read(packet(std::string("a\0b", 3), "", {}), 100),
            (Words{"c:" + std::string("a\0b", 3), "s:", "end"}));
}

TEST(VerpSender, IsTakenApart) {
  auto verp = parse_verp_sender("owner-@lists.example-@[]");
  ASSERT_TRUE(verp);
  EXPECT_EQ(verp->sender, "owner@lists.example");
  EXPECT_EQ(verp->delimiters, "-=");
  verp = parse_verp_sender("owner+@lists.example-@[]");
  ASSERT_TRUE(verp);
  EXPECT_EQ(verp->delimiters, "+=");
  verp = parse_verp_sender("a-@b-@c-@[]");
  ASSERT_TRUE(verp);
  EXPECT_EQ(verp->sender, "a@b-@c");
}

TEST(VerpSender, OtherFormsAreAddresses) {
  for (std::string_view form :
       {"", "a@b", "-@[]", "nodomain-@[]", "-@host-@[]", "@host-@[]", "x-@-@[]", "@-@[]",
        "owner-@lists.example+@[]", "owner-@lists.example@[]", "owner-@lists.example-@[] "})
    EXPECT_FALSE(parse_verp_sender(form)) << form;
}

Words lines(std::initializer_list<std::string_view> pieces, size_t limit = 10) {
  Words out;
  LineSplitter splitter(limit, [&](const queue::ContentRecord& record) {
    out.push_back((record.type == queue::RecordType::text ? "N:" : "L:") + std::string(record.text));
  });
  for (std::string_view piece : pieces)
    splitter.add(piece);
  splitter.finish();
  return out;
}

TEST(LineSplitter, OnlyALineFeedEndsALine) {
  EXPECT_EQ(lines({"a\nb", "c\n\n"}), (Words{"N:a", "N:bc", "N:"}));
  EXPECT_EQ(lines({"a\r\nb"}), (Words{"N:a\r", "L:b", "N:"}));
  EXPECT_EQ(lines({}), Words{});
}

TEST(LineSplitter, LongLinesComeInPieces) {
  EXPECT_EQ(lines({"0123456789\n"}), (Words{"N:0123456789"}));
  EXPECT_EQ(lines({"0123456789", "\n"}), (Words{"N:0123456789"}));
  EXPECT_EQ(lines({"0123456789a\n"}), (Words{"L:0123456789", "N:a"}));
  EXPECT_EQ(lines({"01234567890123456789", "01"}), (Words{"L:0123456789", "L:0123456789", "L:01", "N:"}));
}

}  // namespace
}  // namespace postrider::qmqpd
