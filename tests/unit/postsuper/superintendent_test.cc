#include "tools/postsuper/superintendent.h"

#include <gtest/gtest.h>

#include "log/log.h"
#include "queue/id.h"
#include "support/fault_files.h"

namespace postrider::postsuper {
namespace {

using queue::QueueName;

constexpr int64_t kNow = 1'800'000'000;

class SuperintendentTest : public ::testing::Test {
 protected:
  SuperintendentTest() : store_(files_, {.hashed = {"deferred", "defer"}}), superintendent_(store_, kNow) {
    for (const char* name :
         {"maildrop", "incoming", "active", "deferred", "hold", "defer", "bounce", "trace", "flush"})
      (void)files_.make_directory(name, 0700);
    log::set_test_sink([](log::Severity, std::string_view) {});
  }
  ~SuperintendentTest() override { log::set_test_sink({}); }

  /// A message under an id that fits its inode.
  std::string message(QueueName queue) {
    auto made = store_.create(queue).value();
    EXPECT_TRUE(made.file->set_mode(queue::kCompleteMode));
    return made.id;
  }
  bool has(QueueName queue, const std::string& id) { return store_.status(queue, id).has_value(); }
  static Queues messages() {
    return {QueueName::maildrop, QueueName::incoming, QueueName::active, QueueName::deferred,
            QueueName::hold};
  }

  test::FaultFiles files_;
  queue::Store store_;
  Superintendent superintendent_;
};

TEST_F(SuperintendentTest, HoldsAndReleases) {
  std::string id = message(QueueName::active);
  EXPECT_TRUE(superintendent_.apply(Action::hold, messages(), id));
  EXPECT_TRUE(has(QueueName::hold, id));
  EXPECT_TRUE(superintendent_.apply(Action::release, messages(), id));
  EXPECT_TRUE(has(QueueName::deferred, id));
  EXPECT_EQ(superintendent_.counts().held, 1);
  EXPECT_EQ(superintendent_.counts().released, 1);
}

TEST_F(SuperintendentTest, RemovesAMessageWithItsLogs) {
  std::string id = message(QueueName::deferred);
  for (QueueName log : {QueueName::defer, QueueName::bounce})
    ASSERT_TRUE(store_.open(log, id, queue::OpenMode::append));
  EXPECT_TRUE(superintendent_.apply(Action::remove, messages(), id));
  EXPECT_TRUE(files_.all_files().empty());
}

TEST_F(SuperintendentTest, RequeuedMessagesGoToMaildrop) {
  std::string id = message(QueueName::hold);
  EXPECT_TRUE(superintendent_.apply(Action::requeue, messages(), id));
  EXPECT_TRUE(has(QueueName::maildrop, id));
}

TEST_F(SuperintendentTest, WhatIsStillBeingWrittenStays) {
  std::string whole = message(QueueName::incoming), begun = store_.create(QueueName::incoming).value().id;
  ASSERT_TRUE(superintendent_.sweep({.action = Action::hold}, messages()));
  EXPECT_TRUE(has(QueueName::hold, whole));
  ASSERT_TRUE(superintendent_.sweep({.action = Action::requeue}, messages()));
  EXPECT_TRUE(has(QueueName::maildrop, whole));
  EXPECT_TRUE(has(QueueName::incoming, begun));
}

TEST_F(SuperintendentTest, UnknownIdsAreNotFound) {
  EXPECT_FALSE(superintendent_.apply(Action::remove, messages(), "ABCDEF12"));
  EXPECT_FALSE(superintendent_.apply(Action::remove, messages(), "../etc/passwd"));
  EXPECT_FALSE(superintendent_.apply(Action::remove, messages(), ""));
}

TEST_F(SuperintendentTest, MovesFilesToWhereTheyBelong) {
  std::string id = message(QueueName::deferred);
  ASSERT_TRUE(files_.rename(store_.path(QueueName::deferred, id), "deferred/" + id));
  ASSERT_TRUE(superintendent_.sweep({.structure = true}, {QueueName::deferred}));
  EXPECT_TRUE(has(QueueName::deferred, id));
  EXPECT_EQ(superintendent_.counts().misplaced, 1);
}

TEST_F(SuperintendentTest, NamesMessagesAfterTheirInode) {
  std::string id = message(QueueName::incoming);
  std::string wrong = queue::id_for_inode(id, 0xABCDEF, true);
  ASSERT_TRUE(files_.rename("incoming/" + id, "incoming/" + wrong));
  ASSERT_TRUE(superintendent_.sweep({.structure = true}, {QueueName::incoming}));
  EXPECT_EQ(superintendent_.counts().misnamed, 1);
  ASSERT_TRUE(superintendent_.sweep({.structure = true}, {QueueName::incoming}));
  EXPECT_TRUE(has(QueueName::incoming, id));
  EXPECT_EQ(superintendent_.counts().renamed, 1);
}

TEST_F(SuperintendentTest, NamesTooShortForAnIdAreLeftAlone) {
  ASSERT_TRUE(files_.create("active/1234", queue::kCompleteMode));
  files_.set_content("active/1234", "x");
  ASSERT_TRUE(superintendent_.sweep({.structure = true}, {QueueName::active}));
  EXPECT_EQ(files_.content("active/1234"), "x");
}

}  // namespace
}  // namespace postrider::postsuper
