// What restrictions and access tables do to requests, seen by the client and in the log.
#include <fmt/format.h>

#include "base/utf8_text.h"
#include "session_fixture.h"

namespace postrider::smtpd {
namespace {

TEST_F(SessionTest, ServersOfADomainAreNoReasonToLetItIn) {
  world_.add_exchanger("friend.test", "mx.friend.test");
  world_.records["MX null.test"].status = dns::Status::null_service;
  serve("smtpd_sender_restrictions = check_sender_mx_access inline:{mx.friend.test=OK}\n", [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    peer.say("MAIL FROM:<a@friend.test>");
    EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "451 4.3.5 Server configuration error");
    peer.say("RSET");
    peer.say("MAIL FROM:<a@null.test>");
    EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "250 2.1.5 Ok");
  });
  EXPECT_TRUE(logged("warning: restriction check_sender_mx_access returns OK for a@friend.test"));
  EXPECT_FALSE(logged("Unable to look up MX host for null.test")) << log_text();
}

TEST_F(SessionTest, AnAddressHasNoNameServersAndIsItsOwnMailServer) {
  auto answers = [&](std::string_view restriction) {
    std::string answer;
    serve(fmt::format("smtpd_sender_restrictions = {} inline:{{203.0.113.9=REJECT}}\n", restriction),
          [&](Peer& peer) {
            peer.reply();
            peer.say("EHLO x.test");
            peer.say("MAIL FROM:<a@[203.0.113.9]>");
            answer = peer.say("RCPT TO:<joe@here.test>");
          });
    return answer;
  };
  EXPECT_EQ(answers("check_sender_ns_access"), "250 2.1.5 Ok");
  EXPECT_EQ(answers("check_sender_mx_access"),
            "554 5.7.1 <a@[203.0.113.9]>: Sender address rejected: Access denied");
}

TEST_F(SessionTest, WhoTakesNoMailExists) {
  world_.records["MX null.test"].status = dns::Status::null_service;
  serve("smtpd_helo_restrictions = reject_unknown_helo_hostname\nsmtpd_delay_reject = no\n", [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("HELO null.test"), "250 mx.test");
    EXPECT_EQ(peer.say("HELO none.test"), "450 4.7.1 <none.test>: Helo command rejected: Host not found");
  });
}

TEST_F(SessionTest, RelayDomainsNeedNoBackup) {
  serve(
      "relay_domains = relay.test\nsmtpd_recipient_restrictions = permit_mx_backup, reject\n"
      "smtpd_relay_restrictions =\n",
      [&](Peer& peer) {
        peer.reply();
        peer.say("EHLO x.test");
        peer.say("MAIL FROM:<a@sender.test>");
        EXPECT_EQ(peer.say("RCPT TO:<x@relay.test>"), "250 2.1.5 Ok");
      });
}

TEST_F(SessionTest, ABackupServerWaitsForTheNamesOfOthers) {
  world_.add_exchanger("gone.test", "no-such-host.test");
  world_.add_exchanger("mine.test", "no-such-host.test");
  world_.add_exchanger("mine.test", "mx.test", 20);
  serve(
      "mydestination = mx.test\nsmtpd_recipient_restrictions = permit_mx_backup, reject_unauth_destination\n"
      "smtpd_relay_restrictions =\n",
      [&](Peer& peer) {
        peer.reply();
        peer.say("EHLO x.test");
        peer.say("MAIL FROM:<a@sender.test>");
        EXPECT_EQ(
            peer.say("RCPT TO:<x@gone.test>").substr(0, 108),
            "450 4.4.4 <x@gone.test>: Recipient address rejected: Unable to look up mail exchanger host "
            "no-such-host.test");
        EXPECT_EQ(peer.say("RCPT TO:<x@mine.test>"), "250 2.1.5 Ok");
      });
}

TEST_F(SessionTest, TablesAreAskedForFoldedAddresses) {
  serve(
      "smtpd_recipient_restrictions = check_recipient_access regexp:{{/^J\xc3\x96p@/ REJECT as written}, "
      "{/^j\xc3\xb6p@/ REJECT folded}}, reject_unauth_destination\n",
      [&](Peer& peer) {
        peer.reply();
        peer.say("EHLO x.test");
        peer.say("MAIL FROM:<a@sender.test>");
        EXPECT_EQ(peer.say("RCPT TO:<J\xc3\x96P@here.test>"),
                  "554 5.7.1 <J\xc3\x96P@here.test>: Recipient address rejected: folded");
      });
}

