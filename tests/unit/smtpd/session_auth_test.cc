// AUTH, and what a login means for the rest of a session.
#include "session_fixture.h"

namespace postrider::smtpd {
namespace {

constexpr const char* kEnabled = "smtpd_sasl_auth_enable = yes\n";

std::string enabled(const std::string& more) {
  return kEnabled + more;
}

TEST_F(SessionTest, AuthIsAnnouncedWithWhatTheFilterLeaves) {
  serve(enabled("broken_sasl_auth_clients = yes\n"), [&](Peer& peer) {
    peer.reply();
    std::string ehlo = peer.say("EHLO x.test");
    EXPECT_NE(ehlo.find("250-AUTH PLAIN LOGIN\n250-AUTH=PLAIN LOGIN\n"), std::string::npos) << ehlo;
  });
  EXPECT_TRUE(sasl_.asked.at(0).noanonymous);
  EXPECT_FALSE(sasl_.asked.at(0).noplaintext);
  EXPECT_EQ(sasl_.peers.at(0).client_address, "192.0.2.7");
  EXPECT_EQ(sasl_.peers.at(0).server_port, "25");
  serve(enabled(
            "smtpd_sasl_mechanism_filter = !plain, static:rest\nsmtpd_sasl_security_options = noplaintext\n"),
        [&](Peer& peer) {
          peer.reply();
          std::string ehlo = peer.say("EHLO x.test");
          EXPECT_NE(ehlo.find("250-AUTH LOGIN EXTERNAL\n"), std::string::npos) << ehlo;
          EXPECT_EQ(ehlo.find("AUTH="), std::string::npos);
        });
  EXPECT_TRUE(sasl_.asked.back().noplaintext);
}

TEST_F(SessionTest, WithoutMechanismsTheSessionEnds) {
  serve(enabled("smtpd_sasl_mechanism_filter = cram-md5\n"), [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("HELO x.test"), "250 mx.test");
    EXPECT_EQ(peer.say("EHLO x.test"), "421 4.3.0 mx.test Server local data error");
  });
  EXPECT_TRUE(
      logged("warning: smtpd_sasl_mechanism_filter discards all mechanisms in 'PLAIN LOGIN EXTERNAL'"));
  sasl_.mechanisms.clear();
  serve(kEnabled, [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("EHLO x.test"), "421 4.3.0 mx.test Server local data error");
  });
  EXPECT_TRUE(logged("warning: no SASL authentication mechanisms"));
}

TEST_F(SessionTest, SecurityOptionsAreChecked) {
  for (const char* name : {"smtpd_sasl_security_options", "smtpd_sasl_tls_security_options"}) {
    EXPECT_THROW(serve(enabled(name + std::string(" = nonsense\n")), [](Peer&) {}), config::ConfigError);
  }
  serve(enabled("smtpd_sasl_tls_security_options = mutual_auth\n"), [](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
  });
  EXPECT_FALSE(sasl_.asked.at(0).mutual_auth);  // There is no TLS here.
}

TEST_F(SessionTest, WhoCannotLogInHearsSo) {
  for (const char* text :
       {"", "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_exceptions_networks = 192.0.2.0/24\n",
        "smtpd_sasl_auth_enable = yes\nsmtpd_tls_auth_only = yes\n",
        "smtpd_sasl_auth_enable = yes\nsmtpd_discard_ehlo_keywords = auth\n"}) {
    serve(text, [&](Peer& peer) {
      peer.reply();
      EXPECT_EQ(peer.say("EHLO x.test").find("AUTH"), std::string::npos) << text;
      EXPECT_EQ(peer.say("AUTH PLAIN c2VjcmV0"), "503 5.5.1 Error: authentication not enabled") << text;
    });
  }
}

