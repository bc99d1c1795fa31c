#include "queue/envelope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memory_source.h"
#include "queue/content.h"
#include "support/fault_files.h"

namespace postrider::queue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Envelope read(const std::string& bytes, size_t max = 1000) {
  MemorySource source(bytes);
  auto envelope = read_envelope(source, max);
  EXPECT_TRUE(envelope) << envelope.error().text;
  return envelope.value_or(Envelope());
}

std::string refusal(const std::string& bytes) {
  MemorySource source(bytes);
  auto envelope = read_envelope(source, 1000);
  return envelope ? "" : envelope.error().text;
}

std::vector<std::string> addresses(const Envelope& envelope) {
  std::vector<std::string> out;
  for (const Recipient& recipient : envelope.recipients)
    out.push_back(recipient.address);
  return out;
}

/// A file with these envelope records before and behind the content.
std::string message(const std::string& before, const std::string& behind = "", int64_t flags = 0) {
  std::string content = record(RecordType::text, "Subject: x") + record(RecordType::text, "") +
                        record(RecordType::text, "body");
  SizeRecord size{.size = static_cast<int64_t>(content.size()),
                  .offset = static_cast<int64_t>(97 + before.size() + 2),
                  .recipients = 3,
                  .flags = flags,
                  .content_length = static_cast<int64_t>(content.size())};
  return record(RecordType::size, size.text()) + before + record(RecordType::message, "") + content +
         record(RecordType::extracted, "") + behind + record(RecordType::end, "");
}

const std::string kStart =
    record(RecordType::arrival_time, "1700000000 5") + record(RecordType::sender, "joe@sender.test");

std::string rcpt(const std::string& address) {
  return record(RecordType::recipient, address);
}

TEST(Envelope, ReadsAMessageOfPostfix) {
  Envelope envelope = read(sample("single"));
  EXPECT_EQ(envelope.sender, "joe@sender.test");
  EXPECT_EQ(envelope.arrival_seconds, 1795250304);
  EXPECT_EQ(envelope.arrival_microseconds, 812763);
  EXPECT_EQ(envelope.create_time, 1795250304);
  EXPECT_EQ(envelope.size.size, 345);
  EXPECT_EQ(envelope.size.offset, 683);
  EXPECT_EQ(envelope.attribute("client_name"), "localhost");
  EXPECT_EQ(envelope.attribute("log_ident"), "C769213E");
  EXPECT_EQ(envelope.attribute("nosuch"), "");
  EXPECT_EQ(envelope.warn_time, 1795253904);
  EXPECT_EQ(envelope.warn_offset, 581U);
  ASSERT_EQ(envelope.recipients.size(), 1U);
  EXPECT_EQ(envelope.recipients[0].address, "ann@dest.test");
  EXPECT_EQ(envelope.recipients[0].original, "ann@dest.test");
  EXPECT_EQ(envelope.recipients[0].dsn_original, "rfc822;ann@dest.test");
  EXPECT_EQ(envelope.recipients[0].offset, 649U);
  EXPECT_EQ(envelope.resume, 0U);
  EXPECT_EQ(envelope.unread, 0);
}

TEST(Envelope, FollowsEditsOfAMilter) {
  Envelope envelope = read(sample("edited"));
  EXPECT_EQ(envelope.sender, "new@sender.test");
  EXPECT_THAT(addresses(envelope), ElementsAre("ann@dest.test", "bob@dest.test", "joe@dest.test"));
  EXPECT_EQ(envelope.recipients[1].offset, 1467U);
  EXPECT_EQ(envelope.size.content_length, 386);
}

TEST(Envelope, RecipientsBehindTheContent) {
  Envelope envelope = read(sample("bcc"));
  EXPECT_THAT(addresses(envelope),
              ElementsAre("ann@dest.test", "bob@dest.test", "copy@dest.test", "copy@dest.test"));
  EXPECT_EQ(envelope.recipients[3].notify, kNotifyNever);
  EXPECT_EQ(envelope.recipients[2].notify, 0);
  EXPECT_EQ(read(sample("sendmail-t")).recipients.size(), 2U);
}

TEST(Envelope, DoneRecipientsAreLeftOut) {
  Envelope envelope = read(sample("partly-done"));
  EXPECT_THAT(addresses(envelope), ElementsAre("later@dest.test", "later2@dest.test"));
  EXPECT_EQ(envelope.unread, 0);
}

