#include "dsn/notice.h"

#include <stdlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queue/record.h"
#include "support/fault_files.h"
#include "sys/file.h"

namespace postrider::dsn {
namespace {

using queue::RecipientStatus;
using queue::RecordType;
using testing::HasSubstr;
using testing::Not;

class TextSink final : public LineSink {
 public:
  void line(std::string_view text) override { (out += text) += '\n'; }
  void line_part(std::string_view text) override { out += text; }
  std::string out;
};

/// A queue file of these content lines; without a size record's numbers it looks as cleanup's unfinished ones
/// do.
std::string queue_file(const std::vector<std::string>& lines, bool complete = true) {
  std::string content;
  for (const std::string& line : lines) {
    std::string_view rest = line;
    for (; rest.size() > 100; rest.remove_prefix(100)) {
      queue::append_record(content, RecordType::text_part, rest.substr(0, 100));
    }
    queue::append_record(content, RecordType::text, rest);
  }
  std::string envelope;
  queue::append_record(envelope, RecordType::arrival_time, "1700000000 5");
  queue::append_record(envelope, RecordType::sender, "joe@sender.test");
  queue::append_record(envelope, RecordType::message, "");
  queue::SizeRecord size;
  std::string out;
  queue::append_record(out, RecordType::size, size.text());
  size.offset = static_cast<int64_t>(out.size() + envelope.size());
  size.size = static_cast<int64_t>(content.size());
  if (complete) {
    out.clear();
    queue::append_record(out, RecordType::size, size.text());
    queue::append_record(content, RecordType::extracted, "");
    queue::append_record(content, RecordType::end, "");
  }
  return out + envelope + content;
}

RecipientStatus failed(std::string recipient) {
  return {.recipient = std::move(recipient),
          .dsn_original = "rfc822;no@dest.test",
          .status = "5.1.1",
          .action = "failed",
          .diagnostic_type = "smtp",
          .diagnostic_text = "550 5.1.1 No such user here",
          .mta_type = "dns",
          .mta_name = "mx1.dest.test",
          .reason =
              "host mx1.dest.test[198.51.100.10] said: 550 5.1.1 No such user here (in reply to RCPT TO "
              "command)"};
}

class NoticeTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postrider-dsn-XXXXXX";
    directory_ = mkdtemp(name);
    setenv("TZ", "UTC", 1);
    tzset();
    set_message({"Subject: test", "Message-Id: <1@sender.test>", "", "Hello"});
  }
  void TearDown() override {
    (void)sys::unlink_file(directory_ + "/main.cf");
    (void)sys::remove_directory(directory_);
  }

  void set_message(const std::vector<std::string>& lines, bool complete = true) {
    (void)files_.create("m", 0600);
    files_.set_content("m", queue_file(lines, complete));
  }

  std::string write(const std::string& main_cf = "", bool readable = true) {
    EXPECT_TRUE(sys::replace_file(
        directory_ + "/main.cf",
        "myhostname = mx.site.test\nmail_name = Postfix\ncompatibility_level = 3.6\n" + main_cf, 0644));
    config::LoadOptions options;
    options.directory = directory_;
    Appearance appearance(config::Config::load(options).value());
    OriginalMessage original(message_there_ ? files_.open("m", queue::OpenMode::read).value() : nullptr);
    TextSink sink;
    write_notice(
        sink, appearance, subject_, form_,
        [&](const auto& visit) {
          for (const RecipientStatus& r : recipients_)
            visit(r);
          return readable;
        },
        original);
    return std::move(sink.out);
  }

  test::FaultFiles files_;
  std::string directory_;
  bool message_there_ = true;
  Subject subject_{.queue_id = "C769213E", .sender = "joe@sender.test"};
  Form form_{
      .source = &built_in_template(TemplateKind::failure), .to = "joe@sender.test", .text = {"Sorry."}};
  std::vector<RecipientStatus> recipients_ = {failed("no@dest.test")};
};

/// The boundary has the time in it.
std::string with_boundary(std::string expected, const std::string& notice) {
  size_t at = notice.find("boundary=\"") + 10;
  std::string boundary = notice.substr(at, notice.find('"', at) - at);
  for (size_t found; (found = expected.find("BOUNDARY")) != std::string::npos;)
    expected.replace(found, 8, boundary);
  return expected;
}

TEST_F(NoticeTest, NonDeliveryNotice) {
  std::string notice = write();
  EXPECT_EQ(notice, with_boundary(R"(From: Mail Delivery System <MAILER-DAEMON>
Subject: Undelivered Mail Returned to Sender
To: joe@sender.test
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="BOUNDARY"
Content-Transfer-Encoding: 8bit

This is a MIME-encapsulated message.

--BOUNDARY
Content-Description: Notification
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Sorry.

<no@dest.test>: host mx1.dest.test[198.51.100.10] said: 550 5.1.1 No such user
    here (in reply to RCPT TO command)

--BOUNDARY
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.site.test
X-Postfix-Queue-ID: C769213E
X-Postfix-Sender: rfc822; joe@sender.test
Arrival-Date: Tue, 14 Nov 2023 22:13:20 +0000 (UTC)

Final-Recipient: rfc822; no@dest.test
Original-Recipient: rfc822;no@dest.test
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx1.dest.test
Diagnostic-Code: smtp; 550 5.1.1 No such user here

--BOUNDARY
Content-Description: Undelivered Message
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit

Return-Path: <joe@sender.test>
Subject: test
Message-Id: <1@sender.test>

Hello

--BOUNDARY--
)",
                                  notice));
  EXPECT_THAT(notice, HasSubstr("boundary=\"C769213E."));
  EXPECT_THAT(notice, HasSubstr("/mx.site.test\""));
}