TEST_F(SessionTest, ALoginIsKeptUntilTheEnd) {
  serve(enabled("smtpd_relay_restrictions = permit_sasl_authenticated, reject\n"
                "smtpd_sasl_authenticated_header = yes\n"),
        [&](Peer& peer) {
          peer.reply();
          peer.say("EHLO x.test");
          EXPECT_EQ(peer.say("MAIL FROM:<a@b.test> AUTH=<>"), "250 2.1.0 Ok");
          EXPECT_EQ(peer.say("AUTH PLAIN c2VjcmV0"), "503 5.5.1 Error: MAIL transaction in progress");
          EXPECT_EQ(peer.say("RCPT TO:<a@far.test>").substr(0, 3), "554");
          peer.say("RSET");
          EXPECT_EQ(peer.say("AUTH"), "501 5.5.4 Syntax: AUTH mechanism");
          EXPECT_EQ(peer.say("AUTH PLAIN a b"), "501 5.5.4 Syntax: AUTH mechanism");
          EXPECT_EQ(peer.say("AUTH plain c2VjcmV0"), "235 2.7.0 Authentication successful");
          EXPECT_EQ(peer.say("AUTH PLAIN c2VjcmV0"), "503 5.5.1 Error: already authenticated");
          peer.say("EHLO y.test");
          EXPECT_EQ(peer.say("MAIL FROM:<a@b.test> AUTH=x+2By"), "250 2.1.0 Ok");
          EXPECT_EQ(peer.say("RCPT TO:<a@far.test>"), "250 2.1.5 Ok");
          EXPECT_EQ(peer.say("DATA").substr(0, 3), "354");
          EXPECT_EQ(peer.say("Subject: x\r\n\r\nx\r\n.").substr(0, 3), "250");
          peer.say("QUIT");
        });
  EXPECT_TRUE(
      logged("ID1: client=client.test[192.0.2.7], sasl_method=plain, sasl_username=joe, sasl_sender=x+2By"))
      << log_text();
  EXPECT_TRUE(
      logged("disconnect from client.test[192.0.2.7] ehlo=2 auth=1/5 mail=2 rcpt=1/2 data=1 rset=1 quit=1 "
             "commands=9/14"))
      << log_text();
  std::string records;
  for (const std::string& record : mail_.last().records)
    records += record + "\n";
  for (const char* part : {"sasl_method=plain\n", "sasl_username=joe\n", "sasl_sender=x+2By\n",
                           "(Authenticated sender: joe)\n", "with ESMTPA id ID1"}) {
    EXPECT_NE(records.find(part), std::string::npos) << part << " in " << records;
  }
}

TEST_F(SessionTest, ResponsesComeInLinesOfTheirOwn) {
  serve(kEnabled, [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    EXPECT_EQ(peer.say("AUTH LOGIN"), "334 VXNlcm5hbWU6");
    EXPECT_EQ(peer.say("bW9yZQ=="), "334 ");
    EXPECT_EQ(peer.say("c2VjcmV0"), "235 2.7.0 Authentication successful");
    peer.say("QUIT");
  });
  sasl_.responses.clear();
  serve(kEnabled, [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    EXPECT_EQ(peer.say("AUTH LOGIN ="), "535 5.7.8 Error: authentication failed: authentication failure");
    EXPECT_EQ(peer.say("AUTH LOGIN"), "334 VXNlcm5hbWU6");
    EXPECT_EQ(peer.say(""), "535 5.7.8 Error: authentication failed: authentication failure");
    peer.send("AUTH LOGIN\r\nbW9yZQ==\r\nc2VjcmV0\r\nQUIT\r\n");
    EXPECT_EQ(peer.reply(), "334 VXNlcm5hbWU6");
    EXPECT_EQ(peer.reply(), "334 ");
    EXPECT_EQ(peer.reply(), "235 2.7.0 Authentication successful");
    EXPECT_EQ(peer.reply(), "221 2.0.0 Bye");
  });
  EXPECT_EQ(sasl_.responses.at(1), "");
}

TEST_F(SessionTest, FailuresAreLoggedWithTheName) {
  serve(enabled("notify_classes = protocol, policy\n"), [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    peer.say("AUTH PLAIN c2VjcmV1");
    sasl_.outcome = sasl::Outcome::failed("no\nway");
    EXPECT_EQ(peer.say("AUTH LOGIN c2VjcmV1"), "535 5.7.8 Error: authentication failed: no?way");
    sasl_.outcome = sasl::Outcome::temporary("Connection lost to authentication server");
    EXPECT_EQ(peer.say("AUTH PLAIN c2VjcmV1"),
              "454 4.7.0 Temporary authentication failure: Connection lost to authentication server");
    EXPECT_EQ(peer.say("AUTH LOGIN"), "334 VXNlcm5hbWU6");
    EXPECT_EQ(peer.say("*"), "501 5.7.0 Authentication aborted");
    peer.say("AUTH LOGIN");
    peer.close();
    peer.reply();
  });
  for (const char* line :
       {"warning: client.test[192.0.2.7]: SASL PLAIN authentication failed: authentication failure, "
        "sasl_username=jane",
        "warning: client.test[192.0.2.7]: SASL LOGIN authentication failed: no?way, "
        "sasl_username=(unavailable)",
        "warning: client.test[192.0.2.7]: SASL PLAIN authentication failed: Connection lost to "
        "authentication "
        "server, sasl_username=(unavailable)",
        "warning: client.test[192.0.2.7]: SASL LOGIN authentication aborted",
        "lost connection after AUTH from client.test[192.0.2.7]"}) {
    EXPECT_TRUE(logged(line)) << line << " in " << log_text();
  }
  EXPECT_EQ(sasl_.cancelled, 2);
  EXPECT_TRUE(postmaster_.reports.empty());  // Passwords are mistyped all the time.
}

