// The bounce, defer and trace services with a cleanup service that is this test's own.
#include "bounce/service.h"

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_cleanup.h"
#include "log/log.h"
#include "proto/delivery.h"
#include "queue/envelope.h"
#include "support/fault_files.h"
#include "sys/file.h"

namespace postrider::bounce {
namespace {

using queue::LogKind;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr const char* kId = "C769213E";

class ServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postrider-bounce-XXXXXX";
    directory_ = mkdtemp(name);
    char here[4096];
    home_ = getcwd(here, sizeof here);
    ASSERT_EQ(chdir(directory_.c_str()), 0);
    ASSERT_TRUE(sys::make_directory("public", 0700));
    for (const char* queue : {"bounce", "defer", "trace", "active"})
      ASSERT_TRUE(files_.make_directory(queue, 0700));
    ASSERT_TRUE(files_.sync_directory("."));
    set_message({"Subject: test", "", "Hello"});
    log::set_test_sink([this](log::Severity, std::string_view text) { log_.emplace_back(text); });
  }
  void TearDown() override {
    log::set_test_sink(nullptr);
    ASSERT_EQ(chdir(home_.c_str()), 0);
    std::system(("rm -rf " + directory_).c_str());
  }

  void set_message(const std::vector<std::string>& lines) {
    std::string content, envelope, file;
    for (const std::string& line : lines)
      queue::append_record(content, queue::RecordType::text, line);
    queue::append_record(envelope, queue::RecordType::arrival_time, "1700000000 5");
    queue::append_record(envelope, queue::RecordType::message, "");
    queue::SizeRecord size;
    queue::append_record(file, queue::RecordType::size, size.text());
    size.offset = static_cast<int64_t>(file.size() + envelope.size());
    size.size = static_cast<int64_t>(content.size());
    file.clear();
    queue::append_record(file, queue::RecordType::size, size.text());
    write_file(std::string("active/") + kId, file + envelope + content);
  }

  void write_file(const std::string& path, const std::string& content) {
    (void)files_.create(path, 0600);
    files_.set_content(path, content);
    (void)files_.sync_directory(path.substr(0, path.find('/')));
  }

  /// Runs `body` with the service of this name; what it queues is in `cleanup_`.
  void with_service(const std::string& name, const std::function<void(Service&)>& body) {
    ASSERT_TRUE(sys::replace_file(directory_ + "/main.cf",
                                  "compatibility_level = 3.6\nmyhostname = mx.site.test\nqueue_directory = " +
                                      directory_ + "\n" + main_cf_,
                                  0644));
    config::LoadOptions options;
    options.directory = directory_;
    config::Config config = config::Config::load(options).value();
    Settings settings(config, name);
    io::run_with_loop([&] {
      (void)sys::unlink_file("public/cleanup");
      test::FakeCleanup cleanup;
      cleanup.problems = problems_;
      cleanup.reason = reason_;
      cleanup.start();
      queue::Store store(files_, {});
      queue::Committer committer(files_);
      clients::InternalMailer mailer(config, name);
      Service service(settings, store, committer, mailer);
      body(service);
      queued_ = cleanup.messages;
    });
  }

  static Deadline soon() { return Deadline::after(seconds(20)); }

  static proto::AppendStatus outcome(const std::string& recipient, uint32_t notify = 0) {
    proto::AppendStatus out;
    out.queue_id = kId;
    out.recipient.address = recipient;
    out.recipient.dsn_notify = notify;
    out.recipient.offset = 100;
    out.status = "5.1.1";
    out.action = "failed";
    out.relay = "mx1.dest.test[192.0.2.1]:25";
    out.reason = "No such user";
    return out;
  }

  static proto::SendNotice notice(proto::NoticeKind kind, const std::string& sender = "joe@sender.test") {
    proto::SendNotice out;
    out.kind = kind;
    out.queue_name = "active";
    out.queue_id = kId;
    out.sender = sender;
    return out;
  }

  /// Appends these outcomes and sends the notice.
  bool run(const std::string& service_name, const std::vector<proto::AppendStatus>& outcomes,
           const proto::SendNotice& request) {
    bool ok = false;
    with_service(service_name, [&](Service& service) {
      for (const auto& one : outcomes)
        EXPECT_TRUE(service.append(one, soon()));
      auto sent = service.send(request, soon());
      ok = sent.has_value();
      error_ = sent ? "" : sent.error().text;
    });
    return ok;
  }