TEST_F(NoticeTest, HeaderOnly) {
  form_.header_only = true;
  std::string notice = write();
  EXPECT_THAT(
      notice,
      HasSubstr("Content-Description: Undelivered Message Headers\nContent-Type: text/rfc822-headers\n"));
  EXPECT_THAT(notice, HasSubstr("\nMessage-Id: <1@sender.test>\n\n--"));
  EXPECT_THAT(notice, Not(HasSubstr("Hello")));
}

TEST_F(NoticeTest, LargeMessagesComeWithoutTheirBody) {
  EXPECT_THAT(write("bounce_size_limit = 10\n"), Not(HasSubstr("Hello")));
  set_message({"Subject: x", "", "Hello"}, false);
  EXPECT_THAT(write(), HasSubstr("Content-Type: text/rfc822-headers"));
}

TEST_F(NoticeTest, LongLinesStayWhole) {
  set_message({"Subject: x", " y" + std::string(500, 'z'), "", std::string(1000, 'a'), "b"});
  EXPECT_THAT(write(), HasSubstr("z\n\n" + std::string(1000, 'a') + "\nb\n"));
  form_.header_only = true;
  EXPECT_THAT(write(), HasSubstr("\n y" + std::string(500, 'z') + "\n\n--"));
}

TEST_F(NoticeTest, SmtpUtf8) {
  subject_.send_options = queue::kSmtputf8Requested;
  subject_.sender = form_.to = "jo\xc3\xbc@sender.test";
  recipients_[0].recipient = "n\xc3\xb6@dest.test";
  recipients_[0].dsn_original = "utf-8;n\xc3\xb6@dest.test";
  recipients_.push_back(failed("no@dest.test"));
  std::string notice = write();
  EXPECT_THAT(notice, HasSubstr("To: jo\xc3\xbc@sender.test\n"));
  EXPECT_THAT(notice,
              HasSubstr("Content-Type: message/global-delivery-status\nContent-Transfer-Encoding: 8bit\n"));
  EXPECT_THAT(notice, HasSubstr("X-Postfix-Sender: utf-8; jo\xc3\xbc@sender.test\n"));
  EXPECT_THAT(
      notice,
      HasSubstr(
          "Final-Recipient: utf-8; n\xc3\xb6@dest.test\nOriginal-Recipient: utf-8;n\xc3\xb6@dest.test\n"));
  EXPECT_THAT(notice, HasSubstr("Final-Recipient: rfc822; no@dest.test\n"));
  EXPECT_THAT(notice, HasSubstr("Content-Type: message/global\n"));
  form_.header_only = true;
  EXPECT_THAT(write(), HasSubstr("Content-Type: message/global-headers\n"));
}

TEST_F(NoticeTest, WithoutSmtpUtf8TheMessagesEncodingCounts) {
  recipients_[0].reason = "said: gr\xc3\xbc\xc3\x9f";
  std::string notice = write("smtputf8_enable = no\n");
  EXPECT_THAT(notice, Not(HasSubstr("Content-Transfer-Encoding")));
  EXPECT_THAT(notice, HasSubstr("text/plain; charset=us-ascii\n"));
  EXPECT_THAT(notice, HasSubstr("said: gr????\n"));
  subject_.encoding = "7bit";
  notice = write("smtputf8_enable = no\n");
  EXPECT_THAT(notice, HasSubstr("Content-Transfer-Encoding: 7bit\n\nThis is"));
  EXPECT_THAT(notice, HasSubstr("charset=us-ascii\n\n"));
  subject_.encoding = "8bit";
  notice = write("smtputf8_enable = no\n");
  EXPECT_THAT(notice, HasSubstr("charset=utf-8\nContent-Transfer-Encoding: 8bit\n"));
}

TEST_F(NoticeTest, CharsetOfTheTemplate) {
  Template source = built_in_template(TemplateKind::failure);
  source.charset = "iso-8859-1";
  form_.source = &source;
  EXPECT_THAT(write(), HasSubstr("text/plain; charset=iso-8859-1\n"));
}

TEST_F(NoticeTest, PostmasterCopy) {
  form_.postmaster_copy = true;
  form_.to = "postmaster";
  std::string notice = write();
  EXPECT_THAT(
      notice,
      HasSubstr(
          "Subject: Postmaster Copy: Undelivered Mail\nTo: postmaster\nAuto-Submitted: auto-generated\n"));
  EXPECT_THAT(notice, Not(HasSubstr("Sorry.")));
}

