#include "queue/store.h"

#include <cerrno>
#include <cstdlib>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fault_files.h"

namespace postrider::queue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    for (const char* name : {"q", "q/incoming", "q/active", "q/deferred", "q/hold", "q/defer"}) {
      EXPECT_TRUE(files_.make_directory(name, 0700));
    }
  }
  Store store(Layout layout = {}) {
    layout.directory = "q";
    if (layout.hashed.empty()) layout.hashed = {"deferred", "defer"};
    return Store(files_, layout);
  }
  std::vector<std::string> scan(Store& store, QueueName queue) {
    std::vector<std::string> names;
    Scan scan = store.scan(queue);
    for (;;) {
      auto entry = scan.next().value();
      if (!entry) return names;
      names.push_back(entry->path);
    }
  }
  test::FaultFiles files_;
};

TEST_F(StoreTest, PathsFollowHashParameters) {
  Store plain = store();
  EXPECT_EQ(plain.path(QueueName::incoming, "C769213E"), "q/incoming/C769213E");
  EXPECT_EQ(plain.path(QueueName::deferred, "C769213E"), "q/deferred/C/C769213E");
  EXPECT_EQ(plain.path(QueueName::deferred, "4jWmBJ4C7Yz76"), "q/deferred/9/4jWmBJ4C7Yz76");
  Store deep = store({.hashed = {"incoming"}, .hash_depth = 3});
  EXPECT_EQ(deep.path(QueueName::incoming, "C769213E"), "q/incoming/C/7/6/C769213E");
  EXPECT_EQ(deep.path(QueueName::incoming, "C7"), "q/incoming/C/7/_/C7");
  EXPECT_EQ(deep.path(QueueName::incoming, "4jWmBJ4C7Yz76"), "q/incoming/9/0/A/4jWmBJ4C7Yz76");
  EXPECT_EQ(deep.path(QueueName::deferred, "C7"), "q/deferred/C7");
  EXPECT_EQ(Store(files_, {}).path(QueueName::active, "A1"), "active/A1");
}

TEST_F(StoreTest, NewFileIsNamedAfterItsInode) {
  Store short_ids = store();
  NewFile made = short_ids.create(QueueName::incoming).value();
  EXPECT_EQ(inode_of_id(made.id), made.file->status()->inode);
  EXPECT_FALSE(is_long_id(made.id));
  EXPECT_EQ(made.file->status()->mode, kIncompleteMode);
  EXPECT_THAT(files_.all_files(), ElementsAre(made.path));

  Store long_ids = store({.long_ids = true});
  NewFile other = long_ids.create(QueueName::incoming).value();
  EXPECT_TRUE(is_long_id(other.id));
  EXPECT_EQ(time_of_long_id(other.id)->seconds, other.created.seconds);
}

TEST_F(StoreTest, NewFileInHashedQueueMakesDirectories) {
  Store hashed = store({.hashed = {"incoming"}, .hash_depth = 2});
  std::vector<std::string> made_directories;
  NewFile made = hashed.create(QueueName::incoming, &made_directories).value();
  EXPECT_THAT(made_directories,
              ElementsAre("q/incoming/" + made.id.substr(0, 1),
                          "q/incoming/" + made.id.substr(0, 1) + "/" + made.id.substr(1, 1)));
  EXPECT_THAT(files_.all_files(), ElementsAre(made.path));
}

TEST_F(StoreTest, FailureToCreateLeavesNothing) {
  for (size_t call = 1; call <= 3; ++call) {
    files_.fail_at(call, ENOSPC);
    Store plain = store();
    auto made = plain.create(QueueName::incoming);
    ASSERT_FALSE(made) << call;
    EXPECT_TRUE(is_disk_full(made.error()));
    EXPECT_THAT(files_.all_files(), ElementsAre()) << call;
  }
}

TEST_F(StoreTest, MissingQueueDirectoryIsAnError) {
  Store nowhere(files_, {.directory = "nowhere"});
  auto made = nowhere.create(QueueName::incoming);
  ASSERT_FALSE(made);
  EXPECT_TRUE(is_missing(made.error()));
  auto opened = nowhere.open(QueueName::defer, "A1", OpenMode::append);
  ASSERT_FALSE(opened);
  EXPECT_TRUE(is_missing(opened.error()));
}

