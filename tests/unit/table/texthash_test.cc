#include <unistd.h>

#include "support.h"

namespace postrider::table {
namespace {

using TextHashTest = TableTest;
using testing::ElementsAre;

TEST_F(TextHashTest, FindsFoldedKeys) {
  std::string file = write("t", "Key1  value one\nkey2\tv\n  continued\n");
  auto table = open_table("texthash:" + file);
  EXPECT_EQ(look_up(*table, "KEY1"), "value one");
  EXPECT_EQ(look_up(*table, "key2"), "v  continued");
  EXPECT_EQ(look_up(*table, "key3"), "(none)");
  EXPECT_THAT(logged(), ElementsAre());
}

TEST_F(TextHashTest, WarnsAboutLinesItCannotUse) {
  std::string file = write("t", "a 1\nnovalue\nA 2\n\"open x\nmail: x\n");
  auto table = open_table("texthash:" + file);
  EXPECT_EQ(look_up(*table, "a"), "1");
  EXPECT_THAT(logged(),
              ElementsAre(file + ", line 2: expected format: key whitespace value -- ignoring this line",
                          file + ", line 3: duplicate entry: \"A\"",
                          file + ", line 4: unbalanced '\"' in '\"open x' -- ignoring this line",
                          file + ", line 5: record is in \"key: value\" format; is this an alias file?"));
}

TEST_F(TextHashTest, EqualKeysAreTreatedAsAskedFor) {
  std::string spec = "texthash:" + write("t", "a 1\na 2\n");
  OpenOptions with = options();
  with.duplicates = Duplicates::replace;
  EXPECT_EQ(look_up(*open(spec, with).value(), "a"), "2");
  with.duplicates = Duplicates::ignore;
  EXPECT_EQ(look_up(*open(spec, with).value(), "a"), "1");
  EXPECT_THAT(logged(), testing::IsEmpty());
}

TEST_F(TextHashTest, ErrorsNameTheFile) {
  EXPECT_EQ(open_error("texthash:" + path("none")),
            "open database " + path("none") + ": No such file or directory");
  EXPECT_EQ(open_error("texthash:" + directory_), "read " + directory_ + ": Is a directory");
}

TEST_F(TextHashTest, KeepsTheOldContentWhenTheFileGoes) {
  std::string file = write("t", "a 1\n");
  auto table = open_table("texthash:" + file);
  unlink(file.c_str());
  EXPECT_EQ(look_up(*table, "a"), "1");
}

}  // namespace
}  // namespace postrider::table
