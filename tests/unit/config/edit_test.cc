#include "config/edit.h"

#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sys/file.h"

namespace postrider::config {
namespace {

constexpr std::string_view kText =
    "# head\n\nmyorigin = a\n# c1\nmulti = one\n  two\n  # comment\n  three\n\n# tail\nmyorigin = b\n  "
    "cont\n#old = 1\n";

std::string edit(MainCfAction action, const std::vector<MainCfChange>& changes,
                 std::string_view text = kText) {
  std::vector<std::string> warnings;
  return *edit_main_cf(text, "main.cf", action, changes, warnings);
}

TEST(EditMainCf, SettingReplacesTheEntryInItsPlace) {
  EXPECT_EQ(
      edit(MainCfAction::set, {{"multi", "x"}}),
      "# head\n\nmyorigin = a\n# c1\nmulti = x\n  # comment\n\n# tail\nmyorigin = b\n  cont\n#old = 1\n");
}

TEST(EditMainCf, AllEntriesOfANameChangeWithAWarning) {
  std::vector<std::string> warnings;
  EXPECT_EQ(*edit_main_cf("a = 1\nb = 2\na = 3\n", "main.cf", MainCfAction::set, {{"a", "x"}}, warnings),
            "a = x\nb = 2\na = x\n");
  EXPECT_THAT(warnings, testing::ElementsAre("main.cf: multiple entries for \"a\""));
}

TEST(EditMainCf, NewNamesGoToTheEndInTheirOrder) {
  EXPECT_EQ(edit(MainCfAction::set, {{"z", "1"}, {"b", ""}}, "a = 1"), "a = 1\nz = 1\nb = \n");
}

TEST(EditMainCf, OfARepeatedRequestTheLastCounts) {
  EXPECT_EQ(edit(MainCfAction::set, {{"z", "1"}, {"z", "2"}}, ""), "z = 2\n");
}

TEST(EditMainCf, RemovingKeepsComments) {
  EXPECT_EQ(edit(MainCfAction::remove, {{"multi", ""}, {"myorigin", ""}}),
            "# head\n\n# c1\n  # comment\n\n# tail\n#old = 1\n");
}

TEST(EditMainCf, CommentingOutMarksEveryLineOfTheEntry) {
  EXPECT_EQ(
      edit(MainCfAction::comment_out, {{"multi", ""}}),
      "# head\n\nmyorigin = a\n# c1\n#multi = one\n#  two\n  # comment\n#  three\n\n# tail\nmyorigin = b\n"
      "  cont\n#old = 1\n");
}

TEST(EditMainCf, AnyWhiteSpaceEndsTheName) {
  EXPECT_EQ(edit(MainCfAction::set, {{"biff", "no"}}, "biff\v\f= yes\n"), "biff = no\n");
}

TEST(EditMainCf, ALineWithoutAValueIsTheEntryOfItsName) {
  EXPECT_EQ(edit(MainCfAction::set, {{"biff", "no"}}, "biff yes\nb = 2\n"), "biff = no\nb = 2\n");
  EXPECT_EQ(edit(MainCfAction::remove, {{"biff", ""}}, "b = 2\nbiff"), "b = 2\n");
}

TEST(EditMainCf, UnknownNamesChangeNothing) {
  EXPECT_EQ(edit(MainCfAction::remove, {{"nosuch", ""}}), kText);
  EXPECT_EQ(edit(MainCfAction::remove, {{"nosuch", ""}}, "a = 1"), "a = 1");
}

class EditFileTest : public testing::Test {
 protected:
  EditFileTest() {
    char name[] = "/tmp/postrider-edit-XXXXXX";
    directory_ = mkdtemp(name);
    path_ = directory_ + "/main.cf";
  }
  ~EditFileTest() override { std::system(("rm -rf " + directory_).c_str()); }
  std::string directory_, path_;
};

TEST_F(EditFileTest, ContentChangesAndTheModeStays) {
  ASSERT_TRUE(sys::replace_file(path_, "old", 0640));
  ASSERT_TRUE(edit_file(path_, [](std::string_view content) { return std::string(content) + " and new"; }));
  EXPECT_EQ(*sys::read_file(path_, 100), "old and new");
  EXPECT_EQ(sys::stat_file(path_)->st_mode & 07777, 0640u);
  EXPECT_EQ(sys::list_directory(directory_)->size(), 1u);
}

TEST_F(EditFileTest, AFailedChangeLeavesTheFile) {
  ASSERT_TRUE(sys::replace_file(path_, "old", 0640));
  auto refused = edit_file(
      path_, [](std::string_view) -> Result<std::string> { return fail(ErrorKind::invalid, "no"); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "no");
  EXPECT_EQ(*sys::read_file(path_, 100), "old");
  EXPECT_EQ(sys::list_directory(directory_)->size(), 1u);
}

TEST_F(EditFileTest, AMissingFileIsAnError) {
  auto edited = edit_file(path_, [](std::string_view) { return std::string(); });
  ASSERT_FALSE(edited);
  EXPECT_EQ(edited.error().text, "open " + path_ + " for reading: No such file or directory");
  EXPECT_TRUE(sys::list_directory(directory_)->empty());
}

}  // namespace
}  // namespace postrider::config
