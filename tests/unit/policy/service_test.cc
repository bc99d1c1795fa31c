#include "policy/service.h"

#include <stdlib.h>

#include <functional>

#include <gtest/gtest.h>

#include "../config/temporary_config.h"
#include "io/fiber.h"
#include "io/sync.h"
#include "log/log.h"
#include "sys/socket.h"

// Covers: smtpd_policy_service_request_limit
namespace postrider::policy {
namespace {

class PolicyTest : public testing::Test {
 protected:
  void SetUp() override {
    log::set_test_sink([this](log::Severity, std::string_view text) { log_.emplace_back(text); });
  }
  void TearDown() override { log::set_test_sink(nullptr); }

  ServiceSettings defaults() {
    return ServiceSettings(config_.load(
        "smtpd_policy_service_retry_delay = 1s\nsmtpd_policy_service_default_action = DUNNO down\n"));
  }
  ServiceSettings settings() {
    ServiceSettings out = defaults();
    out.endpoint = "unix:" + socket();
    out.retry_delay = seconds(0);
    return out;
  }
  std::string socket() const { return config_.directory() + "/policy"; }

  /// A server that gives each connection `answers` in turn and closes it then. Requests are kept.
  void serve(std::vector<std::string> answers, const std::function<void()>& body) {
    io::run_with_loop([&] {
      listener_ = sys::listen_stream(*sys::Address::from_path(socket()), 5).value();
      io::spawn([this, answers] {
        io::FdEvents events(listener_.get());
        for (;;) {
          auto accepted = sys::accept_one(listener_.get()).value();
          if (!accepted) {
            events.wait_readable(Deadline::never());
            continue;
          }
          ++connections_;
          io::spawn(
              [this, answers, fd = std::move(accepted->fd)]() mutable { talk(std::move(fd), answers); });
        }
      });
      body();
    });
  }
  void talk(sys::Fd fd, const std::vector<std::string>& answers) {
    io::Stream stream(std::move(fd));
    Deadline soon = Deadline::after(seconds(20));
    for (const std::string& answer : answers) {
      std::string request;
      for (;;) {
        auto line = stream.read_line(4096, soon);
        if (!line) return;
        if (line->text.empty()) break;
        request += std::string(line->text) + ";";
      }
      requests_.push_back(request);
      stream.write(answer);
      (void)stream.flush(soon);
    }
  }

  static std::string ask(Lease& lease, std::string value = "x") {
    return lease.ask({{"request", "smtpd_access_policy"}, {"recipient", std::move(value)}},
                     Deadline::after(seconds(20)));
  }

  config::TemporaryConfig config_;
  sys::Fd listener_;
  std::vector<std::string> requests_;
  std::vector<std::string> log_;
  int connections_ = 0;
};

TEST_F(PolicyTest, QuestionsAboutAMessageGoOverOneConnection) {
  serve({"action=DUNNO\n\n", "x=y\naction=REJECT go away\n\n", "action=OK\n\n"}, [&] {
    auto service = std::make_shared<Service>(settings());
    {
      Lease lease(service);
      EXPECT_EQ(ask(lease, "a"), "DUNNO");
      EXPECT_EQ(ask(lease, "b"), "REJECT go away");
    }
    Lease next(service);
    EXPECT_EQ(ask(next, "c"), "OK");
  });
  EXPECT_EQ(connections_, 1);
  EXPECT_EQ(requests_.at(1), "request=smtpd_access_policy;recipient=b;");
}

TEST_F(PolicyTest, MessagesAtTheSameTimeHaveConnectionsOfTheirOwn) {
  serve({"action=DUNNO\n\n", "action=DUNNO\n\n"}, [&] {
    auto service = std::make_shared<Service>(settings());
    Lease one(service), other(service);
    ask(one);
    ask(other);
    ask(one);
  });
  EXPECT_EQ(connections_, 2);
}

TEST_F(PolicyTest, AConnectionThatTheServiceHasClosedIsReplaced) {
  serve({"action=DUNNO\n\n"}, [&] {
    auto service = std::make_shared<Service>(settings());
    Lease lease(service);
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(ask(lease), "DUNNO");
  });
  EXPECT_EQ(connections_, 3);
}

TEST_F(PolicyTest, ALimitOnRequestsEndsAConnection) {
  serve({"action=DUNNO\n\n", "action=DUNNO\n\n"}, [&] {
    ServiceSettings limited = settings();
    limited.request_limit = 1;
    auto service = std::make_shared<Service>(limited);
    Lease lease(service);
    ask(lease);
    ask(lease);
  });
  EXPECT_EQ(connections_, 2);
}

TEST_F(PolicyTest, AServiceThatDoesNotAnswerHasADefaultAction) {
  for (const char* answer : {"", "garbage\n\n", "action=incomplete\n"}) {
    connections_ = 0;
    serve({answer}, [&] {
      auto service = std::make_shared<Service>(settings());
      Lease lease(service);
      EXPECT_EQ(ask(lease), "DUNNO down");
    });
    EXPECT_EQ(connections_, 2);
  }
  log_.clear();
  io::run_with_loop([&] {
    ServiceSettings nobody = settings();
    nobody.endpoint += ".nobody";
    Lease lease(std::make_shared<Service>(nobody));
    EXPECT_EQ(ask(lease), "DUNNO down");
  });
  EXPECT_EQ(log_.back(), "problem talking to server " + socket() + ".nobody: No such file or directory");
}

TEST_F(PolicyTest, AServiceCanHaveSettingsOfItsOwn) {
  auto service = parse_service(
      "{ inet:127.0.0.1:9998, timeout=10s, try_limit=1 { default_action = 451 4.3.5 See there } "
      "policy_context=x }",
      defaults());
  ASSERT_TRUE(service) << service.error().text;
  EXPECT_EQ(service->endpoint, "inet:127.0.0.1:9998");
  EXPECT_EQ(service->address(), "127.0.0.1:9998");
  EXPECT_FALSE(service->is_local());
  EXPECT_EQ(service->timeout, seconds(10));
  EXPECT_EQ(service->try_limit, 1U);
  EXPECT_EQ(service->default_action, "451 4.3.5 See there");
  EXPECT_EQ(service->policy_context, "x");
}

TEST_F(PolicyTest, MistakesInASpecificationAreTold) {
  struct {
    const char* text;
    const char* problem;
  } cases[] = {
      {"permit", "need service transport:endpoint instead of \"permit\""},
      {"foo:127.0.0.1:1", "invalid transport name: foo in service: foo:127.0.0.1:1"},
      {"{ inet:127.0.0.1:1, bad=1 }", "unknown option: \"bad = 1\""},
      {"{ inet:127.0.0.1:1, timeout=never }", "unknown option: \"timeout = never\""},
      {"", "need service transport:endpoint instead of \"\""},
  };
  for (const auto& c : cases) {
    auto parsed = parse_service(c.text, defaults());
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().text, c.problem);
  }
}

}  // namespace
}  // namespace postrider::policy
