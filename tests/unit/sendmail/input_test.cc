#include "tools/sendmail/input.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "sys/fd.h"

namespace postrider::sendmail {
namespace {

/// The pieces of a text: "L:" in front of parts that do not end a line.
std::vector<std::string> pieces(std::string text, Input::Options options = {}) {
  sys::Pipe pipe = sys::make_pipe().value();
  std::thread writer([&pipe, text = std::move(text)] {
    (void)sys::write_all(pipe.write.get(), text);
    pipe.write.reset();
  });
  Input input(pipe.read.get(), options);
  std::vector<std::string> out;
  while (auto piece = input.next().value())
    out.push_back((piece->ends_line ? "" : "L:") + std::string(piece->text));
  char rest[4096];
  while (sys::read_some(pipe.read.get(), rest, sizeof rest).value_or(0) > 0) {
  }
  writer.join();
  return out;
}

using Texts = std::vector<std::string>;

TEST(SendmailInput, KeepsALastLineWithoutAnEnd) {
  EXPECT_EQ(pieces("a\n\nno newline at the end"), (Texts{"a", "", "L:no newline at the end"}));
}

TEST(SendmailInput, DividesLongLines) {
  EXPECT_EQ(pieces("abcd\nabcde\nabc\n", {.line_limit = 4}), (Texts{"L:abcd", "", "L:abcd", "e", "abc"}));
}

TEST(SendmailInput, ReadsMoreThanItsBuffer) {
  std::string text;
  Texts expected;
  for (int i = 0; i < 30'000; ++i) {
    expected.push_back("line " + std::to_string(i));
    text += expected.back() + "\n";
  }
  EXPECT_EQ(pieces(text), expected);
}

TEST(SendmailInput, ADotAloneEndsTheMessage) {
  EXPECT_EQ(pieces("a\n.\nb\n"), Texts{"a"});
  EXPECT_EQ(pieces("a\n.\nb\n", {.dot_ends = false}), (Texts{"a", ".", "b"}));
  EXPECT_EQ(pieces("a\n."), Texts{"a"});
  EXPECT_EQ(pieces("a\n..\nb."), (Texts{"a", "..", "L:b."}));
}

TEST(SendmailInput, ADotBehindALongLineIsContent) {
  EXPECT_EQ(pieces("abcd.\nx\n", {.line_limit = 4}), (Texts{"L:abcd", ".", "x"}));
}

TEST(SendmailInput, LeavesOutMboxSeparatorsInFront) {
  EXPECT_EQ(pieces("From joe Mon\n>>From ann\nSubject: x\nFrom body\n"), (Texts{"Subject: x", "From body"}));
}

TEST(SendmailInput, RemovesCarriageReturns) {
  EXPECT_EQ(pieces("a\r\r\nb\n.\r\nc"), (Texts{"a", "b"}));
  EXPECT_EQ(pieces("a\rb\r\n"), Texts{"a\rb"});
}

TEST(SendmailInput, StrictGoesByTheFirstLine) {
  Input::Options strict{.line_endings = LineEndings::strict};
  EXPECT_EQ(pieces("a\r\nb\r\n", strict), (Texts{"a", "b"}));
  EXPECT_EQ(pieces("a\nb\r\n", strict), (Texts{"a", "b\r"}));
  EXPECT_EQ(pieces("a\r\n", {.line_endings = LineEndings::never}), Texts{"a\r"});
}

}  // namespace
}  // namespace postrider::sendmail