TEST_F(StoreTest, MovesMakeHashDirectoriesOnDemand) {
  Store plain = store();
  NewFile made = plain.create(QueueName::incoming).value();
  ASSERT_TRUE(plain.move(made.id, QueueName::incoming, QueueName::active));
  ASSERT_TRUE(plain.move(made.id, QueueName::active, QueueName::deferred));
  EXPECT_THAT(files_.all_files(), ElementsAre(plain.path(QueueName::deferred, made.id)));
  auto again = plain.move(made.id, QueueName::active, QueueName::deferred);
  ASSERT_FALSE(again);
  EXPECT_TRUE(is_missing(again.error()));
  ASSERT_TRUE(plain.set_next_try(QueueName::deferred, made.id, 2'000'000'000));
  EXPECT_EQ(plain.status(QueueName::deferred, made.id)->modified, 2'000'000'000);
  ASSERT_TRUE(plain.remove(QueueName::deferred, made.id));
  EXPECT_THAT(files_.all_files(), ElementsAre());
}

TEST_F(StoreTest, WhatIsRemovedIsKeptWhereTheLayoutSaysSo) {
  ASSERT_TRUE(files_.make_directory("q/saved", 0700));
  Store keeping = store({.keep_removed = true});
  NewFile made = keeping.create(QueueName::incoming).value();
  ASSERT_TRUE(keeping.open(QueueName::hold, made.id, OpenMode::append));
  ASSERT_TRUE(keeping.remove(QueueName::incoming, made.id));
  ASSERT_TRUE(keeping.remove(QueueName::hold, made.id));
  EXPECT_THAT(files_.all_files(), UnorderedElementsAre("q/saved/" + made.id, "q/saved/" + made.id + "+"));
  EXPECT_FALSE(keeping.remove(QueueName::hold, made.id));
}

TEST_F(StoreTest, ScanFindsFilesOfAnyDepthWhateverTheConfiguration) {
  Store plain = store();
  ASSERT_TRUE(plain.make_parents("q/deferred/A/B/AB0001"));
  for (const char* path : {"q/deferred/AB0003", "q/deferred/A/AB0002", "q/deferred/A/B/AB0001"}) {
    ASSERT_TRUE(files_.create(path, 0600));
  }
  EXPECT_THAT(scan(plain, QueueName::deferred),
              UnorderedElementsAre("q/deferred/AB0003", "q/deferred/A/AB0002", "q/deferred/A/B/AB0001"));
}

TEST_F(StoreTest, ScanGoesOnWhenADirectoryVanishes) {
  Store plain = store();
  ASSERT_TRUE(plain.make_parents("q/deferred/A/x"));
  ASSERT_TRUE(files_.create("q/deferred/AB0003", 0600));
  Scan scan = plain.scan(QueueName::deferred);
  std::vector<std::string> seen;
  ASSERT_TRUE(files_.create("q/deferred/B", 0600));  // One letter, and no directory.
  for (;;) {
    auto entry = scan.next();
    ASSERT_TRUE(entry);
    if (!*entry) break;
    seen.push_back((*entry)->name);
    (void)files_.remove_directory("q/deferred/A");
  }
  EXPECT_THAT(seen, ElementsAre("AB0003"));
}

TEST_F(StoreTest, ScanDepthHasALimit) {
  Store plain = store();
  std::string path = "q/deferred";
  for (int i = 0; i < 20; ++i) {
    path += "/A";
    ASSERT_TRUE(files_.make_directory(path, 0700));
  }
  ASSERT_TRUE(files_.create(path + "/AB0001", 0600));
  EXPECT_THAT(scan(plain, QueueName::deferred), ElementsAre());
}

TEST_F(StoreTest, QueueNamesAreThoseOfTheDirectories) {
  EXPECT_EQ(queue_name(QueueName::maildrop), "maildrop");
  EXPECT_EQ(queue_name(QueueName::saved), "saved");
  EXPECT_EQ(find_queue("hold"), QueueName::hold);
  EXPECT_EQ(find_queue("nosuch"), std::nullopt);
}

/// The same against the machine's file system.
class SystemStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postrider-queue-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    for (const char* queue : {"/incoming", "/deferred", "/defer"}) {
      ASSERT_TRUE(system_files().make_directory(directory_ + queue, 0700));
    }
  }
  void TearDown() override { std::system(("rm -rf " + directory_).c_str()); }
  std::string directory_;
};

TEST_F(SystemStoreTest, CreateWriteMoveScanRemove) {
  Store store(system_files(), {.directory = directory_, .hashed = {"deferred"}});
  NewFile made = store.create(QueueName::incoming).value();
  ASSERT_TRUE(made.file->write_at(0, "hello"));
  ASSERT_TRUE(made.file->set_mode(kCompleteMode));
  ASSERT_TRUE(made.file->sync());
  ASSERT_TRUE(store.move(made.id, QueueName::incoming, QueueName::deferred));
  Scan scan = store.scan(QueueName::deferred);
  EXPECT_EQ(scan.next()->value().name, made.id);
  EXPECT_FALSE(scan.next().value());
  auto status = store.status(QueueName::deferred, made.id).value();
  EXPECT_TRUE(is_complete(status));
  EXPECT_EQ(status.size, 5U);
  auto file = store.open(QueueName::deferred, made.id, OpenMode::read).value();
  char data[10];
  EXPECT_EQ(file->read_at(1, data, sizeof data).value(), 4U);
  ASSERT_TRUE(store.remove(QueueName::deferred, made.id));
  EXPECT_FALSE(store.status(QueueName::deferred, made.id));
}

TEST_F(SystemStoreTest, RenameNewDoesNotReplace) {
  ASSERT_TRUE(system_files().create(directory_ + "/a", 0600));
  ASSERT_TRUE(system_files().create(directory_ + "/b", 0600));
  auto renamed = system_files().rename_new(directory_ + "/a", directory_ + "/b");
  ASSERT_FALSE(renamed);
  EXPECT_TRUE(already_exists(renamed.error()));
  EXPECT_TRUE(system_files().rename_new(directory_ + "/a", directory_ + "/c"));
}

TEST_F(SystemStoreTest, LocksBelongToTheOpenFile) {
  auto one = system_files().open(directory_ + "/a", OpenMode::append).value();
  auto two = system_files().open(directory_ + "/a", OpenMode::read_write).value();
  ASSERT_TRUE(one->lock_exclusive(false));
  auto second = two->lock_shared(false);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::temporary);
  one.reset();
  EXPECT_TRUE(two->lock_shared(false));
}

TEST_F(SystemStoreTest, SymbolicLinksAreNotFollowed) {
  ASSERT_EQ(std::system(("ln -s /etc/passwd " + directory_ + "/link").c_str()), 0);
  EXPECT_FALSE(system_files().open(directory_ + "/link", OpenMode::read));
  EXPECT_EQ(system_files().status(directory_ + "/link")->type, FileType::other);
}

}  // namespace
}  // namespace postrider::queue
