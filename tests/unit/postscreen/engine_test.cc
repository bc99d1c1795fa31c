#include "postscreen/engine.h"

#include <gmock/gmock.h>

#include "fixture.h"
#include "io/fiber.h"
#include "io/loop.h"

namespace postrider::postscreen {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kGreeting = "220 mx.site.test ESMTP Postfix\r\n";

class EngineTest : public PostscreenTest {
 protected:
  EngineTest() { use(""); }

  void use(const std::string& main_cf, const char* entry = nullptr) {
    configure(
        "postscreen_pipelining_enable = yes\npostscreen_bare_newline_enable = yes\nmail_name = Postfix\n"
        "postscreen_non_smtp_command_enable = yes\npostscreen_command_count_limit = 1000\n" +
        main_cf);
    peer_.address = *sys::Address::from_ip("203.0.113.7", 4711);
    peer_.ip = "203.0.113.7";
    peer_.label = "[203.0.113.7]:4711";
    progress_.emplace(*settings_, entry != nullptr ? Record::parse(entry) : std::nullopt, 1000);
    progress_->pass(Test::pregreet, 2000);
  }

  /// Sends pieces, each after the reply to the one before; the result is all that came back, without the
  /// greeting.
  std::string talk(const std::vector<std::string>& pieces, bool hangs_up = true) {
    std::string out;
    io::run_with_loop([&] {
      auto pair = sys::make_socket_pair(SOCK_STREAM);
      io::Stream client(std::move(pair->first));
      bool over = false;
      io::spawn([&, fd = std::move(pair->second)]() mutable {
        io::Stream stream(std::move(fd));
        Replies replies(*settings_, *lists_);
        const Settings::Patience* patience = &settings_->patience;
        TlsGateway tls(*config_, *settings_);
        Engine(*settings_, *lists_, replies, tls, patience, peer_, stream, *progress_).run(true);
        over = true;
      });
      read_reply(client, out);
      EXPECT_EQ(out, kGreeting);
      out.clear();
      for (const std::string& piece : pieces) {
        client.write(piece);
        if (!client.flush(Deadline::never()) || !read_reply(client, out)) break;
      }
      if (hangs_up) client.shutdown_write();
      while (client.fill(Deadline::after(seconds(20))).value_or(false)) {
      }
      out += client.buffered();
      EXPECT_TRUE(over);
    });
    return out;
  }
  /// One reply, of whatever number of lines.
  static bool read_reply(io::Stream& client, std::string& out) {
    for (;;) {
      auto line = client.read_line(4000, Deadline::after(seconds(20)));
      if (!line) return false;
      out += line->text;
      out += "\r\n";
      if (line->text.substr(3, 1) != "-") return true;
    }
  }
  /// Each with a client of its own.
  std::string ask(const std::string& command) {
    progress_.emplace(*settings_, std::nullopt, 1000);
    return talk({command + "\r\n"});
  }