TEST_F(SessionTest, ADomainThatFoldsToAsciiNeedsNoExtension) {
  serve("relay_domains = relay.test\n", [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    EXPECT_EQ(peer.say("MAIL FROM:<a@stra\xc3\x9f"
                       "e.test>"),
              "250 2.1.0 Ok");
    peer.say("RSET");
    EXPECT_EQ(peer.say("MAIL FROM:<a@b\xc3\xbc"
                       "cher.test>"),
              "501 5.1.7 Bad sender address syntax");
  });
}

TEST_F(SessionTest, WithoutUtf8OtherBytesAreNotShown) {
  use_utf8_text(false);
  serve("smtputf8_enable = no\n", [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    peer.say("MAIL FROM:<a@sender.test>");
    EXPECT_EQ(peer.say("RCPT TO:<n\xc3\xb6@here.test>"),
              "550 5.1.1 <n  @here.test>: Recipient address rejected: User unknown in local recipient table");
  });
  EXPECT_TRUE(logged("to=<n??@here.test>")) << log_text();
  use_utf8_text(true);
}

TEST_F(SessionTest, NamesOfTheMailSystemAreKnownWithoutExtension) {
  serve("recipient_delimiter = +\n", [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    peer.say("MAIL FROM:<a@sender.test>");
    for (const char* name : {"Postmaster", "mailer-daemon", "double-bounce"}) {
      EXPECT_EQ(peer.say(fmt::format("RCPT TO:<{}@here.test>", name)), "250 2.1.5 Ok") << name;
      EXPECT_TRUE(peer.say(fmt::format("RCPT TO:<{}+x@here.test>", name)).starts_with("550 5.1.1 ")) << name;
    }
  });
}

TEST_F(SessionTest, NamesThatAreForwardedAreShownWithoutSpecialCharacters) {
  serve("smtpd_authorized_xforward_hosts = 192.0.2.0/24\n", [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    EXPECT_EQ(peer.say("XFORWARD NAME=a+20b"), "501 5.5.4 Bad NAME syntax: a?b");
    EXPECT_EQ(peer.say("XFORWARD NAME=a.test"), "250 2.0.0 Ok");
  });
}

TEST_F(SessionTest, AFooterNamesWhatWasAccepted) {
  serve("smtpd_reject_footer = \\c. [$sender] [$recipient]\n", [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("FOO"), "500 5.5.2 Error: command not recognized. [] []");
    peer.say("EHLO x.test");
    peer.say("MAIL FROM:<>");
    EXPECT_EQ(peer.say("RCPT TO:<x@elsewhere.test>"),
              "454 4.7.1 <x@elsewhere.test>: Relay access denied. [<>] []");
    peer.say("RCPT TO:<joe@here.test>");
    EXPECT_EQ(peer.say("RCPT TO:<x@elsewhere.test>"),
              "454 4.7.1 <x@elsewhere.test>: Relay access denied. [<>] [joe@here.test]");
  });
}

TEST_F(SessionTest, WhatTablesWantStandsBehindTheContent) {
  serve(
      "smtpd_sender_restrictions = check_sender_access inline:{{a@sender.test=BCC jane@here.test}, "
      "{h@sender.test=HOLD}}\n"
      "smtpd_recipient_restrictions = reject_unauth_destination, check_recipient_access "
      "inline:{{joe@here.test=FILTER smtp:filter}, {jane@here.test=DISCARD}}\n",
      [&](Peer& peer) {
        peer.reply();
        peer.say("EHLO x.test");
        peer.say("MAIL FROM:<a@sender.test>");
        peer.say("RCPT TO:<joe@here.test>");
        peer.say("DATA");
        peer.send("Subject: x\r\n\r\n");
        EXPECT_EQ(peer.say("."), "250 2.0.0 Ok: queued as ID1");
        peer.say("MAIL FROM:<h@sender.test>");
        peer.say("RCPT TO:<joe@here.test>");
        peer.say("RCPT TO:<jane@here.test>");
      });
  std::string all = mail_.messages[0]->all();
  EXPECT_NE(all.find("X:\nL:smtp:filter\nR:jane@here.test\nA:notify_flags=1\nE:\n"), std::string::npos)
      << all;
  std::string lines = log_text();
  size_t first = lines.find("hold: RCPT");
  ASSERT_NE(first, std::string::npos) << lines;
  EXPECT_EQ(lines.find("hold: RCPT", first + 1), std::string::npos) << lines;
}

