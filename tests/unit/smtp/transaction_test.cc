#include <sys/socket.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scripted_server.h"

// Covers: smtp_data_xfer_timeout, lmtp_data_xfer_timeout
namespace postrider::smtp {
namespace {

using test::converse;
using test::LogLines;
using test::ScriptedServer;
using testing::ElementsAre;
using testing::IsEmpty;

Envelope envelope(std::vector<std::string> recipients = {"a@dest.test", "b@dest.test"}) {
  Envelope out;
  out.mail = "MAIL FROM:<joe@sender.test>";
  for (const std::string& recipient : recipients)
    out.recipients.push_back("RCPT TO:<" + recipient + ">");
  return out;
}

/// "250 ok", "-" where there is no reply.
std::vector<std::string> show(const std::vector<std::optional<Reply>>& replies) {
  std::vector<std::string> out;
  for (const auto& reply : replies)
    out.push_back(reply ? reply->one_line() : "-");
  return out;
}

void start(ClientSession& session) {
  ASSERT_TRUE(session.read_greeting());
  ASSERT_TRUE(session.hello());
}

Envelope after_idling() {
  Envelope out = envelope({"a@dest.test"});
  out.probe_first = true;
  return out;
}

TEST(Transaction, ProbesASessionThatWasIdle) {
  converse(
      [](ScriptedServer& server) {
        server.greet("PIPELINING");
        for (const char* expected :
             {"RSET", "MAIL FROM:<joe@sender.test>", "RCPT TO:<a@dest.test>", "DATA"}) {
          EXPECT_EQ(server.receive(), expected);
        }
        server.send("250 reset\r\n250 ok\r\n250 ok\r\n354 go\r\n");
      },
      [](ClientSession& session) {
        start(session);
        EnvelopeReplies replies = session.send_envelope(after_idling());
        EXPECT_FALSE(replies.stale);
        EXPECT_TRUE(replies.ready_for_content);
      });
}

TEST(Transaction, AFailedProbeIsNoFailureOfTheMessage) {
  converse(
      [](ScriptedServer& server) {
        server.greet();
        server.on("RSET", "421 4.4.2 timeout exceeded");
      },
      [](ClientSession& session) {
        start(session);
        EnvelopeReplies replies = session.send_envelope(after_idling());
        EXPECT_TRUE(replies.stale);
        EXPECT_FALSE(replies.mail);
        EXPECT_FALSE(replies.ready_for_content);
      });
  converse(
      [](ScriptedServer& server) {
        server.greet("PIPELINING");
        server.hang_up();
      },
      [](ClientSession& session) {
        start(session);
        EXPECT_TRUE(session.send_envelope(after_idling()).stale);
      });
}

TEST(Transaction, DeliversOneStepAtATime) {
  converse(
      [](ScriptedServer& server) {
        server.greet();
        server.on("MAIL FROM:<joe@sender.test>", "250 2.1.0 ok");
        server.on("RCPT TO:<a@dest.test>", "550 5.1.1 unknown");
        server.on("RCPT TO:<b@dest.test>", "251 2.1.5 will forward");
        server.on("DATA", "354 go");
        EXPECT_THAT(server.receive_content(), ElementsAre("Subject: x", "", "..dot", "end"));
        server.send("250 2.0.0 Accepted\r\n");
        server.on("QUIT", "221 bye");
      },
      [](ClientSession& session) {
        start(session);
        EnvelopeReplies replies = session.send_envelope(envelope());
        EXPECT_FALSE(replies.failure);
        EXPECT_EQ(replies.mail->one_line(), "250 2.1.0 ok");
        EXPECT_THAT(show(replies.recipients), ElementsAre("550 5.1.1 unknown", "251 2.1.5 will forward"));
        EXPECT_EQ(replies.data->code, 354);
        EXPECT_EQ(replies.accepted, 1u);
        ASSERT_TRUE(replies.ready_for_content);
        EXPECT_TRUE(session.transaction_open());
        for (const char* line : {"Subject: x", "", ".dot"})
          EXPECT_TRUE(session.send_content(line, true));
        EXPECT_TRUE(session.send_content("end", false));
        ContentReplies done = session.end_content(true);
        EXPECT_FALSE(done.failure);
        ASSERT_EQ(done.replies.size(), 1u);
        EXPECT_EQ(done.replies[0].one_line(), "250 2.0.0 Accepted");
        EXPECT_FALSE(session.transaction_open());
        EXPECT_TRUE(session.quit(true));
      });
}

TEST(Transaction, PipelinesTheEnvelopeInOneGo) {
  converse(
      [](ScriptedServer& server) {
        server.greet("PIPELINING,XFORWARD NAME PROTO");
        for (const char* command : {"XFORWARD NAME=x", "XFORWARD PROTO=ESMTP", "MAIL FROM:<joe@sender.test>",
                                    "RCPT TO:<a@dest.test>", "RCPT TO:<b@dest.test>", "DATA"}) {
          EXPECT_EQ(server.receive(), command);  // All of them before the first reply.
        }
        server.send("250 ok\r\n501 no\r\n250 2.1.0 ok\r\n250 2.1.5 a\r\n450 4.2.0 b\r\n354 go\r\n");
        EXPECT_THAT(server.receive_content(), ElementsAre("x"));
        EXPECT_EQ(server.receive(), "QUIT");  // With the dot.
        server.send("250 2.0.0 Accepted\r\n221 bye\r\n");
      },
      [](ClientSession& session) {
        LogLines log;
        start(session);
        Envelope message = envelope();
        message.xforward = {"XFORWARD NAME=x", "XFORWARD PROTO=ESMTP"};
        EnvelopeReplies replies = session.send_envelope(message);
        EXPECT_THAT(show(replies.recipients), ElementsAre("250 2.1.5 a", "450 4.2.0 b"));
        ASSERT_TRUE(replies.ready_for_content);
        EXPECT_TRUE(session.send_content("x", true));
        EXPECT_EQ(session.end_content(true).replies.at(0).code, 250);
        EXPECT_TRUE(session.quit(true));
        EXPECT_THAT(log.lines,
                    ElementsAre("warning: host mx.test[192.0.2.1]:25 said: 501 no (in reply to XFORWARD "
                                "helo/protocol command)"));
      });
}

TEST(Transaction, ARefusedSenderEndsIt) {
  converse(
      [](ScriptedServer& server) {
        server.greet();
        server.on("MAIL FROM:<joe@sender.test>", "451 4.7.1 later");
        server.on("RSET", "250 ok");
      },
      [](ClientSession& session) {
        start(session);
        EnvelopeReplies replies = session.send_envelope(envelope());
        EXPECT_EQ(replies.mail->dsn, "4.7.1");
        EXPECT_THAT(show(replies.recipients), ElementsAre("-", "-"));
        EXPECT_FALSE(replies.data);
        EXPECT_FALSE(replies.ready_for_content);
        EXPECT_TRUE(session.transaction_open());
        EXPECT_TRUE(session.reset());
        EXPECT_FALSE(session.transaction_open());
      });
}

TEST(Transaction, WithoutRecipientsThereIsNoData) {
  converse(
      [](ScriptedServer& server) {
        server.greet();
        server.on("MAIL FROM:<joe@sender.test>", "250 ok");
        server.on("RCPT TO:<a@dest.test>", "550 no");
        server.on("RCPT TO:<b@dest.test>", "550 no");
        server.on("RSET", "250 ok");
      },
      [](ClientSession& session) {
        start(session);
        EnvelopeReplies replies = session.send_envelope(envelope());
        EXPECT_EQ(replies.accepted, 0u);
        EXPECT_FALSE(replies.data);
        EXPECT_TRUE(session.reset());
      });
}

TEST(Transaction, AnEmptyMessageIsEndedWhenDataWasAcceptedInVain) {
  converse(
      [](ScriptedServer& server) {
        server.greet("PIPELINING");
        server.on("MAIL FROM:<joe@sender.test>", "550 5.7.1 bad sender");
        server.on("RCPT TO:<a@dest.test>", "250 ok");
        server.on("RCPT TO:<b@dest.test>", "250 ok");
        server.on("DATA", "354 go");
        EXPECT_THAT(server.receive_content(), IsEmpty());
        server.send("250 thanks for nothing\r\n");
        server.on("QUIT", "221 bye");
      },
      [](ClientSession& session) {
        start(session);
        EnvelopeReplies replies = session.send_envelope(envelope());
        EXPECT_EQ(replies.mail->dsn, "5.7.1");
        EXPECT_EQ(replies.accepted, 0u);  // What the server says without a sender does not count.
        EXPECT_FALSE(replies.ready_for_content);
        EXPECT_FALSE(session.transaction_open());
        EXPECT_TRUE(session.quit(true));
      });
}

TEST(Transaction, ARefusedDataLeavesTheTransactionOpen) {
  converse(
      [](ScriptedServer& server) {
        server.greet("PIPELINING");
        server.on("MAIL FROM:<joe@sender.test>", "250 ok");
        server.on("RCPT TO:<a@dest.test>", "250 ok");
        server.on("DATA", "451 4.3.0 later");
      },
      [](ClientSession& session) {
        start(session);
        EnvelopeReplies replies = session.send_envelope(envelope({"a@dest.test"}));
        EXPECT_EQ(replies.accepted, 1u);
        EXPECT_EQ(replies.data->dsn, "4.3.0");
        EXPECT_FALSE(replies.ready_for_content);
        EXPECT_TRUE(session.transaction_open());
      });
}

TEST(Transaction, AProbeEndsBeforeData) {
  converse(
      [](ScriptedServer& server) {
        server.greet("PIPELINING");
        server.on("MAIL FROM:<joe@sender.test>", "250 ok");
        server.on("RCPT TO:<a@dest.test>", "250 ok");
        server.on("RSET", "250 ok");
      },
      [](ClientSession& session) {
        start(session);
        Envelope probe = envelope({"a@dest.test"});
        probe.want_data = false;
        EnvelopeReplies replies = session.send_envelope(probe);
        EXPECT_EQ(replies.accepted, 1u);
        EXPECT_FALSE(replies.ready_for_content);
        EXPECT_TRUE(session.reset());
      });
}

TEST(Transaction, ALostConnectionLeavesTheRepliesBefore) {
  converse(
      [](ScriptedServer& server) {
        server.greet("PIPELINING");
        server.on("MAIL FROM:<joe@sender.test>", "250 ok");
        server.on("RCPT TO:<a@dest.test>", "550 5.1.1 no");
        server.hang_up();
      },
      [](ClientSession& session) {
        start(session);
        EnvelopeReplies replies = session.send_envelope(envelope());
        EXPECT_THAT(show(replies.recipients), ElementsAre("550 5.1.1 no", "-"));
        ASSERT_TRUE(replies.failure);
        EXPECT_EQ(replies.failure->text, "lost connection with mx.test[192.0.2.1] while sending RCPT TO");
        EXPECT_EQ(replies.failure->dsn, "4.4.2");
        EXPECT_TRUE(session.send_envelope(envelope()).failure);
      });
}

TEST(Transaction, EveryStepHasItsPhrase) {
  auto phrase = [](int answered) {
    std::string text;
    converse(
        [&](ScriptedServer& server) {
          server.greet();
          const char* replies[] = {"250 ok", "250 ok", "250 ok", "354 go", "250 done"};
          for (int i = 0; i < answered; ++i) {
            if (i == 4) {
              server.receive_content();
            } else {
              server.receive();
            }
            server.send(std::string(replies[i]) + "\r\n");
          }
          if (answered == 4) {
            server.receive_content();
          } else {
            server.receive();
          }
          server.hang_up();
        },
        [&](ClientSession& session) {
          start(session);
          Envelope message = envelope({"a@dest.test"});
          message.xforward = {"XFORWARD NAME=x"};
          EnvelopeReplies replies = session.send_envelope(message);
          if (!replies.failure) {
            ContentReplies done = session.end_content(false);
            if (!done.failure) (void)session.quit(true);
          }
          text = session.failure() ? session.failure()->text : "none";
        });
    return text.substr(text.find(" while ") + 7);
  };
  EXPECT_EQ(phrase(0), "sending XFORWARD name/address");
  EXPECT_EQ(phrase(1), "sending MAIL FROM");
  EXPECT_EQ(phrase(2), "sending RCPT TO");
  EXPECT_EQ(phrase(3), "sending DATA command");
  EXPECT_EQ(phrase(4), "sending end of data -- message may be sent more than once");
  EXPECT_EQ(phrase(5), "sending QUIT");
}

TEST(Transaction, LmtpAnswersForEachRecipient) {
  ClientSettings settings = test::settings();
  settings.lmtp = true;
  converse(
      settings,
      [](ScriptedServer& server) {
        server.send("220 store\r\n");
        server.on("LHLO client.test", "250-store\r\n250 PIPELINING");
        for (int i = 0; i < 5; ++i)
          server.receive();
        server.send("250 ok\r\n250 a\r\n550 5.1.1 b\r\n250 c\r\n354 go\r\n");
        EXPECT_THAT(server.receive_content(), ElementsAre("x"));
        server.send("250 2.0.0 a\r\n452 4.2.2 c full\r\n");
      },
      [](ClientSession& session) {
        start(session);
        EnvelopeReplies replies = session.send_envelope(envelope({"a", "b", "c"}));
        EXPECT_EQ(replies.accepted, 2u);
        EXPECT_TRUE(session.send_content("x", true));
        ContentReplies done = session.end_content(false);
        ASSERT_EQ(done.replies.size(), 2u);
        EXPECT_EQ(done.replies[0].dsn, "2.0.0");
        EXPECT_EQ(done.replies[1].dsn, "4.2.2");
      });
}

TEST(Transaction, LmtpRecipientsThatWereAnsweredForAreDone) {
  ClientSettings settings = test::settings();
  settings.lmtp = true;
  converse(
      settings,
      [](ScriptedServer& server) {
        server.send("220 store\r\n");
        server.on("LHLO client.test", "250 store");
        for (const char* reply : {"250 ok", "250 a", "250 b", "354 go"}) {
          server.receive();
          server.send(std::string(reply) + "\r\n");
        }
        server.receive_content();
        server.send("250 2.0.0 a\r\n");
        server.hang_up();
      },
      [](ClientSession& session) {
        start(session);
        EXPECT_TRUE(session.send_envelope(envelope()).ready_for_content);
        ContentReplies done = session.end_content(false);
        EXPECT_EQ(done.replies.size(), 1u);
        EXPECT_TRUE(done.failure);
      });
}

TEST(Transaction, SeveralMessagesInASession) {
  converse(
      [](ScriptedServer& server) {
        server.greet();
        for (int i = 0; i < 2; ++i) {
          server.on("MAIL FROM:<joe@sender.test>", "250 ok");
          server.on("RCPT TO:<a@dest.test>", "250 ok");
          server.on("DATA", "354 go");
          // The second message does not begin in the middle of a line.
          EXPECT_THAT(server.receive_content(), ElementsAre("..x"));
          server.send("250 ok\r\n");
        }
      },
      [](ClientSession& session) {
        start(session);
        for (int i = 0; i < 2; ++i) {
          EXPECT_TRUE(session.send_envelope(envelope({"a@dest.test"})).ready_for_content);
          EXPECT_TRUE(session.send_content(".x", false));
          EXPECT_FALSE(session.end_content(false).failure);
        }
      });
}

TEST(Transaction, LongLinesAreBrokenAndLoggedOnce) {
  LogLines log;
  ClientSettings settings = test::settings();
  settings.line_limit = 10;
  converse(
      settings,
      [](ScriptedServer& server) {
        server.greet();
        for (const char* reply : {"250 ok", "250 ok", "354 go"}) {
          server.receive();
          server.send(std::string(reply) + "\r\n");
        }
        EXPECT_THAT(server.receive_content(), ElementsAre("1234567890", " 12345", "1234567890", " 1"));
        server.send("250 ok\r\n");
      },
      [](ClientSession& session) {
        start(session);
        EXPECT_TRUE(session.send_envelope(envelope({"a"})).ready_for_content);
        EXPECT_TRUE(session.send_content("123456789012345", true));
        EXPECT_TRUE(session.send_content("12345678901", true));
        EXPECT_FALSE(session.end_content(false).failure);
      });
  EXPECT_THAT(log.lines, ElementsAre("QID: breaking line > 10 bytes with <CR><LF>SPACE"));
}

TEST(Transaction, MuchContentArrivesWhole) {
  constexpr int kLines = 50'000;
  converse(
      [](ScriptedServer& server) {
        server.greet("PIPELINING");
        for (int i = 0; i < 3; ++i)
          server.receive();
        server.send("250 ok\r\n250 ok\r\n354 go\r\n");
        EXPECT_EQ(server.receive_content().size(), static_cast<size_t>(kLines));
        server.send("250 ok\r\n");
      },
      [](ClientSession& session) {
        start(session);
        ASSERT_TRUE(session.send_envelope(envelope({"a"})).ready_for_content);
        for (int i = 0; i < kLines; ++i)
          ASSERT_TRUE(session.send_content("a line of some forty characters, dear", true));
        EXPECT_EQ(session.end_content(false).replies.at(0).code, 250);
      });
}

TEST(Transaction, AServerThatStopsReadingTimesOut) {
  ClientSettings settings = test::settings();
  settings.data_transfer_timeout = seconds(0);
  converse(
      settings,
      [](ScriptedServer& server) {
        server.greet();
        for (const char* reply : {"250 ok", "250 ok", "354 go"}) {
          server.receive();
          server.send(std::string(reply) + "\r\n");
        }
      },
      [](ClientSession& session) {
        start(session);
        ASSERT_TRUE(session.send_envelope(envelope({"a"})).ready_for_content);
        Outcome<void> sent;
        for (int i = 0; i < 100'000 && sent; ++i)
          sent = session.send_content(std::string(70, 'x'), true);
        ASSERT_FALSE(sent);
        EXPECT_EQ(sent.error().text,
                  "conversation with mx.test[192.0.2.1] timed out while sending message body");
      });
}

// Neither side may wait to write while the other does: the server here reads only as fast as it can answer,
// the answers are long, and the socket buffers are small.
TEST(Transaction, PipeliningDoesNotDeadlock) {
  constexpr int kRecipients = 5'000;
  io::run_with_loop([] {
    auto pair = sys::make_socket_pair(SOCK_STREAM).value();
    int small = 1;  // The kernel makes it its minimum.
    for (int fd : {pair.first.get(), pair.second.get()})
      setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    ScriptedServer server{io::Stream(std::move(pair.first))};
    ClientSession session(io::Stream(std::move(pair.second)), {"mx.test", "192.0.2.1", 25}, test::settings());
    io::TaskGroup group;
    group.spawn([&] {
      server.greet("PIPELINING");
      for (int i = 0; i < kRecipients + 2; ++i) {
        std::string command = server.receive();
        server.send((command == "DATA" ? "354 " : "250 ") + std::string(500, 'x') + "\r\n");
      }
    });
    start(session);
    Envelope message = envelope(std::vector<std::string>(kRecipients, "somebody@some.where.test"));
    EnvelopeReplies replies = session.send_envelope(message);
    EXPECT_FALSE(replies.failure);
    EXPECT_EQ(replies.accepted, static_cast<size_t>(kRecipients));
    EXPECT_TRUE(replies.ready_for_content);
    EXPECT_TRUE(group.wait(test::soon()));
  });
}

}  // namespace
}  // namespace postrider::smtp
