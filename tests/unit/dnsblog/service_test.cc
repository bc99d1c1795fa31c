#include "dnsblog/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/log.h"

namespace postrider::dnsblog {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class DnsblogTest : public testing::Test {
 protected:
  void SetUp() override {
    log::set_test_sink([this](log::Severity, std::string_view text) { log_.emplace_back(text); });
  }
  void TearDown() override { log::set_test_sink(nullptr); }

  proto::DnsblogReply ask(std::string_view address) {
    proto::DnsblogQuery query;
    query.domain = std::string_view("list.test");
    query.address = address;
    return look_up(
        query,
        [this](std::string_view name, Deadline) {
          asked_ = name;
          return answer_;
        },
        Deadline::never());
  }
  void add(std::string_view address, uint32_t ttl) {
    dns::Record record;
    record.ttl = ttl;
    auto bytes = sys::Address::from_ip(address)->bytes();
    record.data.assign(bytes.begin(), bytes.end());
    answer_.status = dns::Status::found;
    answer_.records.push_back(record);
  }

  dns::Answer answer_;
  std::string asked_;
  std::vector<std::string> log_;
};

TEST_F(DnsblogTest, ListingsAreLoggedAndTheShortestTimeCounts) {
  add("127.0.0.2", 300);
  add("127.0.0.10", 60);
  auto reply = ask("192.0.2.7");
  EXPECT_EQ(asked_, "7.2.0.192.list.test");
  EXPECT_THAT(reply.listed, ElementsAre(0x7f000002, 0x7f00000a));
  EXPECT_EQ(reply.ttl, 60);
  EXPECT_THAT(log_, ElementsAre("addr 192.0.2.7 listed by domain list.test as 127.0.0.2",
                                "addr 192.0.2.7 listed by domain list.test as 127.0.0.10"));
}

TEST_F(DnsblogTest, WhoIsNotListedStaysSoForAsLongAsTheZoneSays) {
  answer_.status = dns::Status::not_found;
  EXPECT_EQ(ask("192.0.2.7").ttl, -1);
  answer_.negative_ttl = 120;
  EXPECT_EQ(ask("2001:db8::7").ttl, 120);
  EXPECT_EQ(asked_, "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.list.test");
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(DnsblogTest, AListThatFailsHasNobody) {
  answer_.status = dns::Status::try_again;
  answer_.text = "no answer";
  auto reply = ask("192.0.2.7");
  EXPECT_THAT(reply.listed, IsEmpty());
  EXPECT_EQ(reply.ttl, -1);
  EXPECT_THAT(log_, ElementsAre("dnsblog_query: lookup error for DNS query 7.2.0.192.list.test: no answer"));
}

TEST_F(DnsblogTest, AReplyWithoutEndIsCutShort) {
  for (int i = 0; i < 200; ++i)
    add("127.0.0.2", 60);
  EXPECT_EQ(ask("192.0.2.7").listed.size(), proto::kMaxListReplies);
}

TEST_F(DnsblogTest, OtherTextIsNotAskedAbout) {
  EXPECT_THAT(ask("nobody").listed, IsEmpty());
  EXPECT_EQ(asked_, "");
  EXPECT_THAT(log_, ElementsAre("request about \"nobody\", which is no address"));
}

}  // namespace
}  // namespace postrider::dnsblog
