#include "sasl/dovecot.h"

#include <stdlib.h>

#include <functional>

#include <gtest/gtest.h>

#include "base/text.h"
#include "io/fiber.h"
#include "log/log.h"

namespace postrider::sasl {
namespace {

constexpr std::string_view kGreeting =
    "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tCRAM-MD5\tdictionary\tactive\nMECH\tANONYMOUS\tanonymous\n"
    "MECH\tGSSAPI\tmutual-auth\tforward-secrecy\nMECH\tOWN\tprivate\nSPID\t1\nCUID\t2\nCOOKIE\t00\nDONE\n";

// --- the protocol ---

DovecotReader greeted() {
  DovecotReader reader;
  EXPECT_TRUE(reader.add(kGreeting));
  EXPECT_TRUE(reader.ready());
  return reader;
}

Outcome answer(std::string_view line) {
  DovecotReader reader = greeted();
  auto added = reader.add(line);
  EXPECT_TRUE(added) << added.error().text;
  auto answers = reader.take_answers();
  EXPECT_EQ(answers.size(), 1U);
  return answers.empty() ? Outcome() : answers[0].outcome;
}

TEST(DovecotReader, TakesBytesAsTheyCome) {
  DovecotReader reader;
  for (char byte : kGreeting) {
    EXPECT_FALSE(reader.ready());
    ASSERT_TRUE(reader.add(std::string_view(&byte, 1)));
  }
  EXPECT_TRUE(reader.ready());
  ASSERT_EQ(reader.mechanisms().size(), 5U);
  EXPECT_TRUE(reader.mechanisms()[0].plaintext);
}

TEST(DovecotReader, MechanismsFitTheSecurityOptions) {
  auto names = [](std::string_view options) {
    std::string out;
    DovecotReader reader = greeted();
    for (const DovecotMechanism& mechanism : reader.mechanisms()) {
      if (mechanism.fits(*parse_security_options(options))) out += mechanism.name + " ";
    }
    return out;
  };
  EXPECT_EQ(names(""), "PLAIN CRAM-MD5 ANONYMOUS GSSAPI ");
  EXPECT_EQ(names("noanonymous"), "PLAIN CRAM-MD5 GSSAPI ");
  EXPECT_EQ(names("noplaintext, NoAnonymous"), "CRAM-MD5 GSSAPI ");
  EXPECT_EQ(names("noactive"), "PLAIN ANONYMOUS GSSAPI ");
  EXPECT_EQ(names("nodictionary noplaintext"), "ANONYMOUS GSSAPI ");
  EXPECT_EQ(names("mutual_auth"), "GSSAPI ");
  EXPECT_EQ(names("forward_secrecy"), "GSSAPI ");
  EXPECT_EQ(parse_security_options("noanonymous nonsense").error().text, "nonsense");
}

TEST(DovecotReader, AnswersAreReadWithWhatTheySay) {
  Outcome done = answer("OK\t7\tuser=jo\1\061hn\textra\n");
  EXPECT_EQ(done.kind, Outcome::Kind::done);
  EXPECT_EQ(*done.login, "jo?hn");
  Outcome challenge = answer("CONT\t7\tVXNlcm5hbWU6\n");
  EXPECT_EQ(challenge.kind, Outcome::Kind::challenge);
  EXPECT_EQ(challenge.text, "VXNlcm5hbWU6");
  EXPECT_EQ(answer("CONT\t7\t\n").text, "");
  EXPECT_EQ(answer("CONT\t7\n").text, "");
  Outcome failed = answer("FAIL\t7\tuser=joe\treason=no\1tway\n");
  EXPECT_EQ(failed.kind, Outcome::Kind::failed);
  EXPECT_EQ(failed.text, "no?way");
  EXPECT_EQ(*failed.login, "joe");
  Outcome bare = answer("FAIL\t7\n");
  EXPECT_EQ(bare.text, "(reason unavailable)");
  EXPECT_FALSE(bare.login);
  EXPECT_EQ(answer("FAIL\t7\ttemp\n").kind, Outcome::Kind::temporary);
  EXPECT_EQ(answer("FAIL\t7\tuser=x\tcode=temp_fail\n").kind, Outcome::Kind::temporary);
  EXPECT_EQ(answer("OK\t7\n").kind, Outcome::Kind::temporary);
  EXPECT_EQ(answer("CONT\t7\t" + std::string(kMaxChallenge + 4, 'x') + "\n").kind, Outcome::Kind::failed);
}

TEST(DovecotReader, AServerThatSpeaksAnotherProtocolIsLeft) {
  auto problem = [](std::string_view text) {
    DovecotReader reader;
    auto added = reader.add(text);
    return added ? std::string() : added.error().text;
  };
  EXPECT_EQ(problem("VERSION\t2\t0\n"), "Protocol version mismatch (2 vs. 1)");
  EXPECT_EQ(problem("VERSION\tx\t0\n"), "Malformed line: VERSION");
  EXPECT_EQ(problem("MECH\tPLAIN\nDONE\n"), "Protocol version is missing");
  EXPECT_EQ(problem("VERSION\t1\t0\nMECH\tP LAIN\n"), "Malformed line: MECH");
  EXPECT_EQ(problem("OK\t1\tuser=x\n"), "Malformed line: OK?1?user=x");
  EXPECT_EQ(problem(std::string(kMaxDovecotLine + 1, 'x')), "Line too long");
  EXPECT_EQ(problem(std::string(kGreeting) + "OK\tx\n"), "Malformed line: OK");
  EXPECT_EQ(problem(std::string(kGreeting) + "OK\t4294967296\n"), "Malformed line: OK");
  EXPECT_EQ(problem(std::string(kGreeting) + "CONT\t1\ta\rb\n"), "Malformed line: CONT");
  EXPECT_EQ(problem(std::string(kGreeting) + "NEWS\tof later versions\n"), "");
  std::string many = "VERSION\t1\t0\n";
  for (size_t i = 0; i < 2 * kMaxMechanisms; ++i)
    many += "MECH\tM" + std::to_string(i) + "\n";
  DovecotReader reader;
  EXPECT_TRUE(reader.add(many + "DONE\n"));
  EXPECT_EQ(reader.mechanisms().size(), kMaxMechanisms);
}

TEST(DovecotProtocol, RequestsSayWhoAsks) {
  Peer peer{"192.0.2.25", "587", "192.0.2.7", "4711", true};
  EXPECT_EQ(dovecot_request(3, "PLAIN", "smtp", peer, "AGE="),
            "AUTH\t3\tPLAIN\tservice=smtp\tnologin\tlip=192.0.2.25\trip=192.0.2.7\tlport=587\trport=4711\t"
            "secured\tresp=AGE=\n");
  EXPECT_EQ(dovecot_request(4, "LOGIN", "submission", {}, std::nullopt),
            "AUTH\t4\tLOGIN\tservice=submission\tnologin\n");
  EXPECT_EQ(dovecot_greeting(12), "VERSION\t1\t1\nCPID\t12\n");
}

// --- the connection ---

class DovecotTest : public testing::Test {
 protected:
  using Answers = std::function<std::string(const std::string& request, int connection)>;

