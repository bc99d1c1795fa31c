// hash, btree and lmdb behave alike.
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "io/fiber.h"
#include "io/loop.h"
#include "support.h"
#include "sys/file.h"

namespace postrider::table {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

class IndexTables : public TableTest, public testing::WithParamInterface<const char*> {
 protected:
  std::string spec(const std::string& name = "t") const { return std::string(GetParam()) + ":" + path(name); }
  std::string index(const std::string& name = "t") const {
    return path(name) + (GetParam() == std::string("lmdb") ? ".lmdb" : ".db");
  }
};

TEST_P(IndexTables, FindWhatWasBuilt) {
  build(spec(), {{"Key", "value one"}, {"b", "2"}, {"", "empty"}});
  auto table = open_table(spec());
  EXPECT_EQ(look_up(*table, "key"), "value one");
  EXPECT_EQ(look_up(*table, "KEY"), "value one");
  EXPECT_EQ(look_up(*table, "b"), "2");
  EXPECT_EQ(look_up(*table, "c"), "(none)");
}

TEST_P(IndexTables, ManyEntriesInAnyOrder) {
  std::vector<Entry> entries;
  for (int i = 0; i < 50'000; ++i) {
    int n = i * 7919 % 50'000;
    entries.push_back({"user" + std::to_string(n) + "@example.com", "mailbox" + std::to_string(n)});
  }
  build(spec(), entries);
  auto table = open_table(spec());
  for (const Entry& entry : entries)
    ASSERT_EQ(look_up(*table, entry.key), entry.value);
  std::vector<Entry> found = all_entries(*table);
  auto before = [](const Entry& a, const Entry& b) { return a.key < b.key; };
  std::sort(found.begin(), found.end(), before);
  std::sort(entries.begin(), entries.end(), before);
  EXPECT_TRUE(found == entries);
}

TEST_P(IndexTables, LargeValuesFit) {
  std::string large(5 << 20, 'x');
  build(spec(), {{"a", "1"}, {"large", large}, {"z", "2"}});
  auto table = open_table(spec());
  EXPECT_TRUE(look_up(*table, "large") == large);
  EXPECT_EQ(look_up(*table, "z"), "2");
}

TEST_P(IndexTables, TheFirstOfEqualKeysStaysAndIsWarnedAbout) {
  build(spec(), {{"a", "1"}, {"A", "2"}});
  EXPECT_THAT(logged(), ElementsAre((GetParam() == std::string("lmdb") ? spec() : index()) +
                                    ": duplicate entry: \"a\""));
  EXPECT_EQ(look_up(spec(), "a"), "1");
}

TEST_P(IndexTables, TheLastOfEqualKeysStaysWhenAskedFor) {
  OpenOptions with = options();
  with.duplicates = Duplicates::replace;
  build(spec(), {{"a", "1"}, {"A", "2"}}, with);
  EXPECT_THAT(logged(), ElementsAre());
  EXPECT_EQ(look_up(spec(), "a"), "2");
}

TEST_P(IndexTables, KeysAreFoundWithAndWithoutTerminator) {
  OpenOptions with = options();
  with.terminator = Terminator::never;
  build(spec(), {{"a", "1"}}, with);
  EXPECT_EQ(look_up(spec(), "a"), "1");
  with.terminator = Terminator::always;
  EXPECT_EQ(look_up(*open(spec(), with).value(), "a"), "(none)");
}

TEST_P(IndexTables, RawEntriesAreNeitherFoldedNorTerminated) {
  auto builder = create(spec(), 0644, options());
  ASSERT_TRUE(builder);
  ASSERT_TRUE((*builder)->add_raw("YP_MASTER_NAME", "host"));
  ASSERT_TRUE((*builder)->commit());
  OpenOptions with = options();
  with.behaviour.fold_fixed = false;
  with.terminator = Terminator::never;
  EXPECT_EQ(look_up(*open(spec(), with).value(), "YP_MASTER_NAME"), "host");
}

TEST_P(IndexTables, OpenErrorsNameTheIndex) {
  EXPECT_EQ(open_error(spec("none")), "open database " + index("none") + ": No such file or directory");
}

TEST_P(IndexTables, WarnWhenTheSourceIsNewer) {
  write("t", "a b\n", 200);
  build(spec(), {{"a", "b"}});
  set_age(index(), 300);
  auto table = open_table(spec());
  EXPECT_THAT(logged(), ElementsAre("database " + index() + " is older than source file " + path("t")));
}

TEST_P(IndexTables, AnAbandonedBuildLeavesTheOldIndex) {
  build(spec(), {{"a", "1"}});
  {
    auto builder = create(spec(), 0644, options());
    ASSERT_TRUE((*builder)->add("a", "2"));
  }
  EXPECT_EQ(look_up(spec(), "a"), "1");
  EXPECT_EQ(sys::list_directory(directory_).value().size(), 1U);
}

TEST_P(IndexTables, OpenTablesSeeANewIndexAtOnce) {
  build(spec(), {{"a", "1"}});
  auto table = open_table(spec());
  EXPECT_EQ(look_up(*table, "a"), "1");
  build(spec(), {{"a", "2"}});
  EXPECT_EQ(look_up(*table, "a"), "2");
  EXPECT_FALSE(table->is_stale());
}

TEST_P(IndexTables, TheOldContentServesWhenTheIndexIsGone) {
  build(spec(), {{"a", "1"}});
  auto table = open_table(spec());
  unlink(index().c_str());
  EXPECT_EQ(look_up(*table, "a"), "1");
  EXPECT_TRUE(table->is_stale());
  EXPECT_THAT(logged(),
              ElementsAre(testing::HasSubstr("using the content read before: open database " + index())));
  EXPECT_EQ(look_up(*table, "a"), "1");
  EXPECT_THAT(logged(), ElementsAre());
}

TEST_P(IndexTables, ANewIndexKeepsModeAndWarnsNobodyOff) {
  build(spec(), {{"a", "1"}});
  chmod(index().c_str(), 0640);
  build(spec(), {{"a", "2"}});
  EXPECT_EQ(sys::stat_file(index())->st_mode & 07777, 0640U);
}

TEST_P(IndexTables, ASymbolicLinkToTheIndexStays) {
  sys::make_directory(path("real"), 0755).value();
  std::string real = path("real") + "/x";
  build(std::string(GetParam()) + ":" + real, {{"a", "1"}});
  std::string suffix = index().substr(path("t").size());
  ASSERT_EQ(symlink((real + suffix).c_str(), index().c_str()), 0);
  build(spec(), {{"a", "2"}});
  EXPECT_TRUE(S_ISLNK(sys::lstat_file(index())->st_mode));
  EXPECT_EQ(look_up(std::string(GetParam()) + ":" + real, "a"), "2");
}

TEST_P(IndexTables, AnIndexWithTwoNamesIsRewrittenInPlace) {
  build(spec(), {{"a", "1"}, {"b", "1"}});
  ASSERT_EQ(link(index().c_str(), path("other").c_str()), 0);
  ino_t inode = sys::stat_file(index())->st_ino;
  auto table = open_table(spec());
  EXPECT_EQ(look_up(*table, "a"), "1");
  build(spec(), {{"a", "2"}});
  EXPECT_EQ(sys::stat_file(index())->st_ino, inode);
  EXPECT_EQ(look_up(*table, "a"), "2");
  EXPECT_EQ(look_up(*table, "b"), "(none)");
}

TEST_P(IndexTables, ABuildThatWasOvertakenIsRefused) {
  build(spec(), {{"a", "1"}});
  auto slow = create(spec(), 0644, options());
  ASSERT_TRUE((*slow)->add("a", "slow"));
  build(spec(), {{"a", "fast"}});
  auto committed = (*slow)->commit();
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().kind, ErrorKind::temporary);
  EXPECT_EQ(look_up(spec(), "a"), "fast");
}