TEST(Envelope, FilterEncodingAndSmtputf8) {
  EXPECT_EQ(read(sample("filter")).filter, "smtp:[127.0.0.1]:10024");
  Envelope envelope = read(sample("smtputf8"));
  EXPECT_EQ(envelope.size.send_options, kSmtputf8Requested | kSmtputf8Header | kSmtputf8Sender);
  EXPECT_EQ(envelope.recipients[0].address, "\xc3\xa4nn@dest.test");
  EXPECT_EQ(read(sample("long-line")).encoding, "8bit");
}

TEST(Envelope, AllKindsOfRecords) {
  Envelope envelope = read(message(
      kStart + record(RecordType::full_name, "Joe Smith") + record(RecordType::attribute, "envelope_id=e 1") +
          record(RecordType::attribute, "ret_flags=2") + record(RecordType::attribute, "trace_flags=1024") +
          record(RecordType::verp, "+=") + record(RecordType::attribute, "sasl_username=u=v") +
          record(RecordType::attribute, "broken") + record(RecordType::killed, "trace_flags=9") +
          record(RecordType::dsn_original, "rfc822;old") + record(RecordType::dsn_notify, "12") +
          rcpt("a@b.test"),
      record(RecordType::redirect, "x@y.test") + record(RecordType::inspector, "t:n")));
  EXPECT_EQ(envelope.sender_full_name, "Joe Smith");
  EXPECT_EQ(envelope.envelope_id, "e 1");
  EXPECT_EQ(envelope.return_flags, kReturnHeaders);
  EXPECT_EQ(envelope.trace_flags, 1024);
  EXPECT_EQ(envelope.verp, "+=");
  EXPECT_EQ(envelope.attribute("sasl_username"), "u=v");
  EXPECT_EQ(envelope.redirect, "x@y.test");
  EXPECT_EQ(envelope.inspector, "t:n");
  EXPECT_EQ(envelope.recipients[0].notify, 12);
  EXPECT_EQ(envelope.recipients[0].dsn_original, "rfc822;old");
}

TEST(Envelope, RecipientsInPortions) {
  std::string bytes = message(kStart + rcpt("a") + rcpt("b") + rcpt("c"), record(RecordType::filter, "f:"));
  for (size_t portion = 1; portion <= 4; ++portion) {
    MemorySource source(bytes);
    auto envelope = read_envelope(source, portion);
    ASSERT_TRUE(envelope) << envelope.error().text;
    EXPECT_EQ(envelope->filter, "f:") << portion;  // Behind all recipients, and known with the first ones.
    std::vector<std::string> seen = addresses(*envelope);
    EXPECT_EQ(envelope->unread, 3 - static_cast<int64_t>(seen.size()));
    while (envelope->resume != 0) {
      ASSERT_TRUE(read_recipients(source, *envelope, portion));
      EXPECT_LE(envelope->recipients.size(), portion);
      for (const std::string& address : addresses(*envelope))
        seen.push_back(address);
    }
    EXPECT_THAT(seen, ElementsAre("a", "b", "c")) << portion;
    EXPECT_EQ(envelope->unread, 0);
    ASSERT_TRUE(read_recipients(source, *envelope, portion));
    EXPECT_TRUE(envelope->recipients.empty());
  }
}

TEST(Envelope, PortionsAcrossTheContentAndJumps) {
  for (const char* name : {"bcc", "edited", "partly-done"}) {
    std::vector<std::string> all = addresses(read(sample(name)));
    MemorySource source(sample(name));
    auto envelope = read_envelope(source, 1);
    ASSERT_TRUE(envelope) << envelope.error().text;
    std::vector<std::string> seen = addresses(*envelope);
    while (envelope->resume != 0) {
      ASSERT_TRUE(read_recipients(source, *envelope, 1));
      for (const std::string& address : addresses(*envelope))
        seen.push_back(address);
    }
    EXPECT_EQ(seen, all) << name;
  }
}

TEST(Envelope, MixedRecordsAreSeenBeyondTheRecipientLimit) {
  std::string mixed =
      message(kStart + rcpt("a") + rcpt("b") + record(RecordType::verp, "+="), "", kMixedRecipients);
  EXPECT_EQ(read(mixed, 1).verp, "+=");
}