  void SetUp() override {
    char name[] = "/tmp/postrider-sasl-XXXXXX";
    directory_ = mkdtemp(name);
    log::set_test_sink([this](log::Severity, std::string_view text) { log_.emplace_back(text); });
  }
  void TearDown() override {
    log::set_test_sink(nullptr);
    std::system(("rm -rf " + directory_).c_str());
  }
  std::string socket() const { return directory_ + "/auth"; }
  ServiceSettings settings() const {
    ServiceSettings out;
    out.type = "dovecot";
    out.path = socket();
    out.service = "smtp";
    out.answer_timeout = seconds(20);
    return out;
  }

  /// A server that greets and gives each line the answer that `answers` has; "close" ends the connection.
  void serve(Answers answers, const std::function<void(DovecotService&)>& body) {
    io::run_with_loop([&] {
      listen(std::move(answers));
      DovecotService service(settings());
      body(service);
    });
  }
  void listen(Answers answers) {
    listener_ = sys::listen_stream(*sys::Address::from_path(socket()), 5).value();
    io::spawn([this, answers] {
      io::FdEvents events(listener_.get());
      for (;;) {
        auto accepted = sys::accept_one(listener_.get()).value();
        if (!accepted) {
          events.wait_readable(Deadline::never());
          continue;
        }
        io::spawn([this, answers, number = ++connections_, fd = std::move(accepted->fd)]() mutable {
          talk(io::Stream(std::move(fd)), answers, number);
        });
      }
    });
  }
  void talk(io::Stream stream, const Answers& answers, int number) {
    stream.write(kGreeting);
    for (;;) {
      auto line = stream.read_line(4096, Deadline::never());
      if (!line) return;
      requests_.emplace_back(replace_all(line->text, "\t", " "));
      std::string text = answers(requests_.back(), number);
      if (text == "close") return;
      stream.write(text);
      (void)stream.flush(Deadline::after(seconds(20)));
    }
  }
  static Deadline soon() { return Deadline::after(seconds(20)); }
  static std::string id_of(const std::string& request) { return std::string(split_any(request, " ")[1]); }