TEST_P(IndexTables, EntriesCanBeAddedAndRemoved) {
  build(spec(), {{"a", "1"}});
  OpenOptions with = options();
  with.access = Access::write;
  auto writer = open(spec(), with).value();
  auto reader = open_table(spec());
  ASSERT_TRUE(writer->put("B", "2", Deadline::never()));
  EXPECT_EQ(look_up(*reader, "b"), "2");
  ASSERT_TRUE(writer->put("b", "3", Deadline::never()));
  EXPECT_THAT(logged(), ElementsAre(testing::HasSubstr("duplicate entry: \"b\"")));
  EXPECT_EQ(look_up(*reader, "b"), "2");
  EXPECT_TRUE(writer->remove("a", Deadline::never()).value());
  EXPECT_FALSE(writer->remove("a", Deadline::never()).value());
  EXPECT_EQ(look_up(*reader, "a"), "(none)");
}

TEST_P(IndexTables, AMissingIndexIsCreatedForWriting) {
  OpenOptions with = options();
  with.access = Access::exclusive;
  with.create_mode = 0600;
  {
    auto writer = open(spec(), with);
    ASSERT_TRUE(writer) << writer.error().text;
    ASSERT_TRUE((*writer)->put("a", "1", Deadline::never()));
    ASSERT_TRUE((*writer)->sync());
    EXPECT_EQ(look_up(**writer, "a"), "1");
  }
  EXPECT_EQ(look_up(spec(), "a"), "1");
  EXPECT_EQ(sys::stat_file(index())->st_mode & 07777, 0600U);
}