TEST(Envelope, DamageIsRefusedWithReasonAndOffset) {
  std::string good = message(kStart + rcpt("a"));
  EXPECT_EQ(refusal(good), "");
  EXPECT_EQ(refusal(""), "missing end record");
  EXPECT_EQ(refusal(record(static_cast<RecordType>('?'), "x") + good),
            "Unexpected record type '?' at offset 0");
  EXPECT_THAT(refusal(good.substr(0, good.size() - 2)), HasSubstr("missing end record"));
  EXPECT_THAT(refusal(good.substr(0, 150)), HasSubstr("missing end record"));
  EXPECT_THAT(refusal(kStart + rcpt("a") + record(RecordType::message, "")),
              HasSubstr("missing size record"));
  EXPECT_EQ(refusal(message(record(RecordType::sender, "a") + rcpt("a"))), "missing arrival time record");
  EXPECT_EQ(refusal(message(record(RecordType::arrival_time, "1 2") + rcpt("a"))), "missing sender record");
  EXPECT_THAT(refusal(record(RecordType::size, SizeRecord().text()) + good.substr(97)),
              HasSubstr("malformed size record"));
  std::string moved = good;
  moved.replace(18, 15, "            999");
  EXPECT_THAT(refusal(moved), HasSubstr("the content is not where the size record says"));
  std::string shorter = good;
  shorter.replace(2, 15, "             12");  // Behind the first line.
  EXPECT_THAT(refusal(shorter), HasSubstr("the content does not end where the size record says"));
  EXPECT_THAT(refusal(message(kStart + record(RecordType::end, ""))), HasSubstr("no message content"));
  EXPECT_THAT(refusal(message(kStart + record(RecordType::extracted, ""))), HasSubstr("out-of-order"));
  EXPECT_THAT(refusal(good.substr(0, 97) + good), HasSubstr("second size record"));
}

TEST(Envelope, EveryTruncationIsNoticed) {
  for (const char* name : {"single", "edited", "bcc", "long-line"}) {
    std::string whole = sample(name);
    for (size_t size = 0; size < whole.size(); ++size) {
      MemorySource source(whole.substr(0, size));
      auto envelope = read_envelope(source, 1000);
      if (!envelope) continue;
      // Content that was added later stands behind everything else.
      ContentReader content(source, envelope->size);
      std::string text;
      auto read = content.read_text(text, 1'000'000, "\n");
      EXPECT_FALSE(read) << name << " " << size;
    }
  }
}

TEST(Envelope, TextAndAttributesHaveLimits) {
  std::string many;
  for (size_t i = 0; i < kMaxAttributes; ++i)
    many += record(RecordType::attribute, "name" + std::to_string(i) + "=x");
  EXPECT_EQ(refusal(message(kStart + many)), "");
  EXPECT_THAT(refusal(message(kStart + many + record(RecordType::attribute, "more=x"))),
              HasSubstr("too many attributes"));
  std::string large(50'000, 'x');
  EXPECT_THAT(refusal(message(kStart + record(RecordType::attribute, "a=" + large) +
                              record(RecordType::attribute, "b=" + large) +
                              record(RecordType::attribute, "c=" + large))),
              HasSubstr("too large"));
  EXPECT_EQ(refusal(message(kStart + rcpt(std::string(16 * 1024, 'x')))), "");
  EXPECT_THAT(refusal(message(kStart + rcpt(std::string(16 * 1024 + 1, 'x')))), HasSubstr("too long"));
  EXPECT_THAT(refusal(message(kStart + record(RecordType::attribute, std::string(65'537, 'x')))),
              HasSubstr("illegal length"));
}

TEST(Envelope, TextEndsAtANulByte) {
  EXPECT_THAT(addresses(read(message(kStart + rcpt(std::string("a\0b", 3))))), ElementsAre("a"));
}

TEST(Envelope, ChangesInPlace) {
  test::FaultFiles files;
  ASSERT_TRUE(files.create("f", 0700));
  files.set_content("f", sample("single"));
  auto file = files.open("f", OpenMode::read_write).value();
  ASSERT_TRUE(mark_done(*file, 649));
  ASSERT_TRUE(mark_done(*file, 649));
  EXPECT_TRUE(read_envelope(*file, 10)->recipients.empty());
  EXPECT_EQ(mark_done(*file, 634).error().text, "no record of type R at offset 634");
  EXPECT_FALSE(mark_done(*file, 1 << 20));

  ASSERT_TRUE(mark_warned(*file, 581));
  EXPECT_EQ(read_envelope(*file, 10)->warn_time, -1);
  EXPECT_FALSE(mark_warned(*file, 582));

  ASSERT_TRUE(mark_killed(*file, 200));
  EXPECT_EQ(read_envelope(*file, 10)->attribute("log_client_name"), "");
  EXPECT_FALSE(mark_killed(*file, 649));
  EXPECT_EQ(files.content("f").size(), sample("single").size());
}

}  // namespace
}  // namespace postrider::queue