  sys::Fd listener_;
  std::string directory_;
  std::vector<std::string> requests_, log_;
  int connections_ = 0;
};

TEST_F(DovecotTest, SessionsShareAConnection) {
  serve(
      [](const std::string& request, int) {
        if (!request.starts_with("AUTH")) return std::string();
        return "OK\t" + id_of(request) + "\tuser=joe\n";
      },
      [&](DovecotService& service) {
        auto one = service.begin({}, {}), other = service.begin({}, {.noplaintext = true});
        EXPECT_EQ(one->mechanisms(soon()).value().size(), 4U);
        EXPECT_EQ(other->mechanisms(soon()).value().size(), 3U);
        EXPECT_EQ(*one->first("plain", "AGE=", soon()).login, "joe");
        EXPECT_EQ(other->first("PLAIN", "AGE=", soon()).text, "Invalid authentication mechanism");
        EXPECT_EQ(other->first("CRAM-MD5", std::nullopt, soon()).kind, Outcome::Kind::done);
      });
  EXPECT_EQ(connections_, 1);
  ASSERT_EQ(requests_.size(), 4U);
  EXPECT_EQ(requests_[2], "AUTH 1 PLAIN service=smtp nologin resp=AGE=");
}

TEST_F(DovecotTest, AnswersFindThoseWhoWait) {
  // The second one is answered first.
  std::string held;
  serve(
      [&](const std::string& request, int) {
        if (!request.starts_with("AUTH")) return std::string();
        std::string text = "OK\t" + id_of(request) + "\tuser=u" + id_of(request) + "\n";
        if (held.empty()) {
          held = text;
          return std::string();
        }
        return text + held;
      },
      [&](DovecotService& service) {
        auto one = service.begin({}, {}), other = service.begin({}, {});
        std::string first, second;
        io::TaskGroup both;
        both.spawn([&] { first = *one->first("PLAIN", "", soon()).login; });
        both.spawn([&] { second = *other->first("PLAIN", "", soon()).login; });
        both.wait(soon());
        EXPECT_EQ(first, "u1");
        EXPECT_EQ(second, "u2");
      });
}

TEST_F(DovecotTest, AnExchangeOfSeveralSteps) {
  serve(
      [](const std::string& request, int) {
        if (request.starts_with("AUTH")) return "CONT\t" + id_of(request) + "\tVXNlcm5hbWU6\n";
        if (request.starts_with("CONT") && request.ends_with("am9l"))
          return "FAIL\t" + id_of(request) + "\tuser=joe\n";
        return std::string();
      },
      [&](DovecotService& service) {
        auto session = service.begin({}, {});
        EXPECT_EQ(session->first("PLAIN", std::nullopt, soon()).text, "VXNlcm5hbWU6");
        EXPECT_EQ(session->next("a\tb", soon()).text, "Invalid base64 data in continued response");
        EXPECT_EQ(session->first("PLAIN", "a b", soon()).text, "Invalid base64 data in initial response");
        EXPECT_EQ(session->first("PLAIN", std::nullopt, soon()).text, "VXNlcm5hbWU6");
        EXPECT_EQ(session->next("am9l", soon()).text, "(reason unavailable)");
      });
  ASSERT_EQ(requests_.size(), 6U);
  EXPECT_EQ(requests_[3], "CANCEL 1");
}

TEST_F(DovecotTest, ARestartOfTheServerIsNotNoticed) {
  serve(
      [](const std::string& request, int connection) {
        if (!request.starts_with("AUTH")) return std::string();
        if (connection == 1 && id_of(request) == "2") return std::string("close");
        return "OK\t" + id_of(request) + "\tuser=joe\n";
      },
      [&](DovecotService& service) {
        auto session = service.begin({}, {});
        EXPECT_TRUE(session->mechanisms(soon()));
        EXPECT_EQ(session->first("PLAIN", "AGE=", soon()).kind, Outcome::Kind::done);
        EXPECT_EQ(session->first("PLAIN", "AGE=", soon()).kind, Outcome::Kind::done);
      });
  EXPECT_EQ(connections_, 2);
}

TEST_F(DovecotTest, AServerThatClosesEachTimeIsATemporaryFailure) {
  serve([](const std::string& request, int) { return request.starts_with("AUTH") ? "close" : ""; },
        [&](DovecotService& service) {
          auto session = service.begin({}, {});
          Outcome outcome = session->first("PLAIN", "AGE=", soon());
          EXPECT_EQ(outcome.kind, Outcome::Kind::temporary);
          EXPECT_EQ(outcome.text, "Connection lost to authentication server");
        });
  EXPECT_EQ(connections_, 2);
}

TEST_F(DovecotTest, AServerThatIsAwayLaterIsAnnouncedAsItWas) {
  io::run_with_loop([&] {
    DovecotService service(settings());
    auto session = service.begin({}, {});
    EXPECT_FALSE(session->mechanisms(soon()));
    EXPECT_EQ(log_.back(),
              "SASL: Connect to Dovecot auth socket '" + socket() + "' failed: No such file or directory");
    listen([](const std::string& request, int) { return request.starts_with("AUTH") ? "close" : ""; });
    EXPECT_TRUE(session->mechanisms(soon()));
    EXPECT_EQ(session->first("PLAIN", "", soon()).kind, Outcome::Kind::temporary);
    listener_ = sys::Fd();
    ::unlink(socket().c_str());
    EXPECT_EQ(session->mechanisms(soon()).value().size(), 4U);
    EXPECT_EQ(session->first("PLAIN", "", soon()).kind, Outcome::Kind::temporary);
  });
}

TEST_F(DovecotTest, AnAnswerThatDoesNotComeIsATemporaryFailure) {
  io::run_with_loop([&] {
    listen([](const std::string&, int) { return ""; });
    ServiceSettings impatient = settings();
    impatient.answer_timeout = seconds(0);
    DovecotService service(impatient);
    auto session = service.begin({}, {});
    EXPECT_EQ(session->first("PLAIN", "", soon()).kind, Outcome::Kind::temporary);
    EXPECT_EQ(connections_, 1);
  });
}

TEST_F(DovecotTest, AServerThatLosesItsWayIsLeft) {
  serve([](const std::string& request, int) { return request.starts_with("AUTH") ? "OK\tall\n" : ""; },
        [&](DovecotService& service) {
          auto session = service.begin({}, {});
          EXPECT_EQ(session->first("PLAIN", "", soon()).kind, Outcome::Kind::temporary);
        });
  EXPECT_EQ(log_.back(), "SASL: Malformed line: OK");
}

}  // namespace
}  // namespace postrider::sasl
