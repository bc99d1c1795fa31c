#include "queue/id.h"

#include <gtest/gtest.h>

namespace postrider::queue {
namespace {

TEST(QueueId, ShortIdIsMicrosecondsAndInodeInHex) {
  EXPECT_EQ(short_id({1795250304, 0xC7692}, 318), "C769213E");
  EXPECT_EQ(short_id({0, 0x22}, 0xABCDEF0123), "00022ABCDEF0123");
}

TEST(QueueId, LongIdMatchesPostfix) {
  // Made by Postfix for inode 363 at 08:50:32 on 21 November 2026 (UTC).
  constexpr std::string_view kId = "4jWmBJ4C7Yz76";
  EXPECT_TRUE(is_long_id(kId));
  EXPECT_EQ(inode_of_id(kId), 363U);
  auto when = time_of_long_id(kId).value();
  EXPECT_EQ(when.seconds, 1795251032);
  EXPECT_EQ(long_id(when, 363), kId);
  EXPECT_EQ(hash_digits(kId), "90AB9");
}

TEST(QueueId, LongIdsGrowWithTime) {
  EXPECT_LT(long_id({1795251032, 999'999}, 5), long_id({1795251033, 0}, 5));
  EXPECT_LT(long_id({1795251032, 51}, 5), long_id({1795251032, 52}, 5));
}

TEST(QueueId, InodeOfBothForms) {
  EXPECT_EQ(inode_of_id("C769213E"), 0x13EU);
  EXPECT_FALSE(inode_of_id("C7692"));
  EXPECT_FALSE(inode_of_id("12345XYZ"));
  EXPECT_FALSE(inode_of_id("dest_test"));
  EXPECT_FALSE(inode_of_id("4jWmBJ4C7Yz"));
  EXPECT_FALSE(inode_of_id("123"));
}

TEST(QueueId, SeparatorTooEarlyMakesNoLongId) {
  EXPECT_FALSE(is_long_id("123456789z1"));
  EXPECT_TRUE(is_long_id("0123456789z1"));
}

TEST(QueueId, OnlyLettersDigitsAndUnderscore) {
  EXPECT_TRUE(is_valid_id("C769213E"));
  EXPECT_TRUE(is_valid_id("dest_test"));
  EXPECT_TRUE(is_valid_id(std::string(255, 'A')));
  EXPECT_FALSE(is_valid_id(std::string(256, 'A')));
  EXPECT_FALSE(is_valid_id(""));
  EXPECT_FALSE(is_valid_id("bad/id"));
  EXPECT_FALSE(is_valid_id("../../etc"));
  EXPECT_FALSE(is_valid_id("123.456"));
  EXPECT_FALSE(is_valid_id("A\xc3\xa4"));
}

TEST(QueueId, HashDigitsOfDamagedLongIdAreStable) {
  EXPECT_EQ(hash_digits("012345aeiouz1"), "00000");
  EXPECT_EQ(hash_digits("C769213E"), "C769213E");
}

}  // namespace
}  // namespace postrider::queue