TEST_F(SessionTest, TheLengthOfAResponseIsLimited) {
  serve(kEnabled, [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    peer.say("AUTH LOGIN");
    EXPECT_EQ(peer.say(std::string(12287, 'x')).substr(0, 3), "535");
    peer.say("AUTH LOGIN");
    EXPECT_EQ(peer.say(std::string(12288, 'x')), "500 5.5.6 SASL response limit exceeded");
    EXPECT_EQ(peer.say("NOOP"), "250 2.0.0 Ok");
  });
  EXPECT_TRUE(
      logged("warning: client.test[192.0.2.7]: request longer than 12288: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."))
      << log_text();
}

TEST_F(SessionTest, AuthIsCounted) {
  serve(
      enabled("smtpd_client_auth_rate_limit = 2\nsmtpd_client_event_limit_exceptions =\n"), [&](Peer& peer) {
        peer.reply();
        peer.say("EHLO x.test");
        EXPECT_EQ(peer.say("AUTH PLAIN eA==").substr(0, 3), "535");
        EXPECT_EQ(peer.say("AUTH").substr(0, 3), "501");
        EXPECT_EQ(peer.say("AUTH PLAIN c2VjcmV0"), "450 4.7.1 Error: too many AUTH commands from 192.0.2.7");
      });
  EXPECT_TRUE(
      logged("warning: AUTH command rate limit exceeded: 3 from client.test[192.0.2.7] for service smtp"));
}

TEST_F(SessionTest, TranscriptsHaveNoPasswords) {
  serve(enabled("notify_classes = protocol\n"), [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    peer.say("AUTH PLAIN c2VjcmV0");
    peer.say("AUTH");
    peer.say("RCPT TO:<x@y.test>");
    peer.say("QUIT");
  });
  ASSERT_EQ(postmaster_.reports.size(), 1U);
  EXPECT_NE(postmaster_.reports[0].find("In:  AUTH PLAIN"), std::string::npos);
  EXPECT_EQ(postmaster_.reports[0].find("c2VjcmV0"), std::string::npos);
}

TEST_F(SessionTest, AnotherClientHasNotLoggedIn) {
  serve(enabled("smtpd_authorized_xclient_hosts = 192.0.2.0/24\n"
                "smtpd_relay_restrictions = permit_sasl_authenticated, reject\n"),
        [&](Peer& peer) {
          auto relays = [&] {
            peer.say("EHLO x.test");
            peer.say("MAIL FROM:<a@b.test>");
            std::string out = peer.say("RCPT TO:<a@far.test>").substr(0, 3);
            peer.say("RSET");
            return out;
          };
          peer.reply();
          peer.say("EHLO x.test");
          peer.say("AUTH PLAIN c2VjcmV0");
          EXPECT_EQ(relays(), "250");
          peer.say("XCLIENT ADDR=192.0.2.9");
          EXPECT_EQ(relays(), "554");
          peer.say("XCLIENT LOGIN=jane");
          EXPECT_EQ(relays(), "250");
          EXPECT_EQ(peer.say("AUTH PLAIN c2VjcmV0"), "503 5.5.1 Error: already authenticated");
          peer.say("XCLIENT ADDR=192.0.2.10");
          EXPECT_EQ(relays(), "250");
        });
}

// --- restrictions ---

