#include "maildrop/drop.h"

#include <gtest/gtest.h>

#include "queue/envelope.h"
#include "support/fault_files.h"

namespace postrider::maildrop {
namespace {

using queue::QueueName;
using queue::RecordType;

class DropTest : public ::testing::Test {
 protected:
  DropTest() { (void)files_.make_directory("maildrop", 0730); }

  std::vector<std::string> names() {
    std::vector<std::string> out;
    queue::Scan scan = queue::Store(files_, {}).scan(QueueName::maildrop);
    while (auto entry = scan.next().value())
      out.push_back(entry->name);
    return out;
  }

  test::FaultFiles files_;
};

TEST_F(DropTest, IsACompleteMessageAfterCommitAlone) {
  auto drop = Drop::begin(files_, {}, {}).value();
  queue::Store store(files_, {});
  drop->append(RecordType::sender, "joe");
  EXPECT_FALSE(queue::is_complete(store.status(QueueName::maildrop, drop->id()).value()));
  drop->append(RecordType::end, "");
  ASSERT_TRUE(drop->commit());
  EXPECT_EQ(store.status(QueueName::maildrop, drop->id()).value().mode, 0744U);
}

TEST_F(DropTest, BeginsWithTheTimeOfArrival) {
  auto drop = Drop::begin(files_, {}, {}).value();
  ASSERT_TRUE(drop->commit());
  auto file = queue::Store(files_, {}).open(QueueName::maildrop, drop->id(), queue::OpenMode::read).value();
  queue::RecordReader reader(*file);
  auto first = reader.next().value();
  ASSERT_TRUE(first && first->is(RecordType::arrival_time));
}

TEST_F(DropTest, LeavesNothingBehindWithoutCommit) {
  {
    auto drop = Drop::begin(files_, {}, {}).value();
    EXPECT_EQ(names().size(), 1U);
  }
  EXPECT_TRUE(names().empty());
}

TEST_F(DropTest, RefusesMoreThanTheLargestSize) {
  auto drop = Drop::begin(files_, {}, {.max_size = 1000}).value();
  for (int i = 0; i < 100; ++i)
    drop->append(RecordType::text, "twenty bytes of text");
  ASSERT_TRUE(drop->error());
  EXPECT_EQ(drop->error()->kind, ErrorKind::limit);
  EXPECT_FALSE(drop->commit());
  drop.reset();
  EXPECT_TRUE(names().empty());
}

}  // namespace
}  // namespace postrider::maildrop
