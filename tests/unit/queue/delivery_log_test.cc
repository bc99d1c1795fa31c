#include "queue/delivery_log.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memory_source.h"
#include "support/fault_files.h"

namespace postrider::queue {
namespace {

using testing::ElementsAre;

std::vector<RecipientStatus> read_all(const std::string& text, LogKind kind = LogKind::defer) {
  MemorySource source(text);
  LogReader reader(source, kind);
  std::vector<RecipientStatus> entries;
  for (;;) {
    auto entry = reader.next().value();
    if (!entry) return entries;
    entries.push_back(*entry);
  }
}

RecipientStatus full_entry() {
  return {
      .recipient = "a1@dest.test",
      .original = "list@site.test",
      .dsn_original = "rfc822;list@site.test",
      .notify = 12,
      .offset = 782,
      .status = "4.2.0",
      .action = "delayed",
      .diagnostic_type = "smtp",
      .diagnostic_text = "451 4.2.0 Greylisted",
      .mta_type = "dns",
      .mta_name = "mx1.dest.test",
      .reason = "host mx1.dest.test[198.51.100.10] said: 451 4.2.0 Greylisted (in reply to RCPT TO command)"};
}

// As Postfix 3.7 writes it.
constexpr std::string_view kFullText =
    "\n"
    "<a1@dest.test>: host mx1.dest.test[198.51.100.10] said: 451 4.2.0 Greylisted (in reply to RCPT TO "
    "command)\n"
    "recipient=a1@dest.test\n"
    "original_recipient=list@site.test\n"
    "offset=782\n"
    "dsn_orig_rcpt=rfc822;list@site.test\n"
    "notify_flags=12\n"
    "status=4.2.0\n"
    "action=delayed\n"
    "diag_type=smtp\n"
    "diag_text=451 4.2.0 Greylisted\n"
    "mta_type=dns\n"
    "mta_mname=mx1.dest.test\n"
    "reason=host mx1.dest.test[198.51.100.10] said: 451 4.2.0 Greylisted (in reply to RCPT TO command)\n"
    "\n";

TEST(DeliveryLog, EntryIsWrittenAsPostfixDoes) {
  EXPECT_EQ(log_entry(full_entry()), kFullText);
  EXPECT_EQ(log_entry({.recipient = "nosuch@site.test",
                       .original = "NoSuch@site.test",
                       .offset = 848,
                       .status = "5.1.1",
                       .action = "failed",
                       .diagnostic_text = "without a type",
                       .reason = "unknown user: \"nosuch\""}),
            "\n<nosuch@site.test>: unknown user: \"nosuch\"\nrecipient=nosuch@site.test\noffset=848\n"
            "status=5.1.1\naction=failed\nreason=unknown user: \"nosuch\"\n\n");
}

TEST(DeliveryLog, EntriesAreReadBack) {
  std::string text = std::string(kFullText) + std::string(kFullText);
  EXPECT_THAT(read_all(text), ElementsAre(full_entry(), full_entry()));
}

TEST(DeliveryLog, OldEntriesHaveAHeadlineOnly) {
  auto entries = read_all("<a b@c.test>: some reason: here\n\n\n\n<d@e.test>: other\n\n", LogKind::bounce);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].recipient, "a b@c.test");
  EXPECT_EQ(entries[0].reason, "some reason: here");
  EXPECT_EQ(entries[0].status, "5.0.0");
  EXPECT_EQ(entries[0].action, "failed");
  EXPECT_EQ(entries[1].recipient, "d@e.test");
}

TEST(DeliveryLog, DefaultsDependOnTheKind) {
  auto entry = read_all("recipient=a@b.test\n\n", LogKind::defer).at(0);
  EXPECT_EQ(entry.status, "4.0.0");
  EXPECT_EQ(entry.action, "delayed");
  EXPECT_EQ(entry.reason, "(description unavailable)");
}

TEST(DeliveryLog, UnfinishedAndSenselessLinesAreSkipped) {
  auto entries = read_all(
      "garbage\nrecipient = a@b.test\n<no end\nunknown=x\noffset=-4\nnotify_flags=x\n\nrecipient=torn@b");
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].recipient, "a@b.test");
  EXPECT_EQ(entries[0].offset, 0U);
}

TEST(DeliveryLog, TextFromPeersCannotForgeLines) {
  std::string text =
      log_entry({.recipient = "a@b.test", .reason = "bad\nrecipient=other@b.test\r\n\n<x>: y"});
  auto entries = read_all(text);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].recipient, "a@b.test");
  EXPECT_EQ(entries[0].reason,
            "bad?recipient=other@b.test??"
            "?<x>: y");
}

