#include "mailbox/copy.h"

#include <gmock/gmock.h>

#include "support.h"

namespace postrider::mailbox {
namespace {

using testing::MatchesRegex;

std::string copy(const Message& message, const CopyFormat& format) {
  std::string out;
  auto copied = copy_message(message, format, [&](std::string_view text) -> Result<void> {
    out += text;
    return {};
  });
  EXPECT_TRUE(copied);
  return out;
}

TEST(CopyMessage, MboxHasFromLineQuotedFromLinesAndAnEmptyLineAtTheEnd) {
  MemoryMessage memory("Subject: one\n\nFrom here\nto there\n From\n\nFrom again\n");
  std::string out = copy(memory.message(), CopyFormat::mbox());
  size_t first_line = out.find('\n');
  EXPECT_THAT(
      out.substr(0, first_line),
      MatchesRegex("From joe@sender.test  [A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4}"));
  EXPECT_EQ(out.substr(first_line + 1),
            "Return-Path: <joe@sender.test>\nX-Original-To: Alice@site.test\nDelivered-To: alice@site.test\n"
            "Subject: one\n\n>From here\nto there\n From\n\n>From again\n\n");
}

TEST(CopyMessage, MaildirHasHeadersOnly) {
  MemoryMessage memory("Subject: one\n\nFrom here\n");
  EXPECT_EQ(copy(memory.message(), CopyFormat::maildir()),
            "Return-Path: <joe@sender.test>\nX-Original-To: Alice@site.test\nDelivered-To: alice@site.test\n"
            "Subject: one\n\nFrom here\n");
}

TEST(CopyMessage, CommandsGetAFromLineAndUnquotedText) {
  MemoryMessage memory("Subject: one\n\nFrom here\n");
  std::string out = copy(memory.message(), CopyFormat::command());
  EXPECT_TRUE(out.starts_with("From joe@sender.test  "));
  EXPECT_TRUE(out.ends_with("\n\nFrom here\n"));
}

TEST(CopyMessage, NullSenderIsMailerDaemonInTheFromLine) {
  MemoryMessage memory("x\n");
  Message message = memory.message();
  message.sender.clear();
  std::string out = copy(message, CopyFormat::mbox());
  EXPECT_TRUE(out.starts_with("From MAILER-DAEMON  "));
  EXPECT_NE(out.find("\nReturn-Path: <>\n"), std::string::npos);
}

TEST(CopyMessage, AddressesAreQuotedAndAMissingOriginalRecipientIsLeftOut) {
  MemoryMessage memory("x\n");
  Message message = memory.message();
  message.original_recipient.clear();
  message.delivered_to = "odd name@site.test";
  EXPECT_EQ(copy(message, CopyFormat::maildir()),
            "Return-Path: <joe@sender.test>\nDelivered-To: \"odd name\"@site.test\nx\n");
}

TEST(CopyMessage, OnlyTheBeginningOfALongLineIsQuotedAndALastLineWithoutEndGetsOne) {
  MemoryMessage memory("a\n");
  memory.add_record(queue::RecordType::text_part, "From one ");
  memory.add_record(queue::RecordType::text_part, "From two ");
  std::string out = copy(memory.message(), CopyFormat::mbox());
  EXPECT_TRUE(out.ends_with("\na\n>From one From two \n\n")) << out;
}

TEST(CopyMessage, TellsAReadFailureFromAWriteFailure) {
  MemoryMessage damaged("x\n");
  damaged.damage();
  auto read =
      copy_message(damaged.message(), CopyFormat::mbox(), [](std::string_view) { return Result<void>(); });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().step, CopyStep::read);
  MemoryMessage memory("x\n");
  auto written = copy_message(memory.message(), CopyFormat::mbox(), [](std::string_view) -> Result<void> {
    return fail(ErrorKind::system, "full");
  });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().step, CopyStep::write);
}

TEST(CopyMessage, StuffsDotsAndEndsLinesAsACommandWantsIt) {
  MemoryMessage memory("Subject: s\n\n.\n..two\nx.\n");
  CopyFormat format{.return_path = false, .original_to = false, .delivered_to = false};
  format.stuff_dots = true;
  format.line_end = "\r\n";
  format.blank_line_at_end = true;
  std::string out;
  ASSERT_TRUE(copy_message(memory.message(), format, [&](std::string_view piece) -> Result<void> {
    out += piece;
    return {};
  }));
  EXPECT_EQ(out, "Subject: s\r\n\r\n..\r\n...two\r\nx.\r\n\r\n");
}

TEST(CopyMessage, LongMessagesArriveInBoundedPieces) {
  std::string text;
  for (int i = 0; i < 20'000; ++i)
    text += "0123456789012345678901234567890123456789\n";
  MemoryMessage memory(text);
  size_t largest = 0, total = 0;
  auto copied =
      copy_message(memory.message(), CopyFormat::maildir(), [&](std::string_view piece) -> Result<void> {
        largest = std::max(largest, piece.size());
        total += piece.size();
        return {};
      });
  ASSERT_TRUE(copied);
  EXPECT_GT(total, text.size());
  EXPECT_LT(largest, 100'000U);
}

}  // namespace
}  // namespace postrider::mailbox