  bool has_log(const std::string& name) { return files_.status(name + "/" + kId).has_value(); }

  std::vector<std::string> recipients() const {
    std::vector<std::string> out;
    for (const auto& message : queued_)
      out.push_back(message.sender + " -> " + message.recipient);
    return out;
  }

  test::FaultFiles files_;
  std::string directory_, home_, main_cf_, error_, reason_;
  uint32_t problems_ = 0;
  std::vector<test::FakeCleanup::Message> queued_;
  std::vector<std::string> log_;
};

TEST_F(ServiceTest, FailedRecipientsAreReturnedToTheSender) {
  ASSERT_TRUE(
      run("bounce", {outcome("no@dest.test"), outcome("a b@dest.test")}, notice(proto::NoticeKind::failure)));
  ASSERT_EQ(queued_.size(), 1U);
  const auto& message = queued_[0];
  EXPECT_TRUE(message.complete);
  EXPECT_EQ(message.sender, "");
  EXPECT_EQ(message.recipient, "joe@sender.test");
  EXPECT_EQ(message.flags, proto::kCleanupInternal | proto::kCleanupMap);
  EXPECT_THAT(message.text, StartsWith("Received: by mx.site.test (Postrider)\n\tid NEW1; "));
  EXPECT_THAT(message.text, HasSubstr("\nDate: "));
  EXPECT_THAT(message.text,
              HasSubstr("\n\n<no@dest.test>: No such user\n\n<\"a b\"@dest.test>: No such user\n"));
  EXPECT_THAT(message.text, HasSubstr("Content-Type: message/rfc822\n"));
  EXPECT_THAT(log_, ElementsAre("C769213E: sender non-delivery notification: NEW1"));
  EXPECT_FALSE(has_log("bounce"));
}

TEST_F(ServiceTest, AppendIsOnDisk) {
  with_service("bounce",
               [&](Service& service) { EXPECT_TRUE(service.append(outcome("no@dest.test"), soon())); });
  files_.restart(test::Crash::loses_all);
  EXPECT_THAT(files_.content("bounce/C769213E"),
              HasSubstr("recipient=no@dest.test\noffset=100\nstatus=5.1.1\n"));
}

TEST_F(ServiceTest, LogFormOfOldReleasesCanBeLeftOut) {
  main_cf_ = "backwards_bounce_logfile_compatibility = no\n";
  with_service("defer",
               [&](Service& service) { EXPECT_TRUE(service.append(outcome("no@dest.test"), soon())); });
  EXPECT_THAT(files_.content("defer/C769213E"), StartsWith("\nrecipient=no@dest.test\n"));
}

TEST_F(ServiceTest, WhoDoesNotWantToHearIsNotTold) {
  ASSERT_TRUE(run("bounce",
                  {outcome("no@dest.test", queue::kNotifyNever), outcome("b@dest.test", queue::kNotifyDelay)},
                  notice(proto::NoticeKind::failure)));
  EXPECT_THAT(queued_, IsEmpty());
  EXPECT_FALSE(has_log("bounce"));
  ASSERT_TRUE(run(
      "bounce", {outcome("no@dest.test", queue::kNotifyNever), outcome("c@dest.test", queue::kNotifyFailure)},
      notice(proto::NoticeKind::failure)));
  ASSERT_EQ(queued_.size(), 1U);
  EXPECT_THAT(queued_[0].text, AllOf(HasSubstr("<c@dest.test>"), Not(HasSubstr("<no@dest.test>"))));
}

TEST_F(ServiceTest, RetHdrs) {
  proto::SendNotice request = notice(proto::NoticeKind::failure);
  request.dsn_ret = queue::kReturnHeaders;
  request.dsn_envid = "env 1";
  ASSERT_TRUE(run("bounce", {outcome("no@dest.test")}, request));
  EXPECT_THAT(queued_[0].text,
              AllOf(HasSubstr("text/rfc822-headers"), HasSubstr("Original-Envelope-Id: env 1\n")));
}

