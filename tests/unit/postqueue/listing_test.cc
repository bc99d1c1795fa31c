#include "tools/postqueue/listing.h"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

namespace postrider::postqueue {
namespace {

class ListingTest : public ::testing::Test {
 protected:
  ListingTest() {
    setenv("TZ", "UTC", 1);
    tzset();
  }

  static proto::QueueEntry entry(const std::string& queue, const std::string& id) {
    proto::QueueEntry out;
    out.queue_name = queue;
    out.queue_id = id;
    out.arrival_time = 1795688851;
    out.size = 272;
    out.sender = std::string("joe@example.test");
    return out;
  }
  static void add_recipient(proto::QueueEntry& entry, const std::string& address, const std::string& reason) {
    proto::QueueRecipient out;
    out.address = address;
    out.original = address;
    out.delay_reason = reason;
    entry.recipients.push_back(out);
  }
  static std::string print(Listing& listing, const std::vector<proto::QueueEntry>& entries) {
    std::string out;
    for (const proto::QueueEntry& entry : entries)
      listing.add(entry, out);
    listing.end(out);
    return out;
  }
};

TEST_F(ListingTest, AnEmptyQueueIsCalledEmpty) {
  EXPECT_EQ(print(*text_listing(false), {}), "Mail queue is empty\n");
  EXPECT_EQ(print(*json_listing(), {}), "");
}

TEST_F(ListingTest, AReasonStandsOnceAboveTheRecipientsThatShareIt) {
  proto::QueueEntry one = entry("deferred", "CBA0F13E");
  add_recipient(one, "kim@example.test", "deferred transport");
  add_recipient(one, "lee@example.test", "deferred transport");
  add_recipient(one, "max@example.test", "connection refused");
  EXPECT_EQ(print(*text_listing(false), {one}),
            "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n"
            "CBA0F13E        272 Thu Nov 26 10:27:31  joe@example.test\n"
            "                                                          (deferred transport)\n"
            "                                         kim@example.test\n"
            "                                         lee@example.test\n"
            "                                                          (connection refused)\n"
            "                                         max@example.test\n"
            "\n-- 0 Kbytes in 1 Request.\n");
}

TEST_F(ListingTest, MarksTellWhereAMessageIs) {
  proto::QueueEntry active = entry("active", "A1"), hold = entry("hold", "B2"),
                    expired = entry("deferred", "C3");
  expired.forced_expire = true;
  std::string text = print(*text_listing(false), {active, hold, expired});
  EXPECT_NE(text.find("\nA1*  "), text.npos);
  EXPECT_NE(text.find("\n\nB2!  "), text.npos);
  EXPECT_NE(text.find("\n\nC3#  "), text.npos);
  EXPECT_NE(text.find("\n-- 0 Kbytes in 3 Requests.\n"), text.npos);
}

TEST_F(ListingTest, ColumnsAreWiderForLongIds) {
  proto::QueueEntry one = entry("deferred", "4jWmBJ4C7Yz76");
  add_recipient(one, "kim@example.test", "");
  EXPECT_EQ(print(*text_listing(true), {one}),
            "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n"
            "4jWmBJ4C7Yz76          272 Thu Nov 26 10:27:31 joe@example.test\n"
            "                                               kim@example.test\n"
            "\n-- 0 Kbytes in 1 Request.\n");
}

TEST_F(ListingTest, AMessageInSeveralPartsIsOneMessage) {
  proto::QueueEntry first = entry("deferred", "A1"), second = first;
  first.more = true;
  add_recipient(first, "kim@example.test", "");
  add_recipient(second, "lee@example.test", "");
  std::string text = print(*text_listing(false), {first, second});
  EXPECT_NE(text.find("in 1 Request."), text.npos);
  EXPECT_NE(text.find("kim@example.test\n                                         lee@"), text.npos);
  std::string json = print(*json_listing(), {first, second});
  EXPECT_EQ(json.substr(json.find("\"recipients\"")),
            "\"recipients\": [{\"orig_address\": \"kim@example.test\", \"address\": \"kim@example.test\"}, "
            "{\"orig_address\": \"lee@example.test\", \"address\": \"lee@example.test\"}]}\n");
}

TEST_F(ListingTest, JsonHasOneObjectALine) {
  proto::QueueEntry one = entry("hold", "A1");
  one.sender = std::string("\"odd\\one\"@example.test\x7f");
  proto::QueueRecipient bounced;
  bounced.address = std::string("kim@example.test");
  bounced.original = std::string("k@example.test");
  bounced.bounce_reason = std::string("unknown\tuser");
  one.recipients.push_back(bounced);
  EXPECT_EQ(
      print(*json_listing(), {one}),
      "{\"queue_name\": \"hold\", \"queue_id\": \"A1\", \"arrival_time\": 1795688851, \"message_size\": 272, "
      "\"forced_expire\": false, \"sender\": \"\\\"odd\\\\one\\\"@example.test\\u007F\", \"recipients\": "
      "[{\"orig_address\": \"k@example.test\", \"address\": \"kim@example.test\", \"bounce_reason\": "
      "\"unknown\\tuser\"}]}\n");
}

}  // namespace
}  // namespace postrider::postqueue
