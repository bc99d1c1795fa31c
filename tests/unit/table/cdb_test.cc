#include "support.h"
#include "sys/file.h"

namespace postrider::table {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Cdb : public TableTest {
 protected:
  std::string spec() const { return "cdb:" + path("t"); }
};

TEST_F(Cdb, FindsWhatWasBuilt) {
  build(spec(), {{"a", "1"}, {"B", "2"}, {"empty", " "}});
  auto table = open_table(spec());
  EXPECT_EQ(look_up(*table, "a"), "1");
  EXPECT_EQ(look_up(*table, "b"), "2");
  EXPECT_EQ(look_up(*table, "c"), "(none)");
  EXPECT_EQ(all_entries(*table).size(), 3U);
}

TEST_F(Cdb, FirstOfEqualKeysStaysUnlessReplaced) {
  build(spec(), {{"a", "1"}, {"a", "2"}});
  EXPECT_THAT(logged(), ElementsAre(path("t") + ": duplicate entry: \"a\""));
  EXPECT_EQ(look_up(spec(), "a"), "1");
  OpenOptions with = options();
  with.duplicates = Duplicates::replace;
  build(spec(), {{"a", "1"}, {"a", "2"}}, with);
  auto table = open_table(spec());
  EXPECT_EQ(look_up(*table, "a"), "2");
  EXPECT_EQ(all_entries(*table), (std::vector<Entry>{{"a", "2"}}));
}

TEST_F(Cdb, ManyEntriesAreAllFound) {
  std::vector<Entry> entries;
  for (int i = 0; i < 20'000; ++i)
    entries.push_back({"key" + std::to_string(i), std::to_string(i)});
  build(spec(), entries);
  auto table = open_table(spec());
  for (int i = 0; i < 20'000; i += 37)
    EXPECT_EQ(look_up(*table, "key" + std::to_string(i)), std::to_string(i));
  EXPECT_EQ(all_entries(*table).size(), 20'000U);
}

TEST_F(Cdb, AnEmptyTableHasNothing) {
  build(spec(), {});
  auto table = open_table(spec());
  EXPECT_EQ(look_up(*table, "a"), "(none)");
  EXPECT_TRUE(all_entries(*table).empty());
}

TEST_F(Cdb, CannotBeWrittenTo) {
  build(spec(), {{"a", "1"}});
  OpenOptions with = options();
  with.access = Access::exclusive;
  auto opened = open(spec(), with);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().text, HasSubstr("inappropriate open flags"));
}

TEST_F(Cdb, OtherFilesAreRefused) {
  write("t.cdb", "not one");
  EXPECT_THAT(open_error(spec()), HasSubstr("dict_cdbq_open: unable to init"));
}

TEST_F(Cdb, DamagedFilesLeadNowhere) {
  // Tables that point behind the end.
  write("t.cdb", std::string(2048, '\xff'));
  auto table = open(spec(), options());
  if (!table) return;
  EXPECT_NE(look_up(**table, "a"), "1");
  // A whole file of which the end is missing.
  build(spec(), {{"a", "1"}, {"b", "2"}});
  std::string whole = sys::read_file(path("t.cdb"), 1 << 20).value();
  for (size_t size : {whole.size() - 1, whole.size() - 16, size_t{2049}}) {
    write("t.cdb", whole.substr(0, size));
    auto opened = open(spec(), options());
    if (opened) (void)all_entries(**opened);
    if (opened) (void)(*opened)->lookup("a", Deadline::never());
  }
}

}  // namespace
}  // namespace postrider::table