TEST_P(IndexTables, ReadersCannotWrite) {
  build(spec(), {{"a", "1"}});
  auto table = open_table(spec());
  EXPECT_THAT(table->put("b", "2", Deadline::never()).error().text,
              testing::HasSubstr("update operation is not supported"));
  EXPECT_THAT(table->remove("a", Deadline::never()).error().text,
              testing::HasSubstr("delete operation is not supported"));
}

TEST_P(IndexTables, EntriesCanBeRemovedWhileWalking) {
  build(spec(), {{"a", "1"}, {"b", "2"}, {"c", "3"}});
  OpenOptions with = options();
  with.access = Access::exclusive;
  auto table = open(spec(), with).value();
  std::vector<std::string> seen;
  for (auto entry = table->first(Deadline::never()).value(); entry;
       entry = table->next(Deadline::never()).value()) {
    seen.push_back(entry->key);
    ASSERT_TRUE(table->remove(entry->key, Deadline::never()).value());
  }
  EXPECT_THAT(seen, UnorderedElementsAre("a", "b", "c"));
  EXPECT_THAT(all_entries(*table), ElementsAre());
}

TEST_P(IndexTables, AnEmptyIndexIsFine) {
  build(spec(), {});
  auto table = open_table(spec());
  EXPECT_EQ(look_up(*table, "a"), "(none)");
  EXPECT_THAT(all_entries(*table), ElementsAre());
}

TEST_P(IndexTables, GarbageIsAnError) {
  write(index().substr(directory_.size() + 1), std::string(10'000, 'x'));
  testing::internal::CaptureStderr();
  EXPECT_THAT(open_error(spec()), testing::StartsWith("open database " + index() + ": "));
  testing::internal::GetCapturedStderr();
}

TEST_P(IndexTables, AKeptLockKeepsOthersFromWriting) {
  build(spec(), {{"a", "1"}});
  OpenOptions with = options();
  with.keep_lock = true;
  auto table = open(spec(), with).value();
  EXPECT_EQ(look_up(*table, "a"), "1");
  sys::Fd fd = sys::open_file(index(), O_RDWR).value();
  auto lock = [&] {
    return index().ends_with(".lmdb") ? sys::lock_exclusive(fd.get(), false)
                                      : sys::flock_exclusive(fd.get(), false);
  };
  EXPECT_FALSE(lock());
  EXPECT_EQ(all_entries(*table).size(), 1U);
  EXPECT_FALSE(lock());
  table.reset();
  EXPECT_TRUE(lock());
}

TEST_P(IndexTables, EntriesThatCannotBeStoredAreNoReasonToTryAgain) {
  if (index().ends_with(".db")) GTEST_SKIP() << "takes keys of any length";
  auto builder = create(spec(), 0644, options());
  ASSERT_TRUE(builder);
  ASSERT_TRUE((*builder)->add(std::string(600, 'k'), "v"));
  auto committed = (*builder)->commit();
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().kind, ErrorKind::system);
  EXPECT_THAT(committed.error().text, testing::HasSubstr("MDB_BAD_VALSIZE"));
}

INSTANTIATE_TEST_SUITE_P(Types, IndexTables, testing::Values("hash", "btree", "lmdb"),
                         [](const auto& type) { return std::string(type.param); });

using BerkeleyLocks = TableTest;

TEST_F(BerkeleyLocks, ALookupWaitsForARebuildInPlaceWithoutBlockingTheLoop) {
  build("hash:" + path("t"), {{"a", "1"}});
  auto table = open_table("hash:" + path("t"));
  auto fd = sys::open_file(path("t.db"), O_RDWR);
  ASSERT_TRUE(sys::flock_exclusive(fd->get(), true));
  std::vector<std::string> events;
  io::run_with_loop([&] {
    io::spawn([&] {
      events.push_back("asked");
      events.push_back(look_up(*table, "a"));
    });
    io::yield();
    io::yield();
    events.push_back("released");
    (void)sys::flock_release(fd->get());
    while (events.size() < 3)
      io::sleep_for(milliseconds(1));
  });
  EXPECT_THAT(events, ElementsAre("asked", "released", "1"));
}

TEST_F(BerkeleyLocks, ALookupGivesUpAtItsDeadline) {
  build("hash:" + path("t"), {{"a", "1"}});
  auto table = open_table("hash:" + path("t"));
  auto fd = sys::open_file(path("t.db"), O_RDWR);
  ASSERT_TRUE(sys::flock_exclusive(fd->get(), true));
  io::run_with_loop([&] {
    auto value = table->lookup("a", Deadline::after(milliseconds(5)));
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().kind, ErrorKind::timeout);
  });
}

}  // namespace
}  // namespace postrider::table