  Peer peer_;
  std::optional<Progress> progress_;
};

TEST_F(EngineTest, OffersWhatAServerOffersButNoPipelining) {
  EXPECT_EQ(ask("EHLO x"),
            "250-mx.site.test\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n250-ENHANCEDSTATUSCODES\r\n"
            "250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n");
  use("postscreen_disable_vrfy_command = yes\npostscreen_discard_ehlo_keywords = dsn\nmessage_size_limit = "
      "0\n"
      "smtputf8_enable = no\n");
  EXPECT_EQ(ask("EHLO x"),
            "250-mx.site.test\r\n250-SIZE\r\n250-ETRN\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 "
            "CHUNKING\r\n");
  use("postscreen_discard_ehlo_keywords = dsn\n"
      "postscreen_discard_ehlo_keyword_address_maps = inline:{203.0.113.7=chunking}\n");
  EXPECT_EQ(ask("EHLO x"),
            "250-mx.site.test\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n250-ENHANCEDSTATUSCODES\r\n"
            "250-8BITMIME\r\n250-DSN\r\n250 SMTPUTF8\r\n");
}

TEST_F(EngineTest, TlsIsOfferedAndAskedForAsTheLevelSays) {
  EXPECT_THAT(ask("STARTTLS"), HasSubstr("502 5.5.1 Error: command not implemented"));
  use("postscreen_tls_security_level = may\n");
  EXPECT_THAT(ask("EHLO x"), HasSubstr("250-ETRN\r\n250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n"));
  EXPECT_EQ(ask("STARTTLS x"), "501 5.5.4 Syntax: STARTTLS\r\n");
  // Nobody here speaks TLS for this process.
  EXPECT_EQ(ask("STARTTLS"), "454 4.7.0 TLS not available due to local problem\r\n");
  use("postscreen_tls_security_level = encrypt\npostscreen_discard_ehlo_keywords = starttls\n");
  EXPECT_THAT(ask("EHLO x"), testing::Not(HasSubstr("STARTTLS")));
  EXPECT_EQ(ask("STARTTLS"), "502 5.5.1 Error: command not implemented\r\n");
  for (const char* command :
       {"MAIL FROM:<a@b>", "RCPT TO:<a@b>", "DATA", "BDAT 1", "RSET", "VRFY a", "ETRN a"})
    EXPECT_EQ(ask(command), "530 5.7.0 Must issue a STARTTLS command first\r\n") << command;
  for (const char* command : {"NOOP", "HELO x", "QUIT", "FROB"})
    EXPECT_THAT(ask(command), testing::Not(HasSubstr("530"))) << command;
}

TEST_F(EngineTest, CommandsGetTheRepliesOfPostfix) {
  for (auto [command, reply] : std::vector<std::pair<std::string, std::string>>{
           {"HELO", "501 Syntax: HELO hostname"},
           {"HELO  ", "501 Syntax: HELO hostname"},
           {"EHLO", "501 Syntax: EHLO hostname"},
           {"HELO a b", "250 mx.site.test"},
           {"RSET x", "250 2.0.0 Ok"},
           {"noop \t x", "250 2.0.0 Ok"},
           {"VRFY", "501 5.5.4 Syntax: VRFY address"},
           {"VRFY x", "450 4.3.2 Service currently unavailable"},
           {"ETRN", "500 Syntax: ETRN domain"},
           {"ETRN x", "458 Unable to queue messages"},
           {"MAIL", "501 5.5.4 Syntax: MAIL FROM:<address>"},
           {"MAIL FROM:<a@b> FOO=BAR", "250 2.1.0 Ok"},
           {"RCPT TO:<a@b>", "503 5.5.1 Error: need MAIL command"},
           {"RCPT", "503 5.5.1 Error: need MAIL command"},
           {"DATA", "503 5.5.1 Error: need RCPT command"},
           {"BDAT", "501 5.5.4 Syntax: BDAT count [LAST]"},
           {"BDAT 5 LAST", "554 5.5.1 Error: need MAIL command"},
           {"STARTTLS", "502 5.5.1 Error: command not implemented"},
           {"STARTTLS x", "501 5.5.4 Syntax: STARTTLS"},
           {"AUTH PLAIN", "502 5.5.2 Error: command not recognized"},
           {"XCLIENT ADDR=1.2.3.4", "502 5.5.2 Error: command not recognized"},
           {"HELP", "502 5.5.2 Error: command not recognized"},
           {"HELO\tx", "502 5.5.2 Error: command not recognized"},
           {"", "502 5.5.2 Error: command not recognized"},
           {std::string("NOOP\0x", 6), "250 2.0.0 Ok"},
           {"QUIT x", "221 2.0.0 Bye"}})
    EXPECT_EQ(ask(command), reply + "\r\n") << command;
  ask("VRFY x");
  EXPECT_FALSE(progress_->passed_all());
}

TEST_F(EngineTest, RecipientsAreRefusedForNowAndThenTheTestsArePassed) {
  EXPECT_EQ(
      talk({"EHLO cl\x01ient\r\n", "MAIL FROM:<\"a b\"@c>\r\n", "RCPT TO:<@x:d@e> NOTIFY=NEVER\r\n",
            "MAIL FROM:<>\r\n", "DATA\r\n"})
          .substr(sizeof("250-mx.site.test") + 1),
      "250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n"
      "250-SMTPUTF8\r\n250 CHUNKING\r\n250 2.1.0 Ok\r\n450 4.3.2 Service currently unavailable\r\n"
      "503 5.5.1 Error: nested MAIL command\r\n554 5.5.1 Error: no valid recipients\r\n");
  EXPECT_TRUE(progress_->passed_all());
  EXPECT_THAT(log_, ElementsAre("NOQUEUE: reject: RCPT from [203.0.113.7]:4711: 450 4.3.2 Service currently "
                                "unavailable; from=<\"a b\"@c>, to=<d@e>, proto=ESMTP, helo=<cl?ient>",
                                "DATA without valid RCPT from [203.0.113.7]:4711"));
}

TEST_F(EngineTest, AServerThatWantsAGreetingSaysSo) {
  use("postscreen_helo_required = yes\n");
  EXPECT_EQ(talk({"MAIL\r\n", "ETRN x\r\n", "HELO x\r\n", "MAIL FROM:<>\r\n"}),
            "503 5.5.1 Error: send HELO/EHLO first\r\n503 5.5.1 Error: send HELO/EHLO first\r\n250 "
            "mx.site.test\r\n250 2.1.0 Ok\r\n");
}

TEST_F(EngineTest, CommandsThatComeAheadAreNoticedOnce) {
  EXPECT_EQ(talk({"mail FROM:<>\r\nRCPT TO:<x>\r\n", "", "NOOP\r\nQUIT\r\n"}),
            "250 2.1.0 Ok\r\n550 5.5.1 Protocol error\r\n250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n");
  EXPECT_TRUE(progress_->failed(Test::pipelining));
  EXPECT_FALSE(progress_->passed_all());
  EXPECT_THAT(log_,
              ElementsAre("COMMAND PIPELINING from [203.0.113.7]:4711 after mail: RCPT TO:<x>\\r\\n",
                          "NOQUEUE: reject: RCPT from [203.0.113.7]:4711: 550 5.5.1 Protocol error; from=<>, "
                          "to=<x>, proto=SMTP, helo=<>"));
  use("postscreen_pipelining_action = drop\n");
  EXPECT_EQ(talk({"NOOP\r\nNOOP\r\n"}), "521 5.5.1 Protocol error\r\n");
}

TEST_F(EngineTest, LinesWithoutCarriageReturnAreNoticed) {
  EXPECT_EQ(talk({"NOOP x\n", "MAIL FROM:<>\n", "RCPT TO:<x>\r\n"}),
            "250 2.0.0 Ok\r\n250 2.1.0 Ok\r\n450 4.3.2 Service currently unavailable\r\n");
  EXPECT_EQ(log_.front(), "BARE NEWLINE from [203.0.113.7]:4711 after NOOP x");
  EXPECT_TRUE(progress_->passed_all()) << "the failure is ignored";
  use("postscreen_bare_newline_action = enforce\n");
  EXPECT_EQ(talk({"MAIL FROM:<>\n", "RCPT TO:<x>\r\n"}), "250 2.1.0 Ok\r\n550 5.5.1 Protocol error\r\n");
  use("postscreen_bare_newline_action = drop\n");
  EXPECT_EQ(talk({"NOOP\n"}), "521 5.5.1 Protocol error\r\n");
}

TEST_F(EngineTest, WordsOfOtherProtocolsAreNoticed) {
  for (const char* command :
       {"CONNECT x", "Subject: hello", "Foo:", "foo\t: bar", "\tNOOP", "123", "\xff\xe4"})
    EXPECT_EQ(ask(command), "521 5.7.0 Error: I can break rules, too. Goodbye.\r\n") << command;
  EXPECT_EQ(log_.front(), "NON-SMTP COMMAND from [203.0.113.7]:4711 after CONNECT: CONNECT x");
  use("postscreen_non_smtp_command_action = enforce\npostscreen_forbidden_commands = foo\n");
  EXPECT_EQ(talk({"FOO\r\n", "X: y\r\n", "connect\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<>\r\n"}),
            "502 5.5.2 Error: command not recognized\r\n502 5.5.2 Error: command not recognized\r\n502 5.5.2 "
            "Error: command not recognized\r\n250 2.1.0 Ok\r\n550 5.5.1 Protocol error\r\n");
  use("postscreen_non_smtp_command_action = ignore\n");
  EXPECT_EQ(talk({"CONNECT\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<>\r\n"}),
            "502 5.5.2 Error: command not recognized\r\n250 2.1.0 Ok\r\n450 4.3.2 Service currently "
            "unavailable\r\n");
}

TEST_F(EngineTest, WhatIsNotTestedIsNotSeenUnlessTheClientIsRefusedAnyway) {
  use("postscreen_pipelining_enable = no\npostscreen_non_smtp_command_enable = no\n");
  EXPECT_EQ(talk({"NOOP\r\nCONNECT\r\n", ""}), "250 2.0.0 Ok\r\n502 5.5.2 Error: command not recognized\r\n");
  EXPECT_THAT(take_log(), testing::Each(HasSubstr("HANGUP")));
  use("postscreen_pipelining_enable = no\npostscreen_non_smtp_command_enable = no\n");
  progress_->refuse("550 5.7.1 no");
  EXPECT_EQ(talk({"NOOP\r\nCONNECT\r\n", ""}),
            "250 2.0.0 Ok\r\n521 5.7.0 Error: I can break rules, too. Goodbye.\r\n");
  EXPECT_THAT(take_log(), ElementsAre(HasSubstr("COMMAND PIPELINING"), HasSubstr("NON-SMTP COMMAND")));
}

TEST_F(EngineTest, EverythingHasALimit) {
  use("line_length_limit = 512\npostscreen_command_count_limit = 3\n");
  EXPECT_EQ(
      talk({"NOOP\r\n", "NOOP\r\n", "NOOP\r\n", "NOOP\r\n"}),
      "250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n421 mx.site.test Service unavailable - try again "
      "later\r\n");
  EXPECT_THAT(take_log(), ElementsAre("COMMAND COUNT LIMIT from [203.0.113.7]:4711 after NOOP"));
  EXPECT_EQ(ask("NOOP " + std::string(506, 'x')), "250 2.0.0 Ok\r\n");
  take_log();
  EXPECT_EQ(ask("NOOP " + std::string(507, 'x')),
            "421 mx.site.test Service unavailable - try again later\r\n");
  EXPECT_THAT(take_log(), ElementsAre("COMMAND LENGTH LIMIT from [203.0.113.7]:4711 after CONNECT"));
  use("postscreen_command_time_limit = 1s\n");
  EXPECT_EQ(talk({}, false), "421 4.4.2 mx.site.test Error: timeout exceeded\r\n");
  EXPECT_THAT(take_log(), ElementsAre("COMMAND TIME LIMIT from [203.0.113.7]:4711 after CONNECT"));
}

TEST_F(EngineTest, WhoHangsUpIsLogged) {
  EXPECT_EQ(talk({"NOOP\r\n"}), "250 2.0.0 Ok\r\n");
  ASSERT_EQ(log_.size(), 1U);
  EXPECT_THAT(log_.front(),
              testing::MatchesRegex("HANGUP after [0-9.]+ from \\[203.0.113.7\\]:4711 in tests after "
                                    "SMTP handshake"));
}

TEST_F(EngineTest, AFilterRewritesCommands) {
  use("postscreen_command_filter = regexp:{{/^frob (.*)/ NOOP $$1}}\n");
  EXPECT_EQ(talk({"  frob x\r\n", "QUIT\r\n"}), "250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n");
  EXPECT_THAT(log_, ElementsAre("[203.0.113.7]:4711: replacing command \"  frob x\" with \"NOOP x\""));
  use("postscreen_command_filter = regexp:{{/^frob(z?) / $$1}}\n");
  EXPECT_EQ(talk({"frob x\r\n", "NOOP\r\n"}), "502 5.5.2 Error: command not recognized\r\n250 2.0.0 Ok\r\n");
  use("postscreen_command_filter = fail:x\n");
  EXPECT_EQ(ask("NOOP"), "421 4.3.0 mx.site.test Server local data error\r\n");
}

TEST_F(EngineTest, RefusalsHaveAFooterAndCanBeSoft) {
  use("postscreen_reject_footer = \\c. Call $server_name, ${client_address}:$client_port $nothing\n"
      "postscreen_reject_footer_maps = regexp:{{/^502/ \\c: read\\nRFC}}\n"
      "soft_bounce = yes\n");
  EXPECT_EQ(talk({"MAIL\r\n", "FOO\r\n", "NOOP\r\n"}),
            "401 4.5.4 Syntax: MAIL FROM:<address>. Call mx.site.test, 203.0.113.7:4711 \r\n"
            "402-4.5.2 Error: command not recognized: read\r\n402 4.5.2 RFC\r\n250 2.0.0 Ok\r\n");
  EXPECT_EQ(log_.front(), "unknown macro name \"nothing\" in expansion request");
  use("smtpd_reject_footer = \\c (see $server_name)\npostscreen_expansion_filter = "
      "abcdefghijklmnopqrstuvwxyz\n");
  EXPECT_EQ(ask("VRFY"), "501 5.5.4 Syntax: VRFY address (see mx_site_test)\r\n");
}

}  // namespace
}  // namespace postrider::postscreen
