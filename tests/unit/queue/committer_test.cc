#include "queue/committer.h"

#include <cerrno>

#include <gtest/gtest.h>

#include "io/loop.h"
#include "io/sync.h"
#include "support/fault_files.h"

namespace postrider::queue {
namespace {

struct Machine {
  Machine() { EXPECT_TRUE(files.make_directory("incoming", 0700)); }
  std::shared_ptr<File> file(int number) {
    auto made = files.create("incoming/" + std::to_string(number), 0600).value();
    EXPECT_TRUE(made->write_at(0, "content"));
    return made;
  }
  test::FaultFiles files;
  Committer committer{files};
};

TEST(Committer, OneFileIsSyncedWithItsDirectory) {
  Machine machine;
  ASSERT_TRUE(machine.committer.sync(machine.file(1), {"incoming"}, Deadline::never()));
  EXPECT_EQ(machine.files.directory_syncs("incoming"), 1U);
}

TEST(Committer, ManyFilesShareSyncsOfTheDirectory) {
  Machine machine;
  constexpr int kCount = 100;
  int done = 0;
  io::run_with_loop([&] {
    io::TaskGroup group;
    for (int i = 0; i < kCount; ++i) {
      group.spawn([&, i] {
        EXPECT_TRUE(machine.committer.sync(machine.file(i), {"incoming"}, Deadline::never()));
        ++done;
      });
    }
    EXPECT_TRUE(group.wait(Deadline::after(seconds(60))));
  });
  EXPECT_EQ(done, kCount);
  EXPECT_GE(machine.files.directory_syncs("incoming"), 1U);
  EXPECT_LT(machine.files.directory_syncs("incoming"), size_t{kCount});
  // Whatever the batches were, nothing that was reported as done is lost.
  EXPECT_TRUE(machine.files.sync_directory("."));
  machine.files.restart(test::Crash::loses_all);
  EXPECT_EQ(machine.files.all_files().size(), size_t{kCount});
  EXPECT_EQ(machine.files.content("incoming/7"), "content");
}

TEST(Committer, EveryoneInABatchHearsOfItsFailure) {
  Machine machine;
  io::run_with_loop([&] {
    int failed = 0, succeeded = 0;
    machine.files.fail_at(1, EIO);
    io::TaskGroup group;
    for (int i = 0; i < 3; ++i) {
      group.spawn([&] {
        auto synced = machine.committer.sync_directory("incoming", Deadline::never());
        synced ? ++succeeded : ++failed;
      });
    }
    EXPECT_TRUE(group.wait(Deadline::after(seconds(60))));
    // The first batch is whoever asked before the sync began.
    EXPECT_GE(failed, 1);
    EXPECT_EQ(failed + succeeded, 3);
    EXPECT_TRUE(machine.committer.sync_directory("incoming", Deadline::never()));
  });
}

TEST(Committer, FailedFileSyncDoesNotSyncTheDirectory) {
  Machine machine;
  auto file = machine.file(1);
  machine.files.fail_at(1, EIO);
  auto synced = machine.committer.sync(file, {"incoming"}, Deadline::never());
  ASSERT_FALSE(synced);
  EXPECT_EQ(synced.error().code, EIO);
  EXPECT_EQ(machine.files.directory_syncs("incoming"), 0U);
}

TEST(Committer, ADeadlineOfOneDoesNotDisturbTheOthers) {
  Machine machine;
  io::run_with_loop([&] {
    machine.files.hold_syncs(true);
    io::TaskGroup group;
    group.spawn([&] { EXPECT_TRUE(machine.committer.sync_directory("incoming", Deadline::never())); });
    auto synced = machine.committer.sync_directory("incoming", Deadline::after(milliseconds(1)));
    ASSERT_FALSE(synced);
    EXPECT_EQ(synced.error().kind, ErrorKind::timeout);
    machine.files.hold_syncs(false);
    EXPECT_TRUE(group.wait(Deadline::after(seconds(60))));
  });
}

}  // namespace
}  // namespace postrider::queue
