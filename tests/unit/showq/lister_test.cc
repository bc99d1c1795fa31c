#include "showq/lister.h"

#include <gtest/gtest.h>

#include "../queue/memory_source.h"
#include "support/fault_files.h"

namespace postrider::showq {
namespace {

using queue::QueueName;
using queue::record;
using queue::RecordType;

class ListerTest : public ::testing::Test {
 protected:
  ListerTest() : store_(files_, {}) {
    for (const char* name : {"maildrop", "active", "incoming", "deferred", "hold", "defer", "bounce"})
      (void)files_.make_directory(name, 0700);
  }

  void put(const std::string& path, const std::string& content, mode_t mode = queue::kCompleteMode) {
    auto file = files_.create(path, mode).value();
    ASSERT_TRUE(file->write_at(0, content));
  }

  std::vector<proto::QueueEntry> list(size_t dup_limit = 0) {
    Rules rules{.dup_limit = dup_limit, .empty_address = "NOBODY"};
    Lister lister(store_, rules);
    std::vector<proto::QueueEntry> out;
    for (bool done = false; !done;) {
      Lister::Batch batch = lister.next();
      for (auto& entry : batch.entries)
        out.push_back(std::move(entry));
      for (auto& warning : batch.warnings)
        warnings_.push_back(std::move(warning));
      done = batch.done;
    }
    return out;
  }

  static std::string submission(const std::string& recipients) {
    return record(RecordType::arrival_time, "1000 0") + record(RecordType::sender, "joe@example.test") +
           recipients + record(RecordType::message, "") + record(RecordType::text, "body") +
           record(RecordType::extracted, "") + record(RecordType::end, "");
  }

  test::FaultFiles files_;
  queue::Store store_;
  std::vector<std::string> warnings_;
};

TEST_F(ListerTest, ListsWhatPostfixLeftInItsQueue) {
  put("deferred/728AA13E", queue::sample("partly-done"));
  put("defer/728AA13E",
      "<later@dest.test>: "
      "refused\nrecipient=later@dest.test\noriginal_recipient=later@dest.test\noffset=900\n"
      "status=4.4.1\naction=delayed\nreason=connection refused\n\n",
      0600);
  auto entries = list();
  ASSERT_EQ(entries.size(), 1U);
  const proto::QueueEntry& one = entries[0];
  EXPECT_EQ(one.queue_name, "deferred");
  EXPECT_EQ(one.queue_id, "728AA13E");
  EXPECT_EQ(one.arrival_time, 1795251024);
  EXPECT_EQ(one.size, 288);
  EXPECT_EQ(one.sender, "joe@sender.test");
  // The one with a reason comes from the log, and is not repeated; those who have got it are left out.
  ASSERT_EQ(one.recipients.size(), 2U);
  EXPECT_EQ(one.recipients[0].address, "later@dest.test");
  EXPECT_EQ(one.recipients[0].delay_reason, "connection refused");
  EXPECT_EQ(one.recipients[1].address, "later2@dest.test");
  EXPECT_EQ(one.recipients[1].delay_reason, "");
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(ListerTest, ReasonsForReturnsAreShownToo) {
  put("deferred/728AA13E", queue::sample("partly-done"));
  put("bounce/728AA13E",
      "recipient=no@dest.test\noriginal_recipient=no@d.test\nstatus=5.1.1\nreason=unknown user\n\n", 0600);
  auto entries = list();
  ASSERT_EQ(entries.size(), 1U);
  ASSERT_EQ(entries[0].recipients.size(), 3U);
  EXPECT_EQ(entries[0].recipients[0].bounce_reason, "unknown user");
  EXPECT_EQ(entries[0].recipients[0].original, "no@d.test");
}

TEST_F(ListerTest, AMessageWithManyRecipientsComesInParts) {
  std::string recipients;
  for (int i = 0; i < 2500; ++i)
    recipients += record(RecordType::recipient, "kim" + std::to_string(i) + "@example.test");
  put("incoming/A1B2C3", submission(recipients));
  auto entries = list();
  size_t count = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    count += entries[i].recipients.size();
    EXPECT_EQ(entries[i].more, i + 1 < entries.size());
    EXPECT_LE(entries[i].recipients.size(), entries[i].recipients.kMax);
  }
  EXPECT_EQ(count, 2500U);
  EXPECT_GT(entries.size(), 1U);
}

TEST_F(ListerTest, IncompleteAndForeignFilesAreNoMessages) {
  put("incoming/A1B2C3", submission(""), queue::kIncompleteMode);
  put("incoming/some.file", submission(""));
  EXPECT_TRUE(list().empty());
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(ListerTest, ADamagedFileIsListedAsFarAsItCanBeRead) {
  put("maildrop/A1B2C3",
      record(RecordType::sender, "") + record(RecordType::recipient, "kim@example.test") + "R\x7f");
  auto entries = list();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].sender, "NOBODY");
  EXPECT_EQ(entries[0].recipients.size(), 1U);
}

TEST_F(ListerTest, RecipientsWithoutASenderAreReported) {
  put("maildrop/A1B2C3", record(RecordType::recipient, "kim@example.test"));
  EXPECT_TRUE(list().empty());
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_EQ(warnings_[0],
            "A1B2C3: missing sender address: kim@example.test -- skipping remainder of this file");
}

TEST_F(ListerTest, ControlCharactersDoNotReachTheListing) {
  put("maildrop/A1B2C3", submission(record(RecordType::recipient, "k\x1b[2Jim@example.test")));
  auto entries = list();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].recipients[0].address.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace postrider::showq
