#include "dns/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns_server.h"

namespace postrider::dns {
namespace {

using test::address_data;
using test::mx_data;
using test::srv_data;
using test::u16;
using test::u32;
using test::wire_name;
using test::wire_record;
using testing::ElementsAre;
using testing::IsEmpty;

std::string message(std::string_view name, Type type, const std::vector<std::string>& answers,
                    unsigned flags = 0x8180, const std::vector<std::string>& authority = {}) {
  std::string out = u16(1) + u16(flags) + u16(1) + u16(static_cast<unsigned>(answers.size())) +
                    u16(static_cast<unsigned>(authority.size())) + u16(0) + wire_name(name) +
                    u16(static_cast<unsigned>(type)) + u16(1);
  for (const std::string& answer : answers)
    out += answer;
  for (const std::string& record : authority)
    out += record;
  return out;
}

TEST(BuildQuery, AsksOneRecursiveQuestion) {
  EXPECT_EQ(build_query(0x1234, "a.bc", Type::mx, false).value(),
            std::string("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01"
                        "a\x02"
                        "bc\x00\x00\x0f\x00\x01",
                        22));
}

TEST(BuildQuery, WithDnssecHasTheDoBit) {
  std::string query = build_query(1, ".", Type::ns, true).value();
  EXPECT_EQ(query.substr(2, 2), u16(0x0120));
  EXPECT_EQ(query.substr(10, 2), u16(1));
  EXPECT_EQ(query.substr(17), std::string(1, '\0') + u16(41) + u16(kEdnsSize) + u32(0x8000) + u16(0));
}

TEST(BuildQuery, NamesThatDoNotFitAreRefused) {
  EXPECT_FALSE(build_query(1, "a..b", Type::a, false));
  EXPECT_FALSE(build_query(1, std::string(64, 'a') + ".test", Type::a, false));
  std::string label(63, 'a');
  EXPECT_FALSE(build_query(1, label + "." + label + "." + label + "." + label, Type::a, false));
}

TEST(ParseReply, RecordsOfEveryType) {
  auto value = [](Type type, std::string data) {
    Reply reply = parse_reply(message("x.test", type, {wire_record("x.test", type, 300, data)}), type);
    EXPECT_EQ(reply.outcome, Outcome::found);
    EXPECT_EQ(reply.ttl, 300u);
    return reply.records.empty() ? "?" : reply.records[0].text();
  };
  EXPECT_EQ(value(Type::a, address_data("192.0.2.1")), "x.test. 300 IN A 192.0.2.1");
  EXPECT_EQ(value(Type::aaaa, address_data("2001:db8::1")), "x.test. 300 IN AAAA 2001:db8::1");
  EXPECT_EQ(value(Type::mx, mx_data(10, "m.test")), "x.test. 300 IN MX 10 m.test.");
  EXPECT_EQ(value(Type::ptr, wire_name("h.test")), "x.test. 300 IN PTR h.test.");
  EXPECT_EQ(value(Type::ns, wire_name("n.test")), "x.test. 300 IN NS n.test.");
  EXPECT_EQ(value(Type::cname, wire_name("c.test")), "x.test. 300 IN CNAME c.test.");
  EXPECT_EQ(value(Type::srv, srv_data(1, 2, 25, "s.test")), "x.test. 300 IN SRV 1 2 25 s.test.");
  EXPECT_EQ(value(Type::tlsa, std::string("\3\1\1\xab\xcd", 5)), "x.test. 300 IN TLSA 3 1 1 ABCD");
  EXPECT_EQ(value(Type::txt, "\3one\4 two"), "x.test. 300 IN TXT one two");
}

TEST(ParseReply, TextHasNoControlCharacters) {
  Reply reply =
      parse_reply(message("x", Type::txt, {wire_record("x", Type::txt, 1, "\5a\n\x80z\t")}), Type::txt);
  EXPECT_EQ(reply.records.at(0).data, "a  z ");
}

TEST(ParseReply, CompressedNames) {
  std::string answer = u16(0xc00c) + u16(15) + u16(1) + u32(60) + u16(6) + u16(5) + "\1m" + u16(0xc00c);
  Reply reply = parse_reply(message("dest.test", Type::mx, {answer}), Type::mx);
  ASSERT_EQ(reply.outcome, Outcome::found);
  EXPECT_EQ(reply.records[0].owner, "dest.test");
  EXPECT_EQ(reply.records[0].data, "m.dest.test");
}

TEST(ParseReply, PointersThatLeadForwardsOrInCirclesAreDamage) {
  std::string self = u16(0xc000 | 27) + u16(1) + u16(1) + u32(60) + u16(4) + "abcd";
  EXPECT_EQ(parse_reply(message("dest.test", Type::a, {self}), Type::a).outcome, Outcome::damaged);
  std::string forward = u16(0xc000 | 40) + u16(1) + u16(1) + u32(60) + u16(4) + "abcd";
  EXPECT_EQ(parse_reply(message("dest.test", Type::a, {forward}), Type::a).outcome, Outcome::damaged);
}

TEST(ParseReply, AliasesLeadToTheLastName) {
  Reply both = parse_reply(message("a.test", Type::a,
                                   {wire_record("a.test", Type::cname, 20, wire_name("b.test")),
                                    wire_record("b.test", Type::a, 60, address_data("192.0.2.1"))}),
                           Type::a);
  EXPECT_EQ(both.outcome, Outcome::found);
  EXPECT_EQ(both.records[0].owner, "b.test");
  EXPECT_EQ(both.ttl, 20u);
  Reply only = parse_reply(
      message("a.test", Type::a, {wire_record("a.test", Type::cname, 20, wire_name("b.test"))}), Type::a);
  EXPECT_EQ(only.outcome, Outcome::alias);
  EXPECT_EQ(only.alias, "b.test");
}

TEST(ParseReply, OnlyTheAdBitMakesRecordsValidated) {
  std::string answer = wire_record("x.test", Type::a, 60, address_data("192.0.2.1"));
  EXPECT_FALSE(parse_reply(message("x.test", Type::a, {answer}), Type::a).records[0].validated);
  EXPECT_TRUE(parse_reply(message("x.test", Type::a, {answer}, 0x81a0), Type::a).records[0].validated);
}

// Covers: dns_ncache_ttl_fix_enable
TEST(ParseReply, NegativeAnswersLastAsLongAsTheirSoaSays) {
  std::string soa =
      wire_record("test", Type::soa, 900,
                  wire_name("ns") + wire_name("hm") + u32(1) + u32(2) + u32(3) + u32(4) + u32(120));
  Reply reply = parse_reply(message("x.test", Type::a, {}, 0x8183, {soa}), Type::a);
  EXPECT_EQ(reply.outcome, Outcome::nothing);
  EXPECT_EQ(reply.rcode, kNameError);
  EXPECT_EQ(reply.ttl, 120u);
  EXPECT_EQ(parse_reply(message("x.test", Type::a, {}, 0x8183), Type::a).ttl, 0u);
}

TEST(ParseReply, ANullMxMakesTheWholeAnswerOne) {
  Reply reply = parse_reply(message("x.test", Type::mx,
                                    {wire_record("x.test", Type::mx, 60, mx_data(10, "m.test")),
                                     wire_record("x.test", Type::mx, 60, mx_data(0, ""))}),
                            Type::mx);
  EXPECT_EQ(reply.outcome, Outcome::null_mx);
  EXPECT_THAT(reply.records, IsEmpty());
  Reply service = parse_reply(
      message("x.test", Type::srv, {wire_record("x.test", Type::srv, 60, srv_data(0, 0, 0, ""))}), Type::srv);
  EXPECT_EQ(service.outcome, Outcome::null_service);
}

TEST(ParseReply, NamesThatAreNoHostNamesAreRefusedWithTheirStory) {
  Reply reply = parse_reply(
      message("bad.test", Type::mx, {wire_record("bad.test", Type::mx, 60, mx_data(10, "b x.y"))}), Type::mx);
  EXPECT_EQ(reply.outcome, Outcome::malformed);
  EXPECT_THAT(reply.warnings,
              ElementsAre("valid_hostname: invalid character 92(decimal): b\\032x.y",
                          "malformed domain name in resource data of MX record for bad.test: b\\032x.y"));
  Reply owner =
      parse_reply(message("x.test", Type::a, {wire_record("-x.test", Type::a, 60, "abcd")}), Type::a);
  EXPECT_EQ(owner.outcome, Outcome::malformed);
  EXPECT_EQ(owner.warnings.at(1), "malformed domain name in resource name of A record for x.test: -x.test");
}

TEST(ParseReply, GoodRecordsBesideBadOnesAreUsed) {
  Reply reply = parse_reply(message("x.test", Type::mx,
                                    {wire_record("x.test", Type::mx, 60, mx_data(10, "-x.test")),
                                     wire_record("x.test", Type::mx, 60, mx_data(20, "m.test"))}),
                            Type::mx);
  EXPECT_EQ(reply.outcome, Outcome::found);
  ASSERT_EQ(reply.records.size(), 1u);
  EXPECT_EQ(reply.records[0].data, "m.test");
}

TEST(ParseReply, AnAddressInPlaceOfANamePassesWithAWarning) {
  Reply reply = parse_reply(
      message("x.test", Type::mx, {wire_record("x.test", Type::mx, 60, mx_data(10, "198.51.100.10"))}),
      Type::mx);
  EXPECT_EQ(reply.outcome, Outcome::found);
  EXPECT_THAT(reply.warnings,
              ElementsAre("numeric domain name in resource data of MX record for x.test: 198.51.100.10"));
}

TEST(ParseReply, ImpossibleLengthsAreDamage) {
  auto outcome = [](Type type, std::string data) {
    return parse_reply(message("x.test", type, {wire_record("x.test", type, 60, data)}), type).outcome;
  };
  EXPECT_EQ(outcome(Type::a, "abc"), Outcome::damaged);
  EXPECT_EQ(outcome(Type::aaaa, "abcd"), Outcome::damaged);
  EXPECT_EQ(outcome(Type::mx, std::string(2, '\0')), Outcome::damaged);
  EXPECT_EQ(outcome(Type::srv, std::string(6, '\0')), Outcome::damaged);
  EXPECT_EQ(outcome(Type::tlsa, "abc"), Outcome::damaged);
  EXPECT_EQ(outcome(Type::txt,
                    "\x05"
                    "abc"),
            Outcome::damaged);
}

TEST(ParseReply, EveryTruncationIsNoticed) {
  std::string whole =
      message("x.test", Type::mx, {wire_record("x.test", Type::mx, 60, mx_data(10, "m.test"))});
  EXPECT_EQ(parse_reply(whole, Type::mx).outcome, Outcome::found);
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(parse_reply(whole.substr(0, size), Type::mx).outcome, Outcome::damaged) << size;
  }
}

TEST(ParseReply, AtMostAHundredRecordsAreUsed) {
  std::vector<std::string> answers;
  for (int i = 0; i < 130; ++i)
    answers.push_back(wire_record("x.test", Type::a, 60, "abcd"));
  Reply reply = parse_reply(message("x.test", Type::a, answers), Type::a);
  EXPECT_EQ(reply.records.size(), 100u);
  EXPECT_THAT(reply.warnings,
              ElementsAre("DNS record count limit (100) exceeded -- dropping excess record(s) after "
                          "qname=x.test qtype=A"));
}

TEST(ParseReply, RecordsOfOtherTypesAloneAreNoAnswer) {
  Reply reply =
      parse_reply(message("x.test", Type::mx, {wire_record("x.test", Type::a, 60, "abcd")}), Type::mx);
  EXPECT_EQ(reply.outcome, Outcome::unrelated);
}

TEST(ParseReply, ATtlWithTheTopBitCountsAsZero) {
  Reply reply =
      parse_reply(message("x.test", Type::a, {wire_record("x.test", Type::a, 0x80000001, "abcd")}), Type::a);
  EXPECT_EQ(reply.records.at(0).ttl, 0u);
}

TEST(RecordType, HasANameBothWays) {
  EXPECT_EQ(type_name(Type::tlsa), "TLSA");
  EXPECT_EQ(type_name(static_cast<Type>(99)), "Type 99");
  EXPECT_EQ(parse_type("aaaa"), Type::aaaa);
  EXPECT_EQ(parse_type("nonsense"), std::nullopt);
}

}  // namespace
}  // namespace postrider::dns
