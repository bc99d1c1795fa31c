#include "local/text_file.h"

#include <fcntl.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "sys/file.h"

namespace postrider::local {
namespace {

std::vector<std::string> lines_of(const std::string& text, size_t max_line = 100) {
  std::string directory = sys::make_private_directory().value(), path = directory + "/file";
  std::ofstream(path, std::ios::binary) << text;
  TextFile file(sys::open_file(path, O_RDONLY).value(), max_line);
  std::vector<std::string> out;
  while (auto line = file.next().value())
    out.push_back(*line);
  std::filesystem::remove_all(directory);
  return out;
}

using Lines = std::vector<std::string>;

TEST(TextFile, ReadsLines) {
  EXPECT_EQ(lines_of("a\n\nb\n"), (Lines{"a\n", "\n", "b\n"}));
  EXPECT_EQ(lines_of(""), Lines{});
}

TEST(TextFile, TheLastLineNeedsNoEnd) {
  EXPECT_EQ(lines_of("a\nb"), (Lines{"a\n", "b"}));
}

TEST(TextFile, BreaksLongLinesIntoPieces) {
  EXPECT_EQ(lines_of("0123456789\nab\n", 4), (Lines{"0123", "4567", "89\n", "ab\n"}));
  EXPECT_EQ(lines_of("0123\nab", 4), (Lines{"0123\n", "ab"}));
}

TEST(TextFile, ReadsFilesThatAreLargerThanItsBuffer) {
  std::string text;
  Lines expected;
  for (int i = 0; i < 3000; ++i) {
    expected.push_back("user" + std::to_string(i) + "@site.test\n");
    text += expected.back();
  }
  EXPECT_EQ(lines_of(text), expected);
}

TEST(TextFile, ReportsWhatCannotBeRead) {
  TextFile directory(sys::open_file("/", O_RDONLY).value(), 100);
  EXPECT_FALSE(directory.next());
}

}  // namespace
}  // namespace postrider::local