TEST(DeliveryLog, EntriesWithoutHeadline) {
  std::string text = log_entry(full_entry(), LogForm::attributes);
  EXPECT_EQ(text.substr(0, 24), "\nrecipient=a1@dest.test\n");
  EXPECT_THAT(read_all(text + text), ElementsAre(full_entry(), full_entry()));
}

TEST(DeliveryLog, EntryBehindOneThatWasCutOffIsRead) {
  for (LogForm form : {LogForm::headline, LogForm::attributes}) {
    std::string torn =
        log_entry({.recipient = "torn@b.test", .diagnostic_type = "smtp", .diagnostic_text = "x"}, form);
    std::string whole = log_entry(full_entry(), form);
    for (size_t size = 0; size < torn.size() - 1; ++size) {
      auto entries = read_all(torn.substr(0, size) + whole);
      // Cut off between two lines it looks like an entry of few words.
      bool between_lines = size > 1 && torn[size - 1] == '\n';
      ASSERT_EQ(entries.size(), between_lines ? 2U : 1U) << size;
      EXPECT_EQ(entries.back(), full_entry()) << size;
    }
  }
}

TEST(DeliveryLog, LongLinesAreCut) {
  auto entries = read_all("reason=" + std::string(200'000, 'x') + "\nrecipient=a@b.test\n\n");
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].reason.size(), 64U * 1024 - 7);
  EXPECT_EQ(entries[0].recipient, "a@b.test");
}

class DeliveryLogsTest : public testing::Test {
 protected:
  DeliveryLogsTest() {
    for (const char* name : {"bounce", "defer", "trace"})
      EXPECT_TRUE(files_.make_directory(name, 0700));
    EXPECT_TRUE(files_.sync_directory("."));
  }
  Result<void> append(LogKind kind, const std::string& recipient) {
    RecipientStatus entry{.recipient = recipient, .reason = "r"};
    return logs_.append(kind, "C769213E", {&entry, 1}, Deadline::never());
  }
  std::vector<std::string> recipients(LogKind kind) {
    std::vector<std::string> out;
    auto file = logs_.open(kind, "C769213E");
    if (!file) return out;
    LogReader reader(**file, kind);
    while (auto entry = reader.next().value())
      out.push_back(entry->recipient);
    return out;
  }
  test::FaultFiles files_;
  Store store_{files_, {.hashed = {"defer", "bounce"}}};
  Committer committer_{files_};
  DeliveryLogs logs_{store_, committer_};
};

TEST_F(DeliveryLogsTest, AppendReadRemove) {
  EXPECT_TRUE(is_missing(logs_.open(LogKind::defer, "C769213E").error()));
  EXPECT_TRUE(logs_.remove(LogKind::defer, "C769213E"));
  ASSERT_TRUE(append(LogKind::defer, "a@b.test"));
  ASSERT_TRUE(append(LogKind::defer, "c@d.test"));
  EXPECT_THAT(files_.all_files(), ElementsAre("defer/C/C769213E"));
  EXPECT_EQ(files_.status("defer/C/C769213E")->mode, 0600U);
  EXPECT_THAT(recipients(LogKind::defer), ElementsAre("a@b.test", "c@d.test"));
  EXPECT_TRUE(logs_.remove(LogKind::defer, "C769213E"));
  EXPECT_THAT(files_.all_files(), ElementsAre());
}

TEST_F(DeliveryLogsTest, FailedAppendLeavesTheLogAsItWas) {
  ASSERT_TRUE(append(LogKind::bounce, "a@b.test"));
  std::string before = files_.content("bounce/C/C769213E");
  for (size_t call = 1; call <= 20; ++call) {
    size_t at = files_.calls();
    files_.fail_at(call, ENOSPC);
    auto appended = append(LogKind::bounce, "c@d.test");
    if (appended) {
      EXPECT_LT(files_.calls() - at, call);
      return;
    }
    EXPECT_TRUE(is_disk_full(appended.error()));
    EXPECT_EQ(files_.content("bounce/C/C769213E"), before) << call;
  }
  FAIL() << "append() never succeeded";
}

TEST_F(DeliveryLogsTest, BounceEntriesSurviveACrash) {
  ASSERT_TRUE(append(LogKind::bounce, "a@b.test"));
  ASSERT_TRUE(append(LogKind::bounce, "c@d.test"));
  ASSERT_TRUE(append(LogKind::trace, "e@f.test"));
  files_.restart(test::Crash::loses_all);
  EXPECT_THAT(recipients(LogKind::bounce), ElementsAre("a@b.test", "c@d.test"));
  EXPECT_THAT(recipients(LogKind::trace), ElementsAre("e@f.test"));
}

}  // namespace
}  // namespace postrider::queue