TEST_F(ServiceTest, CopiesForThePostmaster) {
  main_cf_ = "notify_classes = bounce, delay\nbounce_notice_recipient = pm1\ndelay_notice_recipient = pm2\n";
  ASSERT_TRUE(run("bounce", {outcome("no@dest.test", queue::kNotifyNever), outcome("x@dest.test")},
                  notice(proto::NoticeKind::failure)));
  EXPECT_THAT(recipients(), ElementsAre(" -> joe@sender.test", "double-bounce@mx.site.test -> pm1"));
  EXPECT_THAT(queued_[1].text, AllOf(HasSubstr("<no@dest.test>"), HasSubstr("text/rfc822-headers")));
  EXPECT_THAT(log_, ElementsAre("C769213E: sender non-delivery notification: NEW1",
                                "C769213E: postmaster non-delivery notification: NEW2"));
  log_.clear();
  ASSERT_TRUE(run("defer", {outcome("no@dest.test")}, notice(proto::NoticeKind::delay)));
  EXPECT_THAT(recipients(), ElementsAre(" -> joe@sender.test", "double-bounce@mx.site.test -> pm2"));
  EXPECT_THAT(log_, ElementsAre("C769213E: sender delay notification: NEW1",
                                "C769213E: postmaster delay notification: NEW2"));
  EXPECT_TRUE(has_log("defer"));
}

TEST_F(ServiceTest, NoticesThatComeBack) {
  proto::SendNotice request = notice(proto::NoticeKind::failure, "");
  ASSERT_TRUE(run("bounce", {outcome("joe@sender.test")}, request));
  EXPECT_THAT(queued_, IsEmpty());
  EXPECT_FALSE(has_log("bounce"));
  main_cf_ = "notify_classes = 2bounce\n2bounce_notice_recipient = pm\ndouble_bounce_sender = db@site.test\n";
  ASSERT_TRUE(run("bounce", {outcome("joe@sender.test")}, request));
  EXPECT_THAT(recipients(), ElementsAre("db@site.test -> pm"));
  EXPECT_THAT(queued_[0].text,
              AllOf(HasSubstr("Hello"), HasSubstr("Return-Path: <MAILER-DAEMON@mx.site.test>")));
  log_.clear();
  ASSERT_TRUE(run("bounce", {outcome("pm@site.test")}, notice(proto::NoticeKind::failure, "DB@site.test")));
  EXPECT_THAT(queued_, IsEmpty());
  EXPECT_THAT(log_, ElementsAre("C769213E: undeliverable postmaster notification discarded"));
}

TEST_F(ServiceTest, DelaysOfNotices) {
  ASSERT_TRUE(run("defer", {outcome("a@b.test")}, notice(proto::NoticeKind::delay, "")));
  EXPECT_THAT(queued_, IsEmpty());
  main_cf_ = "notify_classes = delay\n";
  ASSERT_TRUE(run("defer", {outcome("a@b.test")}, notice(proto::NoticeKind::delay, "")));
  EXPECT_THAT(recipients(), ElementsAre("double-bounce@mx.site.test -> postmaster"));
}

TEST_F(ServiceTest, Reports) {
  proto::AppendStatus sent = outcome("a@dest.test", queue::kNotifySuccess);
  sent.status = "2.0.0";
  sent.action = "relayed";
  sent.reason = "250 2.0.0 Ok";
  ASSERT_TRUE(run("trace", {sent}, notice(proto::NoticeKind::trace)));
  ASSERT_EQ(queued_.size(), 1U);
  EXPECT_THAT(queued_[0].text,
              AllOf(HasSubstr("Subject: Successful Mail Delivery Report\n"), HasSubstr("Action: relayed\n"),
                    HasSubstr("<a@dest.test>: delivery via mx1.dest.test[192.0.2.1]:25: 250 2.0.0 Ok\n")));
  EXPECT_FALSE(has_log("trace"));
  proto::SendNotice request = notice(proto::NoticeKind::trace);
  request.flags = proto::kDeliverVerifyOnly;
  sent.relay = "none";
  ASSERT_TRUE(run("trace", {sent}, request));
  EXPECT_THAT(queued_[0].text, AllOf(HasSubstr("Subject: Mail Delivery Status Report\n"),
                                     HasSubstr("\n<a@dest.test>: 250 2.0.0 Ok\n")));
}