TEST_F(SessionTest, SendersBelongToLogins) {
  struct {
    const char* restriction;
    const char* as_nobody;  // For the senders below: ".", "N"ot logged in, not "O"wned.
    const char* as_joe;
  } cases[] = {{"reject_sender_login_mismatch", "NN..", "..O."},
               {"reject_authenticated_sender_login_mismatch", "....", "..O."},
               {"reject_unauthenticated_sender_login_mismatch", "NN..", "...."},
               {"reject_known_sender_login_mismatch", "NN..", "...."}};
  const char* senders[] = {"joe@here.test", "team+x@own.test", "other@far.test", ""};
  for (const auto& c : cases) {
    serve(
        enabled(
            "recipient_delimiter = +\nsmtpd_sender_login_maps = inline:{joe=JOE, { @own.test = jane, joe }}\n"
            "smtpd_sender_restrictions = " +
            std::string(c.restriction) + "\n"),
        [&](Peer& peer) {
          auto all = [&] {
            std::string out;
            for (const char* sender : senders) {
              peer.say(std::string("MAIL FROM:<") + sender + ">");
              std::string reply = peer.say("RCPT TO:<joe@here.test>");
              std::string rejected = std::string("553 5.7.1 <") + sender + ">: Sender address rejected: ";
              out += reply == rejected + "not logged in"           ? 'N'
                     : reply == rejected + "not owned by user joe" ? 'O'
                     : reply == "250 2.1.5 Ok"                     ? '.'
                                                                   : '?';
              peer.say("RSET");
            }
            return out;
          };
          peer.reply();
          peer.say("EHLO x.test");
          EXPECT_EQ(all(), c.as_nobody) << c.restriction;
          peer.say("AUTH PLAIN c2VjcmV0");
          EXPECT_EQ(all(), c.as_joe) << c.restriction;
        });
  }
}

TEST_F(SessionTest, ATableOfLoginsThatFailsIsATemporaryFailure) {
  serve(
      enabled("smtpd_sender_login_maps = fail:x\nsmtpd_sender_restrictions = reject_sender_login_mismatch\n"),
      [&](Peer& peer) {
        peer.reply();
        peer.say("EHLO x.test");
        peer.say("MAIL FROM:<a@b.test>");
        EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "451 4.3.0 <a@b.test>: Temporary lookup failure");
      });
}

TEST_F(SessionTest, RestrictionsOnLoginsNeedAuthentication) {
  serve("smtpd_sender_restrictions = reject_sender_login_mismatch, check_sasl_access inline:{joe=REJECT}\n",
        [&](Peer& peer) {
          peer.reply();
          peer.say("EHLO x.test");
          peer.say("MAIL FROM:<a@b.test>");
          EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "250 2.1.5 Ok");
        });
  for (const char* name : {"reject_authenticated_sender_login_mismatch",
                           "reject_unauthenticated_sender_login_mismatch", "check_sasl_access"}) {
    EXPECT_TRUE(logged(std::string("warning: restriction `") + name + "' ignored: no SASL support")) << name;
  }
}

TEST_F(SessionTest, LoginsHaveAnAccessTable) {
  serve(enabled("smtpd_sender_restrictions = check_sasl_access inline:{ { joe = REJECT not you } }\n"),
        [&](Peer& peer) {
          peer.reply();
          peer.say("EHLO x.test");
          peer.say("MAIL FROM:<a@b.test>");
          EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "250 2.1.5 Ok");
          peer.say("RSET");
          peer.say("AUTH PLAIN c2VjcmV0");
          peer.say("MAIL FROM:<a@b.test> AUTH=me");
          EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"),
                    "554 5.7.1 <joe>: SASL login name rejected: not you");
        });
  EXPECT_TRUE(logged("proto=ESMTP helo=<x.test> sasl_method=PLAIN sasl_username=joe sasl_sender=me"))
      << log_text();
}

TEST_F(SessionTest, HeadersOfThoseWhoHaveLoggedInAreCompleted) {
  serve(enabled("local_header_rewrite_clients = permit_sasl_authenticated\n"), [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    auto context = [&] {
      peer.say("MAIL FROM:<a@b.test>");
      peer.say("RCPT TO:<joe@here.test>");
      peer.say("RSET");
      for (const std::string& record : mail_.last().records) {
        if (size_t at = record.find("rewrite_context="); at != std::string::npos)
          return record.substr(at + 16);
      }
      return std::string();
    };
    EXPECT_EQ(context(), "remote");
    peer.say("AUTH PLAIN c2VjcmV0");
    EXPECT_EQ(context(), "local");
  });
}

}  // namespace
}  // namespace postrider::smtpd
