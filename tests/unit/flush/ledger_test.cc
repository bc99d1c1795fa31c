#include "flush/ledger.h"

#include <gtest/gtest.h>

#include "support/fault_files.h"

namespace postrider::flush {
namespace {

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() : store_(files_, {}), ledger_(store_) { (void)files_.make_directory("flush", 0700); }

  std::vector<std::string> drain(const std::string& name) {
    std::vector<std::string> out;
    EXPECT_TRUE(ledger_.drain(name, [&](const std::string& id) { out.push_back(id); }));
    return out;
  }

  test::FaultFiles files_;
  queue::Store store_;
  Ledger ledger_;
};

TEST_F(LedgerTest, NamesAreSafeFileNames) {
  EXPECT_EQ(ledger_name("Example.Test"), "example_test");
  EXPECT_EQ(ledger_name("[192.0.2.1]"), "_192_0_2_1_");
  EXPECT_EQ(ledger_name("../../etc/passwd"), "______etc_passwd");
}

TEST_F(LedgerTest, HandsOutEachIdOnceAndForgetsIt) {
  for (const char* id : {"A1B2C3", "D4E5F6", "A1B2C3"})
    ASSERT_TRUE(ledger_.add("example_test", id));
  EXPECT_EQ(files_.content("flush/example_test"), "A1B2C3\nD4E5F6\nA1B2C3\n");
  EXPECT_EQ(drain("example_test"), (std::vector<std::string>{"A1B2C3", "D4E5F6"}));
  EXPECT_TRUE(drain("example_test").empty());
}

TEST_F(LedgerTest, NoListIsAnEmptyList) {
  EXPECT_TRUE(drain("example_test").empty());
}

TEST_F(LedgerTest, LinesThatAreNoIdsAreLeftOut) {
  ASSERT_TRUE(files_.create("flush/example_test", 0600));
  files_.set_content("flush/example_test", "../x\n" + std::string(200'000, 'A') + "\nA1B2C3\nunfinished");
  EXPECT_EQ(drain("example_test"), (std::vector<std::string>{"A1B2C3"}));
}

TEST_F(LedgerTest, RemovesEmptyListsOnly) {
  ASSERT_TRUE(ledger_.add("example_test", "A1B2C3"));
  ASSERT_TRUE(ledger_.remove_empty("example_test"));
  EXPECT_EQ(drain("example_test").size(), 1U);
  ASSERT_TRUE(ledger_.remove_empty("example_test"));
  EXPECT_TRUE(files_.all_files().empty());
  ASSERT_TRUE(ledger_.remove_empty("example_test"));
}

}  // namespace
}  // namespace postrider::flush