TEST_F(ServiceTest, ReportsWithoutALogOrASender) {
  ASSERT_TRUE(run("trace", {}, notice(proto::NoticeKind::trace)));
  EXPECT_THAT(queued_, IsEmpty());
  ASSERT_TRUE(run("trace", {outcome("a@b.test")}, notice(proto::NoticeKind::trace, "")));
  EXPECT_THAT(queued_, IsEmpty());
  EXPECT_THAT(log_,
              ElementsAre("C769213E: not sending trace/success notification for single-bounce message"));
  EXPECT_FALSE(has_log("trace"));
}

TEST_F(ServiceTest, VariableEnvelopeReturnPaths) {
  main_cf_ = "notify_classes = bounce\n";
  proto::SendNotice request = notice(proto::NoticeKind::failure);
  request.verp_delimiters = "+=";
  proto::AppendStatus aliased = outcome("b@dest.test");
  aliased.recipient.original = "c@orig.test";
  ASSERT_TRUE(
      run("bounce", {outcome("a@dest.test"), aliased, outcome("d@dest.test", queue::kNotifyNever)}, request));
  EXPECT_THAT(recipients(),
              ElementsAre(" -> joe+a=dest.test@sender.test", "double-bounce@mx.site.test -> postmaster",
                          " -> joe+c=orig.test@sender.test", "double-bounce@mx.site.test -> postmaster",
                          "double-bounce@mx.site.test -> postmaster"));
  EXPECT_THAT(queued_[0].text, Not(HasSubstr("b@dest.test")));
}

TEST_F(ServiceTest, ExpiredMailIsReturnedFromTheDeferLog) {
  proto::AppendStatus late = outcome("a@dest.test");
  late.action = "delayed";
  late.status = "4.2.0";
  ASSERT_TRUE(run("defer", {late}, notice(proto::NoticeKind::failure)));
  EXPECT_THAT(queued_[0].text, HasSubstr("Action: failed\nStatus: 4.2.0\n"));
  EXPECT_FALSE(has_log("defer"));
}

TEST_F(ServiceTest, OneRecipientWithoutALog) {
  proto::BounceOne request;
  request.message = notice(proto::NoticeKind::failure);
  request.outcome = outcome("a@dest.test");
  with_service("bounce", [&](Service& service) { EXPECT_TRUE(service.bounce_one(request, soon())); });
  EXPECT_THAT(recipients(), ElementsAre(" -> joe@sender.test"));
  request.outcome = outcome("a@dest.test", queue::kNotifySuccess);
  with_service("bounce", [&](Service& service) { EXPECT_TRUE(service.bounce_one(request, soon())); });
  EXPECT_THAT(queued_, IsEmpty());
}

