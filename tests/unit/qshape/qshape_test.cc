#include <gtest/gtest.h>

#include "../queue/memory_source.h"
#include "support/fault_files.h"
#include "tools/qshape/envelope_summary.h"
#include "tools/qshape/tally.h"

namespace postrider::qshape {
namespace {

TEST(Tally, CountsDomainsByAge) {
  Tally tally({.buckets = 4});
  tally.add("a@example.test", 10);
  tally.add("b@EXAMPLE.test", 299);
  tally.add("c@example.test", 300);
  tally.add("c@other.test", 1199);
  tally.add("d@other.test", 1200);
  tally.add("", 0);
  EXPECT_EQ(tally.table(),
            "                                                                  T  5 10 20 20+\n"
            "                                                           TOTAL  6  3  1  1   1\n"
            "                                                    example.test  3  2  1  0   0\n"
            "                                                      other.test  2  0  0  1   1\n"
            "                                                   MAILER-DAEMON  1  1  0  0   0\n");
}

TEST(Tally, BucketsCanBeLinear) {
  Tally tally({.buckets = 3, .bucket_minutes = 60, .linear = true});
  tally.add("a@example.test", 2 * 3600);
  std::string table = tally.table();
  EXPECT_NE(table.find(" T 60 120 120+\n"), table.npos);
  EXPECT_NE(table.find("example.test  1  0   0    1\n"), table.npos);
}

TEST(Tally, ParentsWithEnoughChildrenGetARow) {
  Tally tally({.parents = true, .min_subdomains = 2});
  for (const char* address : {"a@x.example.test", "b@y.example.test", "c@z.other.test"})
    tally.add(address, 0);
  std::string table = tally.table();
  EXPECT_NE(table.find(" .example.test  2"), table.npos);
  EXPECT_EQ(table.find(".other.test  "), table.find("z.other.test  ") + 1);
  EXPECT_EQ(table.find(" .test"), table.npos);
}

TEST(Tally, LongNamesKeepTheirEnd) {
  Tally tally({.buckets = 10});
  std::string domain = std::string(60, 'a') + ".example.test";
  tally.add("x@" + domain, 0);
  std::string table = tally.table();
  size_t mark = table.find('+', table.find("TOTAL"));
  ASSERT_NE(mark, table.npos);
  EXPECT_NE(table.find("a.example.test ", mark), table.npos);
  for (size_t start = 0, end; (end = table.find('\n', start)) != table.npos; start = end + 1)
    EXPECT_EQ(end - start, 80U);
}

TEST(Tally, ShowsTheTopOnly) {
  Tally tally({.top_domains = 1});
  tally.add("a@one.test", 0);
  tally.add("b@two.test", 0);
  tally.add("b@two.test", 0);
  EXPECT_EQ(tally.table().find("one.test"), std::string::npos);
}

std::optional<EnvelopeSummary> summary_of(const std::string& sample, bool one_is_enough = false) {
  test::FaultFiles files;
  auto file = files.create("file", 0700).value();
  EXPECT_TRUE(file->write_at(0, queue::sample(sample)));
  return summarize(*file, one_is_enough);
}

TEST(EnvelopeSummary, HasThoseWhoStillWait) {
  auto summary = summary_of("partly-done");
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->arrival, 1795251024);
  EXPECT_EQ(summary->sender, "joe@sender.test");
  EXPECT_EQ(summary->recipients, (std::vector<std::string>{"later@dest.test", "later2@dest.test"}));
  EXPECT_EQ(summary_of("partly-done", true)->recipients.size(), 1U);
}

TEST(EnvelopeSummary, FindsRecipientsBehindTheContent) {
  auto summary = summary_of("sendmail-t");
  ASSERT_TRUE(summary);
  EXPECT_FALSE(summary->recipients.empty());
}

}  // namespace
}  // namespace postrider::qshape
