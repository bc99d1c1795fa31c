#include "support.h"
#include "table/cdb_file.h"

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
  EXPECT_THAT(opened.error().text, HasSubstr("O_RDONLY"));
}

TEST_F(Cdb, OtherFilesAreRefused) {
  write("t.cdb", "not one");
  EXPECT_THAT(open_error(spec()), HasSubstr("not a cdb file"));
}

TEST(CdbView, DamagedFilesLeadNowhere) {
  // Tables that point behind the end, and slots that point behind the records.
  std::string bytes(kCdbHeader, '\xff');
  auto view = CdbView::over(bytes);
  ASSERT_TRUE(view);
  EXPECT_FALSE(view->find("a"));
  EXPECT_FALSE(view->record_at(kCdbHeader));
  EXPECT_FALSE(CdbView::over(std::string(kCdbHeader, '\0')));
}

}  // namespace
}  // namespace postrider::table