TEST_F(SessionTest, ARefusalAtTheEndLeavesTheSender) {
  serve("smtpd_end_of_data_restrictions = check_sender_access inline:{a@sender.test=REJECT}\n",
        [&](Peer& peer) {
          peer.reply();
          peer.say("EHLO x.test");
          peer.say("MAIL FROM:<a@sender.test>");
          peer.say("RCPT TO:<joe@here.test>");
          peer.say("DATA");
          peer.send("Subject: x\r\n\r\n");
          EXPECT_EQ(peer.say("."), "554 5.7.1 <a@sender.test>: Sender address rejected: Access denied");
          EXPECT_EQ(peer.say("MAIL FROM:<b@sender.test>"), "503 5.5.1 Error: nested MAIL command");
          EXPECT_EQ(peer.say("DATA"), "554 5.5.1 Error: no valid recipients");
          EXPECT_EQ(peer.say("RCPT TO:<jane@here.test>"), "250 2.1.5 Ok");
          EXPECT_EQ(peer.say("RSET"), "250 2.0.0 Ok");
          EXPECT_EQ(peer.say("MAIL FROM:<b@sender.test>"), "250 2.1.0 Ok");
        });
  EXPECT_EQ(mail_.messages.size(), 2U);
}

TEST_F(SessionTest, RecipientsOfRefusedChunksCountUntilReset) {
  const char* restrictions =
      "smtpd_data_restrictions = check_sender_access inline:{bad@sender.test=REJECT}, "
      "reject_multi_recipient_bounce\n";
  serve(restrictions, [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    peer.say("MAIL FROM:<bad@sender.test>");
    peer.say("RCPT TO:<joe@here.test>");
    EXPECT_EQ(peer.say("BDAT 0 LAST"), "554 5.7.1 <bad@sender.test>: Sender address rejected: Access denied");
    for (int i = 0; i < 2; ++i) {
      peer.say("MAIL FROM:<a@sender.test>");
      peer.say("RCPT TO:<joe@here.test>");
      EXPECT_EQ(peer.say("BDAT 0 LAST").substr(0, 3), "250");
    }
    peer.say("MAIL FROM:<bad@sender.test>");
    peer.say("RCPT TO:<joe@here.test>");
    peer.say("BDAT 0 LAST");
    peer.say("MAIL FROM:<>");
    peer.say("RCPT TO:<joe@here.test>");
    EXPECT_EQ(peer.say("BDAT 0 LAST"), "550 5.5.3 <DATA>: Data command rejected: Multi-recipient bounce");
  });
  EXPECT_EQ(mail_.messages[1]->all().find("for <joe@here.test>"), std::string::npos);
  EXPECT_NE(mail_.messages[2]->all().find("for <joe@here.test>"), std::string::npos);
}

TEST_F(SessionTest, WhoHasLoggedInSomewhereElseMayRelay) {
  serve(
      "smtpd_authorized_xclient_hosts = 192.0.2.7\nsmtpd_sasl_authenticated_header = yes\n"
      "smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination\n"
      "smtpd_sender_restrictions = check_sender_access inline:{bad@sender.test=REJECT}\n",
      [&](Peer& peer) {
        peer.reply();
        EXPECT_EQ(peer.say("XCLIENT LOGIN=joe PROTO=ESMTP HELO=x"), "220 mx.test ESMTP Testing");
        peer.say("MAIL FROM:<a@sender.test>");
        EXPECT_EQ(peer.say("RCPT TO:<x@elsewhere.test>"), "250 2.1.5 Ok");
        peer.say("DATA");
        peer.say(".");
        peer.say("MAIL FROM:<bad@sender.test>");
        peer.say("RCPT TO:<x@elsewhere.test>");
      });
  EXPECT_TRUE(logged("ID1: client=client.test[192.0.2.7], sasl_method=XCLIENT, sasl_username=joe"));
  EXPECT_TRUE(logged("helo=<x> sasl_method=XCLIENT sasl_username=joe")) << log_text();
  EXPECT_TRUE(mail_.messages[0]->has("A:sasl_username=joe"));
  EXPECT_TRUE(mail_.messages[0]->has("N:\t(Authenticated sender: joe)")) << mail_.messages[0]->all();
}

