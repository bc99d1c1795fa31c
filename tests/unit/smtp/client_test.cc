#include "smtp/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scripted_server.h"

// Covers: smtp_per_request_deadline, lmtp_per_request_deadline
namespace postrider::smtp {
namespace {

using test::converse;
using test::LogLines;
using test::ScriptedServer;
using testing::ElementsAre;
using testing::IsEmpty;

/// The reply in one line, or why there is none.
template <typename T>
std::string show(const Outcome<T>& outcome) {
  if (!outcome) return outcome.error().dsn + " " + outcome.error().text;
  if constexpr (std::is_same_v<T, Reply>) {
    return outcome->one_line();
  } else {
    return "ok";
  }
}

TEST(ClientSession, GreetsAndLearnsWhatTheServerOffers) {
  converse(
      [](ScriptedServer& server) {
        server.send("220-mx.test welcome\r\n220 ESMTP\r\n");
        server.on("EHLO client.test", "250-mx.test\r\n250-PIPELINING\r\n250 SIZE 1000");
        server.on("QUIT", "221 2.0.0 Bye");
      },
      [](ClientSession& session) {
        EXPECT_EQ(show(session.read_greeting()), "220-mx.test welcome 220 ESMTP");
        EXPECT_EQ(show(session.hello()), "250-mx.test 250-PIPELINING 250 SIZE 1000");
        EXPECT_TRUE(session.speaks_esmtp());
        EXPECT_TRUE(session.capabilities().has(Keyword::pipelining));
        EXPECT_EQ(session.capabilities().size_limit, 1000u);
        EXPECT_TRUE(session.quit(true));
      });
}

TEST(ClientSession, FallsBackToHelo) {
  converse(
      [](ScriptedServer& server) {
        server.send("220 mx.test\r\n");
        server.on("EHLO client.test", "502 5.5.1 no EHLO");
        server.on("HELO client.test", "250 mx.test");
      },
      [](ClientSession& session) {
        EXPECT_TRUE(session.read_greeting());
        EXPECT_EQ(show(session.hello()), "250 mx.test");
        EXPECT_FALSE(session.speaks_esmtp());
        EXPECT_TRUE(session.capabilities().offered.empty());
      });
}

TEST(ClientSession, DoesNotArgueWith421) {
  converse(
      [](ScriptedServer& server) {
        server.send("220 mx.test ESMTP\r\n");
        server.on("EHLO client.test", "421 4.3.0 closing");
        EXPECT_EQ(server.receive(), "QUIT");
      },
      [](ClientSession& session) {
        EXPECT_TRUE(session.read_greeting());
        EXPECT_EQ(session.hello()->code, 421);
        EXPECT_TRUE(session.quit(false));
      });
}

TEST(ClientSession, HeloOnlyWhenEhloIsNotWanted) {
  auto greeting_leads_to = [](std::string greeting, ClientSettings settings, std::string command) {
    converse(
        settings,
        [&](ScriptedServer& server) {
          server.send(greeting + "\r\n");
          server.on(command + " client.test", "250 x");
        },
        [](ClientSession& session) {
          EXPECT_TRUE(session.read_greeting());
          EXPECT_TRUE(session.hello());
        });
  };
  ClientSettings polite = test::settings();
  polite.always_ehlo = false;
  greeting_leads_to("220 mx.test SMTP", polite, "HELO");
  greeting_leads_to("220 mx.test esmtp", polite, "EHLO");
  ClientSettings never = test::settings();
  never.never_ehlo = true;
  greeting_leads_to("220 mx.test ESMTP", never, "HELO");
}

TEST(ClientSession, KnowsAFirewallByItsGreeting) {
  auto greeting_is_hidden = [](std::string greeting, bool hidden) {
    converse(
        [&](ScriptedServer& server) {
          server.send(greeting + "\r\n");
          server.on(hidden ? "HELO client.test" : "EHLO client.test", "250 x");
        },
        [&](ClientSession& session) {
          EXPECT_TRUE(session.read_greeting());
          EXPECT_EQ(session.behind_pix(), hidden) << greeting;
          if (session.behind_pix()) session.avoid_esmtp();
          EXPECT_TRUE(session.hello());
        });
  };
  greeting_is_hidden("220 ******0*2****", true);
  greeting_is_hidden("220 mx ***", false);
  greeting_is_hidden("220 *.*", false);
  greeting_is_hidden("220", true);
}

TEST(ClientSession, SpeaksLmtp) {
  ClientSettings settings = test::settings();
  settings.lmtp = true;
  converse(
      settings,
      [](ScriptedServer& server) {
        server.send("220 store\r\n");
        server.on("LHLO client.test", "250-store\r\n250 PIPELINING");
      },
      [](ClientSession& session) {
        EXPECT_TRUE(session.read_greeting());
        EXPECT_TRUE(session.hello());
        EXPECT_TRUE(session.capabilities().has(Keyword::pipelining));
      });
}

TEST(ClientSession, AGreetingWith5xxIsTemporaryUnlessToldOtherwise) {
  for (bool skip : {true, false}) {
    ClientSettings settings = test::settings();
    settings.skip_5xx_greeting = skip;
    converse(
        settings, [](ScriptedServer& server) { server.send("554 5.7.1 Go away\r\n"); },
        [&](ClientSession& session) {
          auto reply = session.read_greeting();
          ASSERT_TRUE(reply);
          EXPECT_EQ(reply->code, 554);
          EXPECT_EQ(reply->dsn, skip ? "4.7.1" : "5.7.1");
        });
  }
}

TEST(ClientSession, RecognisesItself) {
  LogLines log;
  converse(
      [](ScriptedServer& server) {
        server.send("220 ME.test ESMTP\r\n");
        server.on("EHLO client.test", "250-me.test hi\r\n250 SIZE nonsense");
      },
      [](ClientSession& session) {
        EXPECT_TRUE(session.read_greeting());
        EXPECT_TRUE(session.hello());
        EXPECT_TRUE(session.is_myself());
      });
  EXPECT_THAT(
      log.lines,
      ElementsAre("warning: host mx.test[192.0.2.1]:25 greeted me with my own hostname me.test",
                  "warning: bad EHLO SIZE limit \"nonsense\" from mx.test[192.0.2.1]:25",
                  "warning: host mx.test[192.0.2.1]:25 replied to HELO/EHLO with my own hostname me.test"));
}

TEST(ClientSession, DiscardsKeywordsAndSaysSo) {
  LogLines log;
  ClientSettings settings = test::settings();
  converse(
      settings, [](ScriptedServer& server) { server.greet("SIZE 10,DSN,8BITMIME"); },
      [](ClientSession& session) {
        EXPECT_TRUE(session.read_greeting());
        EXPECT_TRUE(session.hello(parse_keywords("dsn, size")));
        EXPECT_EQ(keyword_text(session.capabilities().offered), "8BITMIME");
      });
  EXPECT_THAT(log.lines, ElementsAre("discarding EHLO keywords: SIZE DSN"));
}

TEST(ClientSession, ALostConnectionIsAValueThatStays) {
  converse([](ScriptedServer& server) { server.hang_up(); },
           [](ClientSession& session) {
             const std::string kLost =
                 "4.4.2 lost connection with mx.test[192.0.2.1] while receiving the initial server greeting";
             EXPECT_EQ(show(session.read_greeting()), kLost);
             EXPECT_EQ(show(session.hello()), kLost);
             EXPECT_EQ(show(session.quit(true)), kLost);
             ASSERT_TRUE(session.failure());
             EXPECT_EQ(session.failure()->kind, SessionFailure::Kind::lost);
           });
}

TEST(ClientSession, ALineWithoutEndIsALostConnection) {
  converse(
      [](ScriptedServer& server) {
        server.send("220 mx.te");
        server.hang_up();
      },
      [](ClientSession& session) { EXPECT_FALSE(session.read_greeting()); });
}

TEST(ClientSession, WhatTheServerSaidBeforeItHungUpIsRead) {
  converse(
      [](ScriptedServer& server) {
        server.send("220 mx.test ESMTP\r\n421 4.3.2 shutting down\r\n");
        server.hang_up();
      },
      [](ClientSession& session) {
        EXPECT_TRUE(session.read_greeting());
        EXPECT_EQ(show(session.hello()), "421 4.3.2 shutting down");
      });
}

TEST(ClientSession, TimeLimitsNameWhatWasGoingOn) {
  ClientSettings settings = test::settings();
  settings.helo_timeout = seconds(0);
  converse(
      settings, [](ScriptedServer& server) { (void)server; },
      [](ClientSession& session) {
        EXPECT_EQ(show(session.read_greeting()),
                  "4.4.2 conversation with mx.test[192.0.2.1] timed out while receiving the initial server "
                  "greeting");
        EXPECT_EQ(session.failure()->kind, SessionFailure::Kind::timed_out);
      });
}

TEST(ClientSession, WithADeadlinePerRequestASlowServerRunsOut) {
  ClientSettings settings = test::settings();
  settings.per_request_deadline = true;
  settings.min_data_rate = 0;
  settings.helo_timeout = seconds(1);
  converse(
      settings,
      [](ScriptedServer& server) {
        // Each line comes well within the limit, the whole does not.
        while (!server.stream().broken()) {
          server.send("220-still here\r\n");
          io::sleep_for(milliseconds(20));
        }
      },
      [](ClientSession& session) {
        EXPECT_EQ(show(session.read_greeting()),
                  "4.4.2 conversation with mx.test[192.0.2.1] timed out while receiving the initial server "
                  "greeting");
        ClientSession gone = std::move(session);
      });
}

TEST(ClientSession, WithADeadlinePerRequestDataEarnsTime) {
  Pace pace(seconds(1), true, 100);
  Deadline before = pace.deadline();
  pace.transferred(50);
  EXPECT_GT(pace.deadline(), before);
  EXPECT_LE(pace.deadline(), Deadline::after(seconds(1)));
  Pace fixed(seconds(1), true, 0);
  before = fixed.deadline();
  fixed.transferred(1'000'000);
  EXPECT_EQ(fixed.deadline(), before);
}

TEST(ClientSession, OverlongLinesAreCut) {
  LogLines log;
  ClientSettings settings = test::settings();
  settings.reply_limit = 100;
  converse(
      settings,
      [](ScriptedServer& server) {
        server.send("220 x\r\n");
        server.on("NOOP", "550 5.1.1 " + std::string(150, 'x'));
        server.on("NOOP", "250 next");
      },
      [](ClientSession& session) {
        EXPECT_TRUE(session.read_greeting());
        auto reply = session.command("NOOP", seconds(10), "testing");
        ASSERT_TRUE(reply);
        EXPECT_EQ(reply->text, "550 5.1.1 " + std::string(90, 'x'));
        EXPECT_EQ(show(session.command("NOOP", seconds(10), "testing")), "250 next");
      });
  EXPECT_THAT(log.lines, ElementsAre("warning: mx.test[192.0.2.1]:25: response longer than 100: 550 5.1.1 "
                                     "xxxxxxxxxxxxxxxxxxxx..."));
}

TEST(ClientSession, AnEndlessLineEndsTheSession) {
  LogLines log;
  converse(
      [](ScriptedServer& server) {
        server.send("220 " + std::string(100'000, 'x'));
        // Stays connected: it is the client that gives up.
        EXPECT_THAT(server.receive(), testing::StartsWith("<"));
      },
      [](ClientSession& session) {
        EXPECT_FALSE(session.read_greeting());
        ClientSession gone = std::move(session);
      });
  EXPECT_EQ(log.lines.back(), "warning: mx.test[192.0.2.1]:25: disabling input from mx.test[192.0.2.1]");
}

TEST(ClientSession, RepliesOfManyLinesAreCut) {
  LogLines log;
  ClientSettings settings = test::settings();
  settings.reply_limit = 60;
  converse(
      settings,
      [](ScriptedServer& server) {
        for (int i = 0; i < 20; ++i)
          server.send("220-0123456789\r\n");
        server.send("554 5.7.1 no\r\n");
      },
      [](ClientSession& session) {
        auto reply = session.read_greeting();
        ASSERT_TRUE(reply);
        EXPECT_EQ(reply->code, 554);
        EXPECT_LT(reply->text.size(), 100u);
      });
  EXPECT_THAT(log.lines, ElementsAre("warning: mx.test[192.0.2.1]:25: multi-line response longer than 60 "
                                     "220-0123456789?220-0123456789?..."));
}

TEST(ClientSession, RepliesArePrintable) {
  converse([](ScriptedServer& server) { server.send("220 a\x01\t\xc3\xbc \xff\r\r\n"); },
           [](ClientSession& session) { EXPECT_EQ(show(session.read_greeting()), "220 a??\xc3\xbc ?"); });
  ClientSettings ascii = test::settings();
  ascii.utf8 = false;
  converse(
      ascii, [](ScriptedServer& server) { server.send("220 \xc3\xbc\r\n"); },
      [](ClientSession& session) { EXPECT_EQ(show(session.read_greeting()), "220 ??"); });
}

TEST(ClientSession, GarbageIsRememberedAndWithPipeliningWarnedAbout) {
  LogLines log;
  converse(
      [](ScriptedServer& server) {
        server.greet("PIPELINING");
        server.on("NOOP", "5.1.1 no code\r\n250 ok");
      },
      [](ClientSession& session) {
        EXPECT_TRUE(session.read_greeting());
        EXPECT_TRUE(session.hello());
        EXPECT_FALSE(session.protocol_error());
        EXPECT_EQ(show(session.command("NOOP", seconds(10), "testing")), "5.1.1 no code 250 ok");
        EXPECT_TRUE(session.protocol_error());
      });
  EXPECT_THAT(
      log.lines,
      ElementsAre("warning: QID: non-ESMTP response from mx.test[192.0.2.1]:25: 5.1.1 no code",
                  "warning: to prevent loss of mail, turn off command pipelining for 192.0.2.1 with the "
                  "smtp_discard_ehlo_keyword_address_maps parameter"));
}

struct Rewriter : ReplyRewriter {
  Result<std::optional<std::string>> rewrite(std::string_view line, Deadline) override {
    if (line == "554 foo") return "454 bar";
    if (line == "554 broken")
      return fail(ErrorKind::temporary, "table regexp:/x lookup error for 554 broken");
    return std::nullopt;
  }
};

TEST(ClientSession, RepliesCanBeReplaced) {
  LogLines log;
  ClientSettings settings = test::settings();
  settings.rewriter = std::make_shared<Rewriter>();
  converse(
      settings,
      [](ScriptedServer& server) {
        server.send("220 x\r\n");
        server.on("ONE", "554 foo");
        server.on("TWO", "554 broken");
      },
      [](ClientSession& session) {
        EXPECT_TRUE(session.read_greeting());
        EXPECT_EQ(show(session.command("ONE", seconds(10), "testing")), "454 bar");
        EXPECT_EQ(show(session.command("TWO", seconds(10), "testing")),
                  "4.3.0 local data error while talking to mx.test[192.0.2.1]");
      });
  EXPECT_EQ(log.lines.at(0), "mx.test[192.0.2.1]:25: replacing server reply \"554 foo\" with \"454 bar\"");
  EXPECT_EQ(log.lines.at(1), "warning: mx.test[192.0.2.1]:25: table regexp:/x lookup error for 554 broken");
}

TEST(ClientSession, InputBeforeTlsIsThrownAway) {
  converse(
      [](ScriptedServer& server) {
        server.greet("STARTTLS");
        EXPECT_EQ(server.receive(), "STARTTLS");
        server.send("220 2.0.0 Ready\r\n250 injected\r\n");
      },
      [](ClientSession& session) {
        EXPECT_TRUE(session.read_greeting());
        EXPECT_TRUE(session.hello());
        EXPECT_EQ(show(session.start_tls()), "220 2.0.0 Ready");
        EXPECT_EQ(session.stream().buffered(), "");
      });
}

TEST(ClientSession, ALineEndInACommandDoesNotMakeTwo) {
  converse([](ScriptedServer& server) { server.on("RCPT TO:<a??DATA>", "550 no"); },
           [](ClientSession& session) {
             EXPECT_TRUE(session.command("RCPT TO:<a\r\nDATA>", seconds(10), "testing"));
           });
}

TEST(ClientSession, KeepsATranscriptForThePostmaster) {
  ClientSettings settings = test::settings();
  settings.keep_transcript = true;
  converse(
      settings,
      [](ScriptedServer& server) {
        server.send("220 x\r\n");
        server.on("EHLO client.test", "250 x");
      },
      [](ClientSession& session) {
        EXPECT_TRUE(session.read_greeting());
        EXPECT_TRUE(session.hello());
        EXPECT_THAT(session.transcript(), ElementsAre("In:  220 x", "Out: EHLO client.test", "In:  250 x"));
      });
}

TEST(ClientSession, ResetsOnlyWhatIsOpen) {
  converse([](ScriptedServer& server) { server.greet(); },
           [](ClientSession& session) {
             EXPECT_TRUE(session.read_greeting());
             EXPECT_TRUE(session.hello());
             EXPECT_TRUE(session.reset());  // Nothing to reset: nothing sent.
           });
}

TEST(Peer, HasTheFormsOfLogLines) {
  Peer peer{"mx.test", "2001:db8::1", 25};
  EXPECT_EQ(peer.name(), "mx.test[2001:db8::1]");
  EXPECT_EQ(peer.name_with_port(), "mx.test[2001:db8::1]:25");
  Peer local{"me.test", "private/lmtp", 0};
  EXPECT_EQ(local.name_with_port(), "me.test[private/lmtp]");
}

}  // namespace
}  // namespace postrider::smtp
