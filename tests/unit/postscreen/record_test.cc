#include "postscreen/record.h"

#include <gtest/gtest.h>

namespace postrider::postscreen {
namespace {

TEST(Record, EntriesAreThoseOfPostfix) {
  const std::string entry = "1795878267;1795795467;1795791967;1795792067;1";
  auto record = Record::parse(entry);
  ASSERT_TRUE(record);
  EXPECT_EQ((*record)[postscreen::Test::pregreet], 1795878267);
  EXPECT_EQ((*record)[postscreen::Test::dnsbl], 1795795467);
  EXPECT_EQ((*record)[postscreen::Test::pipelining], 1795791967);
  EXPECT_EQ((*record)[postscreen::Test::non_smtp], 1795792067);
  EXPECT_EQ((*record)[postscreen::Test::bare_newline], Record::kDisabled);
  EXPECT_EQ(record->entry(), entry);
}

TEST(Record, GarbageIsNoEntry) {
  for (const char* text : {"", "1", "1;2;3;4", "1;2;3;4;5;6", "1;2;3;4;", "1;2;3;4;x", "-1;2;3;4;5",
                           "1;2;3; 4;5", "1;2;3;4;99999999999999999999", ";;;;"})
    EXPECT_FALSE(Record::parse(text)) << text;
}

}  // namespace
}  // namespace postrider::postscreen