TEST_F(ServiceTest, TheLogStaysWhenTheNoticeCannotBeQueued) {
  problems_ = proto::kProblemWrite;
  ASSERT_FALSE(run("bounce", {outcome("a@dest.test")}, notice(proto::NoticeKind::failure)));
  EXPECT_EQ(error_, "queue file write error");
  EXPECT_TRUE(has_log("bounce"));
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(ServiceTest, DamagedLogsAreReturnedAsFarAsTheyCanBeRead) {
  write_file("bounce/C769213E", std::string("\xff\x00\n\n\n=\nrecip\n", 13));
  ASSERT_TRUE(run("bounce", {}, notice(proto::NoticeKind::failure)));
  ASSERT_EQ(queued_.size(), 1U);
  write_file("bounce/C769213E", "trash without end");
  ASSERT_TRUE(run("bounce", {}, notice(proto::NoticeKind::failure)));
  ASSERT_EQ(queued_.size(), 1U);
  EXPECT_THAT(queued_[0].text, HasSubstr("could not be read"));
  proto::SendNotice verp = notice(proto::NoticeKind::failure);
  verp.verp_delimiters = "+=";
  write_file("bounce/C769213E", "trash without end");
  ASSERT_TRUE(run("bounce", {}, verp));
  EXPECT_THAT(recipients(), ElementsAre(" -> joe@sender.test"));
}

TEST_F(ServiceTest, BadRequestsAreRefused) {
  proto::SendNotice request = notice(proto::NoticeKind::failure);
  request.queue_id = "../main.cf";
  EXPECT_FALSE(run("bounce", {}, request));
  request = notice(proto::NoticeKind::failure);
  request.queue_name = "nosuch";
  ASSERT_TRUE(run("bounce", {outcome("a@b.test")}, request));
  EXPECT_THAT(queued_[0].text, HasSubstr("The message could not be read"));
}

TEST_F(ServiceTest, BrokenTemplateTextDoesNotStopNotices) {
  ASSERT_TRUE(sys::replace_file(directory_ + "/t.cf",
                                "failure_template = <<EOF\nCharset: us-ascii\n\n$nosuch\nEOF\n", 0644));
  main_cf_ = "bounce_template_file = " + directory_ + "/t.cf\n";
  ASSERT_TRUE(run("bounce", {outcome("a@dest.test")}, notice(proto::NoticeKind::failure)));
  EXPECT_THAT(queued_[0].text, HasSubstr("The mail system at mx.site.test could not deliver"));
  EXPECT_THAT(log_, Contains(HasSubstr("undefined $name in failure template: $nosuch")));
}

TEST_F(ServiceTest, RequireTls) {
  proto::SendNotice request = notice(proto::NoticeKind::failure);
  request.sendopts = queue::kRequireTls;
  ASSERT_TRUE(run("bounce", {outcome("a@dest.test")}, request));
  EXPECT_THAT(queued_[0].text, HasSubstr("text/rfc822-headers"));
  EXPECT_EQ(queued_[0].flags & proto::kCleanupRequireTls, 0U);
  main_cf_ = "requiretls_redact_dsn = no\n";
  ASSERT_TRUE(run("bounce", {outcome("a@dest.test")}, request));
  EXPECT_THAT(queued_[0].text, HasSubstr("message/rfc822"));
  EXPECT_NE(queued_[0].flags & proto::kCleanupRequireTls, 0U);
}

TEST_F(ServiceTest, FilteredClasses) {
  main_cf_ = "internal_mail_filter_classes = bounce\nsmtputf8_autodetect_classes = all\n";
  ASSERT_TRUE(run("bounce", {outcome("a@dest.test")}, notice(proto::NoticeKind::failure)));
  EXPECT_EQ(queued_[0].flags, proto::kCleanupInternal | proto::kCleanupMap | proto::kCleanupFilter |
                                  proto::kCleanupMilter | proto::kCleanupAutoUtf8);
}

TEST_F(ServiceTest, SettingsThatMakeNoSense) {
  main_cf_ = "notify_classes = bounce, nosuch\n";
  EXPECT_THROW(with_service("bounce", [](Service&) {}), config::ConfigError);
  main_cf_ = "bounce_template_file = /nosuchfile\n";
  EXPECT_THROW(with_service("bounce", [](Service&) {}), config::ConfigError);
  main_cf_ = "";
  EXPECT_THROW(with_service("other", [](Service&) {}), config::ConfigError);
}

/// Whatever call of the file system is the last one, a failed recipient is in the log or in a notice.
TEST_F(ServiceTest, NothingIsLostWhenTheMachineStops) {
  for (size_t call = 1; call < 100; ++call) {
    size_t notices = 0;
    bool appended = false, crashed = true;
    with_service("bounce", [&](Service& service) {
      files_.crash_at(call);
      appended = service.append(outcome("a@dest.test"), soon()).has_value();
      if (appended) crashed = !service.send(notice(proto::NoticeKind::failure), soon());
    });
    notices = queued_.size();
    files_.restart(test::Crash::loses_all);
    if (appended) {
      bool in_log = files_.content("bounce/C769213E").find("reason=No such user\n\n") != std::string::npos;
      EXPECT_TRUE(in_log || notices > 0) << call;
    }
    if (!crashed) {
      EXPECT_GT(call, 3U);
      return;
    }
    (void)files_.unlink("bounce/C769213E");
    (void)files_.sync_directory("bounce");
  }
  FAIL() << "never got through";
}

}  // namespace
}  // namespace postrider::bounce
