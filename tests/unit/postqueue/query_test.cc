#include "tools/postqueue/query.h"

#include <gtest/gtest.h>

#include "tools/postqueue/selection.h"

namespace postrider::postqueue {
namespace {

constexpr int64_t kNow = 1'795'688'851;

proto::QueueEntry message(const std::string& id, const std::string& sender,
                          const std::vector<std::pair<std::string, std::string>>& recipients) {
  proto::QueueEntry out;
  out.queue_name = "deferred";
  out.queue_id = id;
  out.arrival_time = kNow - 7200;
  out.size = 3000;
  out.sender = sender;
  for (const auto& [address, reason] : recipients) {
    proto::QueueRecipient recipient;
    recipient.address = address;
    recipient.original = address;
    recipient.delay_reason = reason;
    out.recipients.push_back(recipient);
  }
  return out;
}

std::vector<proto::QueueEntry> queue() {
  auto held = message("C1", "", {{"kim@Example.COM", ""}});
  held.queue_name = "hold";
  held.arrival_time = kNow - 3 * 86400;
  held.size = 5'000'000;
  return {message("A1", "joe@sender.test",
                  {{"ann@example.com", "connect: timed out"}, {"bob@example.org", "greylisted"}}),
          message("B1", "news@list.test", {{"ann@example.org", "connect: timed out"}}), held};
}

std::string run(Selection& selection, const std::vector<proto::QueueEntry>& entries) {
  std::string out;
  for (const auto& entry : entries)
    selection.add(entry, out);
  selection.end(out);
  return out;
}

/// The ids, in one line.
std::string ids(const std::string& text, const std::vector<proto::QueueEntry>& entries = queue()) {
  auto query = Query::parse(text);
  if (!query) return query.error().text;
  std::string out = run(*named(*query, kNow), entries);
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}
std::string counts(const std::string& text, Key key, bool json = false) {
  auto query = Query::parse(text);
  return run(*counted(*query, kNow, key, json), queue());
}

TEST(Query, PatternsAndParts) {
  EXPECT_EQ(ids("recipient=*@example.com"), "A1 C1 ");
  EXPECT_EQ(ids("recipient=ANN@example.???"), "A1 B1 ");
  EXPECT_EQ(ids("domain=example.org,nowhere.test"), "A1 B1 ");
  EXPECT_EQ(ids("domain!=example.com"), "A1 B1 ");
  EXPECT_EQ(ids("!sender=*.test"), "C1 ");
  EXPECT_EQ(ids("sender=<>"), "C1 ");
  EXPECT_EQ(ids("sender="), "C1 ");
  EXPECT_EQ(ids("sender-domain=list.test"), "B1 ");
  EXPECT_EQ(ids("reason~\"Timed Out\""), "A1 B1 ");
  EXPECT_EQ(ids("reason!~timed"), "A1 C1 ");
  EXPECT_EQ(ids("queue=hold"), "C1 ");
  EXPECT_EQ(ids("id=?1"), "A1 B1 C1 ");
}

TEST(Query, Numbers) {
  EXPECT_EQ(ids("age>1d"), "C1 ");
  EXPECT_EQ(ids("age<=2h"), "A1 B1 ");
  EXPECT_EQ(ids("size>=1m"), "C1 ");
  EXPECT_EQ(ids("size=3000"), "A1 B1 ");
  EXPECT_EQ(ids("recipients>1"), "A1 ");
}

TEST(Query, TermsHoldTogetherForOneRecipient) {
  EXPECT_EQ(ids("domain=example.com reason~timed"), "A1 ");
  EXPECT_EQ(ids("domain=example.com reason~greylisted"), "");
  EXPECT_EQ(ids("domain=example.com reason~greylisted or queue=hold"), "C1 ");
  EXPECT_EQ(ids("queue=deferred and age>1h and domain=example.org"), "A1 B1 ");
}

TEST(Query, EveryRecipient) {
  EXPECT_EQ(ids("every-domain=example.org"), "B1 ");
  EXPECT_EQ(ids("every-recipient=*@example.*"), "A1 B1 C1 ");
  proto::QueueEntry unknown = message("D1", "x@y", {});
  EXPECT_EQ(ids("every-domain=example.org", {unknown}), "");
}

TEST(Query, MistakesAreNamed) {
  EXPECT_NE(ids("colour=red").find("\"colour=red\" is about nothing"), std::string::npos);
  EXPECT_NE(ids("age>soon").find("\"soon\" is no time"), std::string::npos);
  EXPECT_NE(ids("size>1x").find("is no size"), std::string::npos);
  EXPECT_NE(ids("sender>x").find("sender is a text"), std::string::npos);
  EXPECT_NE(ids("age~1").find("age is a number"), std::string::npos);
  EXPECT_NE(ids("sender").find("needs one of"), std::string::npos);
  EXPECT_NE(ids("reason=\"x").find("double quote"), std::string::npos);
  EXPECT_NE(ids("").find("nothing"), std::string::npos);
  EXPECT_NE(ids("age>1d or").find("nothing"), std::string::npos);
  EXPECT_NE(ids("age>99999999999999999999").find("is no time"), std::string::npos);
  EXPECT_NE(ids(std::string(100'000, 'x')).find("too long"), std::string::npos);
}

/// A message with many recipients comes in parts.
TEST(Query, PartsOfAMessageAreOneMessage) {
  auto first = message("A1", "joe@sender.test", {{"ann@example.com", ""}});
  first.more = true;
  auto last = message("A1", "joe@sender.test", {{"bob@example.org", ""}});
  std::vector<proto::QueueEntry> parts = {first, last, message("B1", "x@y.test", {{"bob@example.org", ""}})};
  EXPECT_EQ(ids("domain=example.org", parts), "A1 B1 ");
  EXPECT_EQ(ids("domain=example.com", parts), "A1 ");
  EXPECT_EQ(ids("recipients=2", parts), "A1 ");
  EXPECT_EQ(ids("every-domain=example.com", parts), "");
  auto query = Query::parse("domain=example.org");
  std::string listing = run(*listed(*query, kNow, json_listing()), parts);
  EXPECT_NE(listing.find("ann@example.com"), std::string::npos) << listing;
  EXPECT_EQ(std::count(listing.begin(), listing.end(), '\n'), 2);
}

TEST(Counts, ByAnyKey) {
  EXPECT_EQ(counts("age>1h", Key::all), "3 messages, 4 recipients, 4888 Kbytes\n");
  EXPECT_EQ(counts("size>1g", Key::all), "0 messages, 0 recipients, 0 Kbytes\n");
  EXPECT_EQ(counts("age>1h", Key::domain),
            "  messages recipients       Kbytes domain\n"
            "         2          2         4885 example.com\n"
            "         2          2            5 example.org\n");
  EXPECT_EQ(counts("reason~timed", Key::recipient, true),
            "{\"recipient\": \"ann@example.com\", \"messages\": 1, \"recipients\": 1, \"bytes\": 3000}\n"
            "{\"recipient\": \"ann@example.org\", \"messages\": 1, \"recipients\": 1, \"bytes\": 3000}\n");
  EXPECT_EQ(counts("queue=hold", Key::sender),
            "  messages recipients       Kbytes sender\n"
            "         1          1         4882 <>\n");
}

TEST(Glob, MatchesTheWholeText) {
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("a*b*c", "a1b2b3c"));
  EXPECT_FALSE(glob_matches("a*b", "abc"));
  EXPECT_FALSE(glob_matches("?", ""));
  EXPECT_FALSE(glob_matches("*a*a*a*a*a*a*a*b", std::string(50'000, 'a')));
}

}  // namespace
}  // namespace postrider::postqueue