TEST_F(SessionTest, AnotherIdentityDoesNotMakeAClientOneOfThisSystem) {
  serve(
      "smtpd_authorized_xclient_hosts = 192.0.2.7\n"
      "smtpd_relay_restrictions = permit_inet_interfaces, reject_unauth_destination\n",
      [&](Peer& peer) {
        peer.reply();
        EXPECT_EQ(peer.say("XCLIENT ADDR=127.0.0.1"), "220 mx.test ESMTP Testing");
        peer.say("MAIL FROM:<a@sender.test>");
        EXPECT_EQ(peer.say("RCPT TO:<x@elsewhere.test>"),
                  "554 5.7.1 <x@elsewhere.test>: Relay access denied");
      });
}

TEST_F(SessionTest, ActionsOnMessagesNeedOne) {
  serve(
      "smtpd_etrn_restrictions = check_etrn_access inline:{a.test=HOLD}\n"
      "smtpd_client_restrictions = check_client_access static:{PREPEND X-A: b}\n"
      "smtpd_delay_reject = no\n",
      [&](Peer& peer) {
        peer.reply();
        peer.say("EHLO x.test");
        peer.say("ETRN a.test");
      });
  EXPECT_TRUE(logged("action HOLD is unavailable in smtpd_etrn_restrictions")) << log_text();
  EXPECT_TRUE(logged("action PREPEND is always skipped in Client host or Helo command restrictions"));
}

TEST_F(SessionTest, VerifyingWithoutADeclarationEndsTheTransaction) {
  serve("strict_smtputf8 = yes\n", [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    peer.say("MAIL FROM:<a@sender.test>");
    EXPECT_EQ(peer.say("VRFY j\xc3\xb6@here.test"),
              "553 5.6.7 Must declare SMTPUTF8 to send unicode address");
    EXPECT_EQ(peer.say("MAIL FROM:<a@sender.test>"), "250 2.1.0 Ok");
  });
}

TEST_F(SessionTest, WhatIsNotThereIsNotJudged) {
  serve("smtpd_helo_restrictions = reject\n", [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("VRFY joe@here.test"), "252 2.0.0 joe@here.test");
    peer.say("MAIL FROM:<a@sender.test>");
    EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "250 2.1.5 Ok");
    peer.say("RSET");
    peer.say("HELO x.test");
    EXPECT_EQ(peer.say("VRFY joe@here.test"), "554 5.7.1 <x.test>: Helo command rejected: Access denied");
  });
  serve("smtpd_sender_restrictions = reject\n", [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("VRFY joe@here.test"), "252 2.0.0 joe@here.test");
    peer.say("MAIL FROM:<>");
    EXPECT_EQ(peer.say("VRFY joe@here.test"), "554 5.7.1 <>: Sender address rejected: Access denied");
  });
}

TEST_F(SessionTest, SomethingMustRefuseToRelay) {
  auto starts = [&](const std::string& restrictions) {
    std::string text =
        "compatibility_level = 3.11\nmyhostname = mx.test\nsmtpd_relay_restrictions =\n" + restrictions;
    EXPECT_TRUE(sys::replace_file(directory_ + "/main.cf", text, 0644));
    config::LoadOptions options;
    options.directory = directory_;
    options.service_name = "smtp";
    auto config = config::Config::load(options);
    if (!config) return false;
    table::Catalog tables(clients::table_options(*config));
    access::Policy policy(*config, tables, {});
    try {
      policy.require_relay_control();
    } catch (const config::ConfigError&) {
      return false;
    }
    return true;
  };
  EXPECT_FALSE(starts("smtpd_recipient_restrictions = permit_mynetworks\n"));
  EXPECT_FALSE(starts("smtpd_recipient_restrictions = permit, reject\n"));
  EXPECT_FALSE(starts("smtpd_recipient_restrictions = warn_if_reject, reject\n"));
  EXPECT_TRUE(starts("smtpd_recipient_restrictions = warn_if_reject, reject, reject_unauth_destination\n"));
  const std::string classes =
      "smtpd_restriction_classes = strict, lax, endless\nstrict = permit_mynetworks, reject\nlax = permit\n"
      "endless = endless\n";
  EXPECT_TRUE(starts(classes + "smtpd_recipient_restrictions = lax, strict\n"));
  EXPECT_FALSE(starts(classes + "smtpd_recipient_restrictions = lax, endless\n"));
}

}  // namespace
}  // namespace postrider::smtpd