TEST_F(NoticeTest, DelayedMail) {
  form_.source = &built_in_template(TemplateKind::delay);
  recipients_[0].action = "delayed";
  recipients_[0].status = "4.0.0";
  EXPECT_THAT(
      write("maximal_queue_lifetime = 1d\n"),
      HasSubstr("Action: delayed\nStatus: 4.0.0\nRemote-MTA: dns; mx1.dest.test\nDiagnostic-Code: smtp; 550 "
                "5.1.1 No such user here\nWill-Retry-Until: Wed, 15 Nov 2023 22:13:20 +0000 (UTC)\n"));
}

TEST_F(NoticeTest, ReportOfALocalDelivery) {
  form_.source = &built_in_template(TemplateKind::success);
  subject_.envelope_id = "env+1";
  recipients_ = {{.recipient = "a@site.test",
                  .original = "list@site.test",
                  .status = "2.0.0",
                  .action = "expanded",
                  .reason = "delivery via local: alias expanded"}};
  std::string notice = write();
  EXPECT_THAT(
      notice,
      HasSubstr("<a@site.test> (expanded from <list@site.test>): delivery via local: alias\n    expanded\n"));
  EXPECT_THAT(notice, HasSubstr("Reporting-MTA: dns; mx.site.test\nOriginal-Envelope-Id: env+1\n"));
  EXPECT_THAT(notice,
              HasSubstr("Original-Recipient: rfc822; list@site.test\nAction: expanded\nStatus: 2.0.0\n"
                        "Diagnostic-Code: X-Postfix; delivery via local: alias expanded\n"));
  EXPECT_THAT(notice, HasSubstr("Content-Description: Message\n"));
}

TEST_F(NoticeTest, NullSenderIsShownAsTheMailSystem) {
  subject_.sender.clear();
  std::string notice = write();
  EXPECT_THAT(notice, HasSubstr("X-Postfix-Sender: rfc822; MAILER-DAEMON@mx.site.test\n"));
  EXPECT_THAT(notice, HasSubstr("Return-Path: <MAILER-DAEMON@mx.site.test>\n"));
}

TEST_F(NoticeTest, ThreadedNoticesNameTheMessage) {
  EXPECT_THAT(write(), Not(HasSubstr("References:")));
  EXPECT_THAT(
      write("enable_threaded_bounces = yes\n"),
      HasSubstr(
          "To: joe@sender.test\nReferences: <1@sender.test>\nIn-Reply-To: <1@sender.test>\nAuto-Submitted"));
  set_message({"MESSAGE-ID:", " <2@sender.test>", "Subject: Message-Id: <x>", "", "Message-Id: <3@x>"});
  EXPECT_THAT(write("enable_threaded_bounces = yes\n"), HasSubstr("\nReferences: <2@sender.test>\n"));
  set_message({"Subject: x", "", "Message-Id: <3@x>"});
  EXPECT_THAT(write("enable_threaded_bounces = yes\n"), Not(HasSubstr("References:")));
  set_message({"Message-Id: <" + std::string(3000, 'x') + "@x>", ""});
  EXPECT_THAT(write("enable_threaded_bounces = yes\n"), Not(HasSubstr("References:")));
}

TEST_F(NoticeTest, TlsRequiredNoIsCopied) {
  subject_.send_options = queue::kTlsNotRequired;
  EXPECT_THAT(write(), HasSubstr("\nTLS-Required: no\n"));
  EXPECT_THAT(write("tls_required_enable = no\n"), Not(HasSubstr("TLS-Required")));
}

TEST_F(NoticeTest, WhatCannotBeReadIsLeftOut) {
  message_there_ = false;
  recipients_.clear();
  std::string notice = write("", false);
  EXPECT_THAT(notice, HasSubstr("\n\n\t--- The delivery report could not be read ---\n\n--"));
  EXPECT_THAT(notice, HasSubstr("X-Postfix-Sender: rfc822; joe@sender.test\n\n--"));
  EXPECT_THAT(notice, HasSubstr("\n\n\t--- The message could not be read ---\n\n--"));
}

TEST_F(NoticeTest, DamagedMessageIsCopiedAsFarAsItGoes) {
  std::string file = files_.content("m");
  files_.set_content("m", file.substr(0, file.size() - 6));
  std::string notice = write();
  EXPECT_THAT(notice, HasSubstr("\nSubject: test\n"));
  EXPECT_THAT(notice, Not(HasSubstr("Hello")));
  EXPECT_TRUE(notice.ends_with("--\n"));
}

TEST_F(NoticeTest, AddressesWithOddLocalparts) {
  subject_.sender = form_.to = "joe x@sender.test";
  std::string notice = write();
  EXPECT_THAT(notice, HasSubstr("To: \"joe x\"@sender.test\n"));
  EXPECT_THAT(notice, HasSubstr("Return-Path: <\"joe x\"@sender.test>\n"));
}

}  // namespace
}  // namespace postrider::dsn
