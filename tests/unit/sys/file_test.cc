#include "sys/file.h"

#include <unistd.h>

#include <cstdlib>

#include <gtest/gtest.h>

namespace postrider::sys {
namespace {

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postrider-file-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::system(("rm -rf " + directory_).c_str()); }
  std::string directory_;
};

TEST_F(FileTest, ReplaceFileLeavesNoTemporaryFile) {
  ASSERT_TRUE(replace_file(directory_ + "/a", "one", 0640));
  ASSERT_TRUE(replace_file(directory_ + "/a", "two", 0640));
  EXPECT_EQ(read_file(directory_ + "/a", 100).value(), "two");
  EXPECT_EQ(list_directory(directory_).value(), std::vector<std::string>{"a"});
  EXPECT_EQ(stat_file(directory_ + "/a")->st_mode & 07777, 0640U);
}

TEST_F(FileTest, ReadFileHasALimit) {
  ASSERT_TRUE(replace_file(directory_ + "/a", "0123456789", 0600));
  auto content = read_file(directory_ + "/a", 9);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().kind, ErrorKind::limit);
  EXPECT_EQ(read_file(directory_ + "/a", 10).value(), "0123456789");
}

TEST_F(FileTest, ErrorsNameThePath) {
  auto fd = open_file(directory_ + "/none", O_RDONLY);
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().code, ENOENT);
  EXPECT_EQ(fd.error().text, "open " + directory_ + "/none: No such file or directory");
}

TEST_F(FileTest, MakeDirectoriesMakesParents) {
  ASSERT_TRUE(make_directories(directory_ + "/x/y/z", 0755));
  ASSERT_TRUE(make_directories(directory_ + "/x/y/z", 0755));
  EXPECT_TRUE(exists(directory_ + "/x/y/z"));
}

#ifdef F_OFD_SETLK
TEST_F(FileTest, ALockStaysWhenAnotherDescriptorOfTheFileIsClosed) {
  std::string path = directory_ + "/locked";
  Fd locked = open_file(path, O_RDWR | O_CREAT, 0600).value();
  Fd other = open_file(path, O_RDWR).value();
  ASSERT_TRUE(lock_exclusive(locked.get(), false));
  other.reset();
  other = open_file(path, O_RDWR).value();
  auto second = lock_shared(other.get(), false);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::temporary);
  ASSERT_TRUE(unlock(locked.get()));
  EXPECT_TRUE(lock_shared(other.get(), false));
}
#endif

TEST(Paths, DirectoryAndBaseName) {
  EXPECT_EQ(directory_of("/a/b"), "/a");
  EXPECT_EQ(directory_of("/a"), "/");
  EXPECT_EQ(directory_of("a"), ".");
  EXPECT_EQ(base_name("/a/b"), "b");
  EXPECT_EQ(base_name("b"), "b");
}

}  // namespace
}  // namespace postrider::sys
