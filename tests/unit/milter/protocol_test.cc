#include "milter/protocol.h"

#include <gtest/gtest.h>

#include "milter/macros.h"
#include "milter/negotiation.h"
#include "milter/reply_text.h"

namespace postrider::milter {
namespace {

using std::string_literals::operator""s;

TEST(Protocol, WritesPackets) {
  std::string out;
  append_packet(out, 'A', "");
  append_packet(out, 'H', "host\0"s);
  EXPECT_EQ(out, "\0\0\0\1A\0\0\0\6Hhost\0"s);
}

TEST(Protocol, RefusesLengthsThatCannotBe) {
  EXPECT_EQ(*packet_length("\0\0\1\0"s), 256U);
  EXPECT_EQ(*packet_length("\0\x08\0\0"s), kMaxPacket);
  EXPECT_EQ(packet_length("\0\0\0\0"s).error().text, "bad packet length: 0");
  EXPECT_EQ(packet_length("\0\x08\0\1"s).error().text, "unreasonable packet length: 524289 > 524288");
  EXPECT_EQ(packet_length("\x7f\xff\xff\xff").error().text,
            "unreasonable packet length: 2147483647 > 1073741823");
}

TEST(Protocol, TextsNeedTheirEnd) {
  const std::string bytes = "\0\0\0\7name\0value"s;
  DataReader data(bytes);
  EXPECT_EQ(*data.u32(), 7U);
  EXPECT_EQ(*data.text(), "name");
  EXPECT_FALSE(data.text());
  EXPECT_FALSE(DataReader("").text());
  EXPECT_FALSE(DataReader("abc").u32());
}

TEST(Protocol, TellsOfClients) {
  EXPECT_EQ(connect_data({.host = "a.test", .address = "192.0.2.1", .port = 258}),
            "a.test\0"
            "4\1\2"
            "192.0.2.1\0"s);
  EXPECT_EQ(connect_data({.host = "[2001:db8::1]", .address = "2001:db8::1", .port = 1, .ipv6 = true}),
            "[2001:db8::1]\0"
            "6\0\1"
            "2001:db8::1\0"s);
  EXPECT_EQ(connect_data({.host = "unknown"}), "unknown\0U"s);
}

TEST(Protocol, TakesOneSpaceOffHeaderValues) {
  EXPECT_EQ(header_data("Subject:  two", false), "Subject\0 two\0"s);
  EXPECT_EQ(header_data("Subject:  two", true), "Subject\0  two\0"s);
  EXPECT_EQ(header_data("X:\n a", false), "X\0\n a\0"s);
  EXPECT_EQ(header_data("no header", false), "no header\0\0"s);
}

TEST(Protocol, KnowsWhatFiltersSay) {
  EXPECT_EQ(response_name('c'), "SMFIR_CONTINUE");
  EXPECT_EQ(response_name('Z'), "(unknown filter reply)");
}

TEST(Negotiation, OffersWhatTheVersionHas) {
  EXPECT_EQ(offer_packet({.version = 2}), "\0\0\0\x0dO\0\0\0\2\0\0\1\xff\0\0\0\x7f"s);
  EXPECT_EQ(offer_packet({.version = 2, .no_header_reply = true}),
            "\0\0\0\x0dO\0\0\0\2\0\0\1\xff\0\0\0\xff"s);
  EXPECT_EQ(offer_packet({.version = 3}), "\0\0\0\x0dO\0\0\0\3\0\0\1\xff\0\0\1\x7f"s);
  EXPECT_EQ(offer_packet({.version = 4}), "\0\0\0\x0dO\0\0\0\4\0\0\1\xff\0\0\3\x7f"s);
  EXPECT_EQ(offer_packet({.version = 6}), "\0\0\0\x0dO\0\0\0\6\0\0\1\xff\0\x1f\xff\xff"s);
}

Packet answer(uint32_t version, uint32_t actions, uint32_t steps, std::string rest = {}) {
  Packet out{'O', {}};
  append_u32(out.data, version);
  append_u32(out.data, actions);
  append_u32(out.data, steps);
  out.data += rest;
  return out;
}

TEST(Negotiation, StepsThatWereNotOfferedDoNotCount) {
  EXPECT_EQ(read_agreement(answer(2, 0, ~0U), {.version = 2})->steps, 0x7fU);
  EXPECT_EQ(read_agreement(answer(6, 0, ~0U), {.version = 6})->steps, 0x1fffffU);
}

TEST(Negotiation, RefusesWhatDoesNotFit) {
  EXPECT_EQ(read_agreement(answer(6, 0, 0), {.version = 2}).error().text,
            "protocol version 6 conflict with MTA protocol version 2");
  EXPECT_EQ(read_agreement(answer(6, 0x3ff, 0), {}).error().text,
            "request mask 0x3ff conflict with MTA request mask 0x1ff");
  EXPECT_EQ(read_agreement({'c', ""}, {}).error().text, "unexpected reply \"c\" in initial handshake");
  EXPECT_EQ(read_agreement({'O', "abc"}, {}).error().text,
            "input packet too short for network long\nread error in initial handshake");
  auto old = read_agreement(answer(1, 0, 0), {});
  EXPECT_EQ(old->version, 2U);
  EXPECT_EQ(old->remarks, std::vector<std::string>{"unexpected protocol version 1"});
}

TEST(Negotiation, FiltersMayWantOtherMacros) {
  auto agreement = read_agreement(answer(6, 0, 0, "\0\0\0\2i, {mail_addr}\0\0\0\0\1\0\0\0\0\x9j\0"s), {});
  auto mail = agreement->macros[static_cast<size_t>(Stage::mail)];
  EXPECT_EQ(mail, (std::vector<std::string>{"i", "{mail_addr}"}));
  EXPECT_FALSE(agreement->macros[static_cast<size_t>(Stage::helo)]);
  EXPECT_EQ(agreement->remarks, std::vector<std::string>{"ignoring unknown macro type 9"});
  EXPECT_FALSE(read_agreement(answer(6, 0, 0, "\0\0\0\2no end"s), {}));
  // Older versions know no lists.
  EXPECT_TRUE(read_agreement(answer(4, 0, 0, "no list"), {}));
}

TEST(Macros, HaveValuesOrDefaults) {
  auto values = [](std::string_view name) { return std::string(name == "i" ? "QUEUEID" : ""); };
  MacroDefaults defaults{{"client_addr", "none"}, {"i", "unused"}};
  EXPECT_EQ(macros_data(Event::data, {"i", "{client_addr}", "{other}"}, values, defaults),
            "Ti\0QUEUEID\0{client_addr}\0none\0"s);
  EXPECT_EQ(stage_of(Event::header), Stage::end_of_header);
  EXPECT_EQ(stage_of(Event::body), Stage::end_of_data);
}

TEST(ReplyText, IsARefusal) {
  EXPECT_EQ(*parse_reply("550 5.7.1 100%% sure"), "550 5.7.1 100% sure");
  EXPECT_EQ(*parse_reply("550 no code"), "550 no code");
  EXPECT_EQ(*parse_reply("421"), "421");
  for (const char* bad : {"250 2.0.0 fine", "nonsense", "55", "550x", "550 4.7.1 mixed", "5x0 a", ""})
    EXPECT_FALSE(parse_reply(bad)) << bad;
}

TEST(ReplyText, LinesButTheLastGoOn) {
  EXPECT_EQ(reply_lines("550 5.7.1 one\r\n550 5.7.1 two"),
            (std::vector<std::string>{"550-5.7.1 one", "550 5.7.1 two"}));
  EXPECT_EQ(reply_lines("550 a\r\n"), std::vector<std::string>{"550 a"});
  EXPECT_EQ(reply_lines("550 bell\a"), std::vector<std::string>{"550 bell?"});
}

}  // namespace
}  // namespace postrider::milter
