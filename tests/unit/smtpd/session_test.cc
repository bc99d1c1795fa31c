#include "session_fixture.h"

namespace postrider::smtpd {
namespace {

std::string deliver(Peer& peer, std::string_view content = "Subject: x\r\n\r\nhello\r\n") {
  peer.say("MAIL FROM:<a@sender.test>");
  peer.say("RCPT TO:<joe@here.test>");
  peer.say("DATA");
  peer.send(content);
  return peer.say(".");
}

TEST_F(SessionTest, AMessageReachesTheMailSystemWithWhereItCameFrom) {
  serve("", [&](Peer& peer) {
    EXPECT_EQ(peer.reply(), "220 mx.test ESMTP Testing");
    EXPECT_EQ(peer.say("EHLO there.test"),
              "250-mx.test\n250-PIPELINING\n250-SIZE 10240000\n250-VRFY\n250-ETRN\n250-ENHANCEDSTATUSCODES\n"
              "250-8BITMIME\n250-DSN\n250-SMTPUTF8\n250 CHUNKING");
    EXPECT_EQ(peer.say("MAIL FROM:<a@sender.test> BODY=8BITMIME RET=HDRS ENVID=x+2By"), "250 2.1.0 Ok");
    EXPECT_EQ(peer.say("RCPT TO:<joe@here.test> NOTIFY=NEVER ORCPT=rfc822;first@b.test"), "250 2.1.5 Ok");
    EXPECT_EQ(peer.say("DATA"), "354 End data with <CR><LF>.<CR><LF>");
    peer.send("Subject: x\r\n\r\n..dot\r\n");
    EXPECT_EQ(peer.say("."), "250 2.0.0 Ok: queued as ID1");
    EXPECT_EQ(peer.say("QUIT"), "221 2.0.0 Bye");
    EXPECT_EQ(peer.reply(), "<end>");
  });
  const FakeMail::Message& message = mail_.last();
  EXPECT_TRUE(message.complete);
  for (const char* record :
       {"S:a@sender.test", "R:joe@here.test", "A:rewrite_context=remote", "A:encoding=8bit", "A:ret_flags=2",
        "A:envelope_id=x+y", "A:notify_flags=1", "A:dsn_orig_rcpt=rfc822;first@b.test",
        "A:client_name=client.test", "A:client_address=192.0.2.7", "A:client_port=4711",
        "A:helo_name=there.test", "A:protocol_name=ESMTP", "A:log_ident=ID1",
        "N:Received: from there.test (client.test [192.0.2.7])", "N:\tfor <joe@here.test>; *", "N:.dot",
        "X:", "E:"}) {
    if (std::string_view(record).ends_with('*')) {
      EXPECT_NE(message.all().find(std::string(record).substr(0, std::string(record).size() - 1)),
                std::string::npos);
    } else {
      EXPECT_TRUE(message.has(record)) << record << " is not in\n" << message.all();
    }
  }
  EXPECT_TRUE(logged("ID1: client=client.test[192.0.2.7]"));
  EXPECT_TRUE(logged("disconnect from client.test[192.0.2.7] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5"));
}

TEST_F(SessionTest, CommandsComeInTheirOrder) {
  serve("", [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "503 5.5.1 Error: need MAIL command");
    EXPECT_EQ(peer.say("DATA"), "503 5.5.1 Error: need RCPT command");
    EXPECT_EQ(peer.say("MAIL FROM:<a@b.test>"), "250 2.1.0 Ok");
    EXPECT_EQ(peer.say("MAIL FROM:<a@b.test>"), "503 5.5.1 Error: nested MAIL command");
    EXPECT_EQ(peer.say("DATA"), "554 5.5.1 Error: no valid recipients");
    EXPECT_EQ(peer.say("EHLO"), "501 Syntax: EHLO hostname");
    EXPECT_EQ(peer.say("RSET x"), "501 5.5.4 Syntax: RSET");
    EXPECT_EQ(peer.say("RSET"), "250 2.0.0 Ok");
    EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "503 5.5.1 Error: need MAIL command");
    EXPECT_EQ(peer.say("NOOP x y"), "250 2.0.0 Ok");
    EXPECT_EQ(peer.say("HELP"),
              "214 2.0.0 Commands: AUTH BDAT DATA EHLO ETRN HELO HELP MAIL NOOP QUIT RCPT RSET "
              "STARTTLS VRFY XCLIENT XFORWARD");
    EXPECT_EQ(peer.say("EXPN x"), "500 5.5.2 Error: command not recognized");
    EXPECT_EQ(peer.say(""), "500 5.5.2 Error: bad syntax");
    EXPECT_EQ(peer.say("NOOP \xff"), "500 5.5.2 Error: bad UTF-8 syntax");
  });
  EXPECT_TRUE(logged("NOQUEUE: lost connection after UNKNOWN from client.test[192.0.2.7]")) << log_text();
  EXPECT_TRUE(logged("mail=1/2 rcpt=0/2 data=0/2 rset=1/2 noop=1 help=1 unknown=0/3")) << log_text();
}

TEST_F(SessionTest, RecipientsAreCheckedAndRefusalsLogged) {
  serve("relay_domains = relay.test\n", [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    peer.say("MAIL FROM:<a@sender.test>");
    EXPECT_EQ(peer.say("RCPT TO:<x@elsewhere.test>"), "454 4.7.1 <x@elsewhere.test>: Relay access denied");
    EXPECT_EQ(
        peer.say("RCPT TO:<nosuch@here.test>"),
        "550 5.1.1 <nosuch@here.test>: Recipient address rejected: User unknown in local recipient table");
    EXPECT_EQ(peer.say("RCPT TO:<x@relay.test>"), "250 2.1.5 Ok");
    EXPECT_EQ(peer.say("RCPT TO:<postmaster>"), "250 2.1.5 Ok");
    EXPECT_EQ(peer.say("VRFY jane@here.test"), "252 2.0.0 jane@here.test");
    world_.broken = true;
    EXPECT_EQ(peer.say("RCPT TO:<y@relay.test>"), "451 4.3.0 <y@relay.test>: Temporary lookup failure");
  });
  EXPECT_TRUE(
      logged("NOQUEUE: reject: RCPT from client.test[192.0.2.7]: 454 4.7.1 <x@elsewhere.test>: Relay access "
             "denied; from=<a@sender.test> to=<x@elsewhere.test> proto=ESMTP helo=<x.test>"));
  EXPECT_TRUE(logged("ID1: reject: RCPT from client.test[192.0.2.7]: 451 4.3.0")) << log_text();
}

TEST_F(SessionTest, AddressesAreTriedWhereARestrictionSaysSo) {
  const std::string restrictions =
      "relay_domains = relay.test\n"
      "smtpd_recipient_restrictions = reject_unauth_destination, reject_unverified_recipient\n";
  serve(restrictions, [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    peer.say("MAIL FROM:<a@sender.test>");
    EXPECT_EQ(peer.say("RCPT TO:<good@relay.test>"), "250 2.1.5 Ok");
    EXPECT_EQ(peer.say("RCPT TO:<bad@relay.test>"),
              "450 4.1.1 <bad@relay.test>: Recipient address rejected: unverified address: as they say");
    EXPECT_EQ(peer.say("RCPT TO:<new@relay.test>"),
              "450 4.1.1 <new@relay.test>: Recipient address rejected: unverified address: as they say");
  });
  serve(
      restrictions +
          "unverified_recipient_reject_code = 550\nunverified_recipient_reject_reason = no such address\n"
          "unverified_recipient_defer_code = 250\n",
      [&](Peer& peer) {
        peer.reply();
        peer.say("EHLO x.test");
        peer.say("MAIL FROM:<a@sender.test>");
        EXPECT_EQ(
            peer.say("RCPT TO:<bad@relay.test>"),
            "550 5.1.1 <bad@relay.test>: Recipient address rejected: undeliverable address: no such address");
        EXPECT_EQ(peer.say("RCPT TO:<new@relay.test>"), "250 2.1.5 Ok");
      });
  serve(
      "relay_domains = relay.test\nsmtpd_sender_restrictions = reject_unverified_sender\n"
      "unverified_sender_reject_code = 553\n",
      [&](Peer& peer) {
        peer.reply();
        peer.say("EHLO x.test");
        peer.say("MAIL FROM:<bad@sender.test>");
        EXPECT_EQ(peer.say("RCPT TO:<x@relay.test>"),
                  "553 5.1.7 <bad@sender.test>: Sender address rejected: undeliverable address: as they say");
        peer.say("RSET");
        peer.say("MAIL FROM:<>");
        EXPECT_EQ(peer.say("RCPT TO:<x@relay.test>"), "250 2.1.5 Ok");
      });
}

TEST_F(SessionTest, AFailedMessageIsTheClientsAgain) {
  struct {
    uint32_t problem;
    const char* reason;
    const char* reply;
  } cases[] = {
      {proto::kProblemWrite, "", "451 4.3.0 Error: queue file write error"},
      {proto::kProblemWrite | proto::kProblemDiskFull, "", "452 4.3.1 Insufficient system storage"},
      {proto::kProblemSize, "", "552 5.3.4 Error: message file too big"},
      {proto::kProblemHops, "", "554 5.4.0 Error: too many hops"},
      {proto::kProblemContent, "5.7.1 no such words", "550 5.7.1 no such words"},
      {proto::kProblemContent, "", "550 5.7.1 Error: message content rejected"},
      {proto::kProblemDefer, "4.7.1 later", "451 4.7.1 later"},
      {proto::kProblemBad, "", "451 4.3.0 Error: internal error 1"},
  };
  for (const auto& c : cases) {
    mail_.status.problems = c.problem;
    mail_.status.reason = std::string(c.reason);
    serve("", [&](Peer& peer) {
      peer.reply();
      EXPECT_EQ(deliver(peer), c.reply);
      EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "503 5.5.1 Error: need MAIL command");
    });
  }
  mail_.begin_error = Error(ErrorKind::temporary, "no cleanup");
  serve("", [&](Peer& peer) {
    peer.reply();
    peer.say("MAIL FROM:<a@b.test>");
    EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "451 4.3.0 Error: queue file write error");
  });
  mail_.room = false;
  serve("", [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("MAIL FROM:<a@b.test>"), "452 4.3.1 Insufficient system storage");
  });
}

TEST_F(SessionTest, AMessageThatIsTooLargeIsReadAndRefused) {
  serve("message_size_limit = 100\n", [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("MAIL FROM:<a@b.test> SIZE=101"), "552 5.3.4 Message size exceeds fixed limit");
    EXPECT_EQ(peer.say("MAIL FROM:<a@b.test>"), "552 5.3.4 Message size exceeds fixed limit");
    EXPECT_EQ(peer.say("RSET"), "250 2.0.0 Ok");
    EXPECT_EQ(
        deliver(peer, "Subject: x\r\n\r\n" + std::string(80, 'x') + "\r\n" + std::string(80, 'y') + "\r\n"),
        "552 5.3.4 Error: message file too big");
    EXPECT_EQ(deliver(peer), "250 2.0.0 Ok: queued as ID2");
  });
  EXPECT_FALSE(mail_.messages[0]->complete);
}

TEST_F(SessionTest, ClientsWithTooManyErrorsAreSentAway) {
  serve("smtpd_hard_error_limit = 3\nsmtpd_junk_command_limit = 1\n", [&](Peer& peer) {
    peer.reply();
    peer.say("FOO");
    peer.say("NOOP");
    peer.say("NOOP");
    EXPECT_EQ(peer.say("NOOP"), "250 2.0.0 Ok");
    EXPECT_EQ(peer.say("NOOP"), "250 2.0.0 Ok");
    EXPECT_EQ(peer.reply(), "421 4.7.0 mx.test Error: too many errors");
    EXPECT_EQ(peer.reply(), "<end>");
  });
  EXPECT_TRUE(logged("too many errors after NOOP"));
}

TEST_F(SessionTest, RecipientsHaveALimit) {
  serve("smtpd_recipient_limit = 1\nsmtpd_recipient_overshoot_limit = 1\nsmtpd_hard_error_limit = 1\n",
        [&](Peer& peer) {
          peer.reply();
          peer.say("MAIL FROM:<a@b.test>");
          EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "250 2.1.5 Ok");
          EXPECT_EQ(peer.say("RCPT TO:<jane@here.test>"), "452 4.5.3 Error: too many recipients");
          EXPECT_EQ(peer.say("RCPT TO:<jane@here.test>"), "452 4.5.3 Error: too many recipients");
          EXPECT_EQ(peer.reply(), "421 4.7.0 mx.test Error: too many errors");
        });
}

TEST_F(SessionTest, ClientsThatDoTooMuchAreHeldBack) {
  counter_.simultaneous = 3;
  serve("smtpd_client_connection_count_limit = 2\n", [&](Peer& peer) {
    EXPECT_EQ(peer.reply(), "421 4.7.0 mx.test Error: too many connections from 192.0.2.7");
    EXPECT_EQ(peer.reply(), "<end>");
  });
  EXPECT_EQ(counter_.open, 0);
  EXPECT_EQ(counter_.idents.at(0), "smtp:192.0.2.7");
  EXPECT_TRUE(logged(
      "warning: Connection concurrency limit exceeded: 3 from client.test[192.0.2.7] for service smtp"));
  counter_.simultaneous = 1;
  serve("smtpd_client_message_rate_limit = 1\nsmtpd_client_recipient_rate_limit = 2\n", [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("MAIL FROM:<a@b.test>"), "250 2.1.0 Ok");
    EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "250 2.1.5 Ok");
    EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "250 2.1.5 Ok");
    EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "450 4.7.1 Error: too many recipients from 192.0.2.7");
    peer.say("RSET");
    EXPECT_EQ(peer.say("MAIL FROM:<a@b.test>"), "450 4.7.1 Error: too much mail from 192.0.2.7");
  });
  size_t asked = counter_.idents.size();
  serve("smtpd_client_event_limit_exceptions = 192.0.2.0/24\n", [&](Peer& peer) { peer.reply(); });
  EXPECT_EQ(counter_.idents.size(), asked);
}

TEST_F(SessionTest, LimitsOfANetworkCountItsClientsTogether) {
  Client six = client_;
  six.address = "2001:db8:1:2:3:4:5:6";
  six.family = AF_INET6;
  client_ = six;
  serve("", [&](Peer& peer) { peer.reply(); });
  EXPECT_EQ(counter_.idents.at(0), "smtp:2001:db8:1:2:3::/84");
}

TEST_F(SessionTest, WhoDoesNotWaitIsSentAway) {
  serve("", [&](Peer& peer) {
    peer.reply();
    peer.send("EHLO x.test\r\nMAIL FROM:<a@b.test>\r\n");
    EXPECT_EQ(peer.reply(), "554 5.5.0 Error: SMTP protocol synchronization");
    EXPECT_EQ(peer.reply(), "<end>");
  });
  EXPECT_TRUE(logged(
      "improper command pipelining after EHLO from client.test[192.0.2.7]: MAIL FROM:<a@b.test>\\r\\n"));
  serve("smtpd_forbid_unauth_pipelining = no\n", [&](Peer& peer) {
    peer.reply();
    peer.send("EHLO x.test\r\nNOOP\r\n");
    EXPECT_TRUE(peer.reply().starts_with("250-mx.test"));
    EXPECT_EQ(peer.reply(), "250 2.0.0 Ok");
  });
  serve("", [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    peer.send("MAIL FROM:<a@b.test>\r\nRCPT TO:<joe@here.test>\r\nDATA\r\n");
    EXPECT_EQ(peer.reply(), "250 2.1.0 Ok");
    EXPECT_EQ(peer.reply(), "250 2.1.5 Ok");
    EXPECT_EQ(peer.reply(), "354 End data with <CR><LF>.<CR><LF>");
  });
}

TEST_F(SessionTest, OneCommandMayComeBeforeTheGreeting) {
  serve("", [&](Peer& peer) {
    peer.send("EH");  // Who types, or a packet that was cut.
    EXPECT_TRUE(peer.reply().starts_with("220 mx.test"));
    EXPECT_TRUE(peer.say("LO x.test").starts_with("250-mx.test"));
  });
  serve("", [&](Peer& peer) {
    peer.send("EHLO x.test\r\n");
    EXPECT_TRUE(peer.reply().starts_with("220 mx.test"));
    EXPECT_TRUE(peer.reply().starts_with("250-mx.test"));
  });
  EXPECT_TRUE(
      logged("improper command pipelining after CONNECT from client.test[192.0.2.7]: EHLO x.test\\r\\n"));
  serve("", [&](Peer& peer) {
    peer.send("EHLO x.test\r\nMAIL FROM:<a@b.test>\r\n");
    EXPECT_EQ(peer.reply(), "554 5.5.0 Error: SMTP protocol synchronization");
    EXPECT_EQ(peer.reply(), "<end>");
  });
}

TEST_F(SessionTest, LinesThatAreTooLongAreCut) {
  serve("line_length_limit = 512\n", [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("NOOP " + std::string(800, 'x')), "250 2.0.0 Ok");
    peer.send("NOOP " + std::string(12'000, 'x'));
    EXPECT_EQ(peer.reply(), "<end>");
  });
  EXPECT_TRUE(
      logged("warning: client.test[192.0.2.7]: request longer than 512: NOOP xxxxxxxxxxxxxxxxxxxxxxxxx..."));
  EXPECT_TRUE(logged("disabling input from client.test[192.0.2.7]"));
}

TEST_F(SessionTest, WhatIsNoMailClientIsSentAway) {
  for (const char* line : {"GET / HTTP/1.0", "Subject: x", "<html>"}) {
    serve("", [&](Peer& peer) {
      peer.reply();
      EXPECT_EQ(peer.say(line), "221 2.7.0 Error: I can break rules, too. Goodbye.");
      EXPECT_EQ(peer.reply(), "<end>");
    });
  }
}

TEST_F(SessionTest, ChunksMakeAMessage) {
  serve("message_size_limit = 100\n", [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    peer.say("MAIL FROM:<a@b.test>");
    peer.say("RCPT TO:<joe@here.test>");
    peer.send("BDAT 15\r\nSubject: x\r\n\r\na");
    EXPECT_EQ(peer.reply(), "250 2.0.0 Ok: 15 bytes");
    EXPECT_EQ(peer.say("RCPT TO:<jane@here.test>"), "503 5.5.1 Error: RCPT after BDAT");
    EXPECT_EQ(peer.say("DATA"), "503 5.5.1 Error: DATA after BDAT");
    peer.send("BDAT 5 LAST\r\nb\r\n.c");
    EXPECT_EQ(peer.reply(), "250 2.0.0 Ok: 22 bytes queued as ID1");
    EXPECT_EQ(peer.say("BDAT 0"), "551 5.7.1 Null BDAT request");
    EXPECT_EQ(peer.say("MAIL FROM:<a@b.test>"), "503 5.5.1 Error: MAIL after BDAT");
    peer.send("BDAT 2 LAST\r\nxx");
    EXPECT_EQ(peer.reply(), "551 5.0.0 Discarded 2 bytes after earlier error");
    EXPECT_EQ(peer.say("MAIL FROM:<a@b.test>"), "250 2.1.0 Ok");
    peer.say("RCPT TO:<joe@here.test>");
    peer.send("BDAT 60\r\n" + std::string(60, 'x'));
    EXPECT_EQ(peer.reply(), "250 2.0.0 Ok: 60 bytes");
    peer.send("BDAT 60 LAST\r\n" + std::string(60, 'x'));
    EXPECT_EQ(peer.reply(), "552 5.3.4 Error: message file too big");
    peer.say("MAIL FROM:<a@b.test>");
    peer.say("RCPT TO:<joe@here.test>");
    peer.send("BDAT 101\r\n" + std::string(101, 'x'));
    EXPECT_EQ(peer.reply(), "552 5.3.4 Chunk exceeds message size limit");
    EXPECT_EQ(peer.say("MAIL FROM:<a@b.test>"), "503 5.5.1 Error: nested MAIL command");
    EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "503 5.5.1 Error: RCPT after BDAT");
    EXPECT_EQ(peer.say("BDAT 0"), "551 5.7.1 Null BDAT request");
    peer.send("BDAT 1000\r\n");
    EXPECT_EQ(peer.reply(), "551 5.0.0 Discarded 1000 bytes after earlier error");
    EXPECT_EQ(peer.reply(), "<end>");
  });
  EXPECT_TRUE(mail_.messages[0]->has("N:ab"));
  EXPECT_TRUE(mail_.messages[0]->has("N:.c"));
  serve("", [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x.test");
    peer.say("MAIL FROM:<a@b.test>");
    peer.say("RCPT TO:<joe@here.test>");
    peer.send("BDAT 8 LAST\r\nFrom x\r\n");
    EXPECT_EQ(peer.reply(), "250 2.0.0 Ok: 8 bytes queued as ID4");
  });
  EXPECT_TRUE(mail_.last().has("N:From x")) << mail_.last().all();
  EXPECT_TRUE(logged("too much BDAT content -- disabling further input from client.test[192.0.2.7]"));
  serve("", [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("BDAT x"), "521 5.5.4 Syntax: BDAT count [LAST]");
    EXPECT_EQ(peer.reply(), "<end>");
  });
}

TEST_F(SessionTest, BareLineFeedsDoNotEndAMessage) {
  struct {
    const char* mode;
    const char* reply;
  } cases[] = {{"normalize", "250 2.0.0 Ok: queued as"},
               {"note", "250 2.0.0 Ok: queued as"},
               {"reject", "550 5.5.2 mx.test Error: bare <LF> received"}};
  for (const auto& c : cases) {
    serve(std::string("smtpd_forbid_bare_newline = ") + c.mode + "\n", [&](Peer& peer) {
      peer.reply();
      peer.say("EHLO x.test");
      EXPECT_TRUE(deliver(peer, "Subject: x\r\n\r\none\n.\r\ntwo\r\n.\nthree\r\n").starts_with(c.reply));
    });
  }
  EXPECT_EQ(mail_.messages.size(), 3U);
  EXPECT_FALSE(mail_.messages[0]->has("N:."));
  EXPECT_TRUE(logged("notes=bare_lf"));
  EXPECT_TRUE(logged(
      "ID3: reject: END-OF-MESSAGE from client.test[192.0.2.7]: bare <LF> received; from=<a@sender.test>"))
      << log_text();
  serve("smtpd_forbid_bare_newline = reject\nsmtpd_forbid_bare_newline_reject_code = 521\n", [&](Peer& peer) {
    peer.reply();
    peer.send("NOOP\n");
    EXPECT_EQ(peer.reply(), "521 5.5.2 mx.test Error: bare <LF> received");
    EXPECT_EQ(peer.reply(), "<end>");
  });
  serve("smtpd_forbid_bare_newline = no\n", [&](Peer& peer) {
    peer.reply();
    peer.say("MAIL FROM:<a@b.test>");
    peer.say("RCPT TO:<joe@here.test>");
    peer.say("DATA");
    peer.send("x\n.\n");
    EXPECT_EQ(peer.reply(), "250 2.0.0 Ok: queued as ID4");
  });
}

TEST_F(SessionTest, OtherIdentitiesAreTakenFromThoseWhoMayTell) {
  serve("smtpd_authorized_xclient_hosts = 192.0.2.7\n", [&](Peer& peer) {
    peer.reply();
    EXPECT_NE(peer.say("EHLO x.test").find("250-XCLIENT NAME ADDR"), std::string::npos);
    EXPECT_EQ(peer.say("XCLIENT FOO=bar"), "501 5.5.4 Bad XCLIENT attribute name: FOO");
    EXPECT_EQ(peer.say("XCLIENT ADDR=x"), "501 5.5.4 Bad ADDR syntax: x");
    EXPECT_EQ(peer.say("XCLIENT NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::9 HELO=a(b PROTO=ESMTP"),
              "220 mx.test ESMTP Testing");
    EXPECT_EQ(peer.say("XCLIENT NAME=other.test"), "550 5.7.0 Error: insufficient authorization");
    deliver(peer);
  });
  EXPECT_TRUE(mail_.last().has("A:client_address=2001:db8::9")) << mail_.last().all();
  EXPECT_TRUE(mail_.last().has("A:helo_name=a?b"));
  EXPECT_TRUE(mail_.last().has("N:Received: from a?b (unknown [IPv6:2001:db8::9])")) << mail_.last().all();
  serve("smtpd_authorized_xclient_hosts = 192.0.2.7\ninet_protocols = ipv4\n", [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("XCLIENT ADDR=IPV6:2001:db8::9"), "501 5.5.4 Bad ADDR syntax: IPV6:2001:db8::9");
    EXPECT_EQ(peer.say("XCLIENT port=99999"), "220 mx.test ESMTP Testing");
    EXPECT_EQ(peer.say("XCLIENT foo=bar"), "501 5.5.4 Bad XCLIENT attribute name: foo");
  });
  serve("smtpd_authorized_xforward_hosts = 192.0.2.7\n", [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("XFORWARD ADDR=x"), "501 5.5.4 Bad ADDR syntax: x");
    EXPECT_EQ(peer.say("XFORWARD NAME=far.test ADDR=198.51.100.1 IDENT=ABC SOURCE=LOCAL"), "250 2.0.0 Ok");
    deliver(peer);
    deliver(peer);
    EXPECT_EQ(peer.say("XFORWARD IDENT=DEF"), "250 2.0.0 Ok");
    deliver(peer);
    EXPECT_EQ(peer.say("XFORWARD NAME=far.test ADDR=y"), "501 5.5.4 Bad ADDR syntax: y");
    deliver(peer);
  });
  EXPECT_TRUE(mail_.messages[4]->has("A:log_client_name=client.test")) << mail_.messages[4]->all();
  EXPECT_TRUE(mail_.messages[3]->has("A:log_client_name=client.test"));
  EXPECT_TRUE(mail_.messages[3]->has("A:log_ident=DEF"));
  EXPECT_TRUE(logged("client=client.test[192.0.2.7], orig_queue_id=ABC, orig_client=far.test[198.51.100.1]"));
  EXPECT_TRUE(mail_.messages[1]->has("A:rewrite_context=local"));
  EXPECT_TRUE(mail_.messages[1]->has("A:log_client_name=far.test"));
  EXPECT_TRUE(mail_.messages[2]->has("A:log_client_name=client.test"));
}

TEST_F(SessionTest, RefusalsCanHaveAFooter) {
  serve("smtpd_reject_footer = \\c. Ask $server_name\\nat $client_address\n", [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("FOO"),
              "500-5.5.2 Error: command not recognized. Ask mx.test\n500 5.5.2 at 192.0.2.7");
    EXPECT_EQ(peer.say("EHLO"), "501-Syntax: EHLO hostname. Ask mx.test\n501 at 192.0.2.7");
    EXPECT_EQ(peer.say("NOOP"), "250 2.0.0 Ok");
  });
  serve(
      "soft_bounce = yes\nsmtpd_reject_filter_maps = regexp:{{/^500/ 502 5.5.1 What?}, {/^501/ 250 fine}}\n",
      [&](Peer& peer) {
        peer.reply();
        EXPECT_EQ(peer.say("FOO"), "402 4.5.1 What?");
        EXPECT_EQ(peer.say("EHLO"), "401 Syntax: EHLO hostname");
      });
  EXPECT_TRUE(logged("NOQUEUE: reply filter out: 502 5.5.1 What?"));
  EXPECT_TRUE(logged("ignoring invalid reject filter result"));
}

TEST_F(SessionTest, CommandsCanBeRewrittenOrIgnored) {
  serve(
      "smtpd_command_filter = regexp:{{/^HOLA (.*)/ HELO $$1} {/^GONE(x)?$$/ $$1}}\nsmtpd_noop_commands = "
      "XNOOP\n",
      [&](Peer& peer) {
        peer.reply();
        EXPECT_EQ(peer.say("HOLA x"), "250 mx.test");
        // Nothing is a command, too, and a bad one.
        EXPECT_EQ(peer.say("GONE"), "500 5.5.2 Error: bad syntax");
        EXPECT_EQ(peer.say("xnoop y"), "250 2.0.0 Ok");
      });
  EXPECT_TRUE(logged("client.test[192.0.2.7]: replacing command \"HOLA x\" with \"HELO x\""));
}

TEST_F(SessionTest, ThePostmasterHearsOfErrorsIfSoConfigured) {
  auto session = [&](Peer& peer) {
    peer.reply();
    peer.say("FOO");
  };
  serve("notify_classes = protocol\n", session);
  ASSERT_EQ(postmaster_.reports.size(), 1U);
  EXPECT_EQ(postmaster_.reports[0],
            "Out: 220 mx.test ESMTP Testing\nIn:  FOO\nOut: 500 5.5.2 Error: command not recognized\nlost "
            "connection");
  serve("", session);
  EXPECT_EQ(postmaster_.reports.size(), 1U);
}

TEST_F(SessionTest, DomainsCanBeFlushed) {
  serve("", [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("ETRN"), "500 Syntax: ETRN domain");
    EXPECT_EQ(peer.say("ETRN -x-"), "501 Error: invalid parameter syntax");
    EXPECT_EQ(peer.say("ETRN @dest.test"), "250 Queuing started");
    flusher_.result = proto::FlushResult::denied;
    EXPECT_EQ(peer.say("ETRN dest.test"), "459 <dest.test>: service unavailable");
    flusher_.result = proto::FlushResult::failed;
    EXPECT_EQ(peer.say("ETRN dest.test"), "458 Unable to queue messages");
    peer.say("MAIL FROM:<>");
    EXPECT_EQ(peer.say("ETRN dest.test"), "503 Error: MAIL transaction in progress");
  });
  EXPECT_EQ(flusher_.sites.at(0), "dest.test");
}

TEST_F(SessionTest, ALocalUserIsNotRestricted) {
  serve(
      "smtpd_client_restrictions = reject\n",
      [&](Peer& peer) {
        peer.reply();
        peer.send("EHLO x\nMAIL FROM:<a@b.test>\nRCPT TO:<x@elsewhere.test>\nDATA\nhello\n.\n");
        for (int i = 0; i < 4; ++i)
          peer.reply();
        EXPECT_EQ(peer.reply(), "250 2.0.0 Ok: queued as ID1");
        EXPECT_EQ(peer.say("XCLIENT NAME=a"), "550 5.7.0 Error: insufficient authorization");
      },
      true);
  EXPECT_FALSE(mail_.last().has("A:rewrite_context=local"));
  EXPECT_EQ(mail_.last().all().find("client_name"), std::string::npos);
  EXPECT_TRUE(counter_.idents.empty());
}

TEST_F(SessionTest, TablesThatDoNotAnswerAreTemporaryFailures) {
  serve("local_header_rewrite_clients = fail:broken\n", [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO x");
    EXPECT_EQ(peer.say("MAIL FROM:<a@b.test>"), "451 4.3.0 Temporary lookup error");
    EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "503 5.5.1 Error: need MAIL command");
  });
  EXPECT_TRUE(
      logged("NOQUEUE: reject: MAIL from client.test[192.0.2.7]: 451 4.3.0 Temporary lookup error; "
             "proto=ESMTP helo=<x>"));
  serve("smtpd_discard_ehlo_keyword_address_maps = fail:broken\n", [&](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("HELO x"), "250 mx.test");
    EXPECT_EQ(peer.say("EHLO x"), "421 4.3.0 mx.test Server local data error");
  });
  EXPECT_TRUE(logged("don't know what EHLO features to announce to client.test[192.0.2.7]"));
}

TEST_F(SessionTest, AGreetingCanBeARefusal) {
  serve("smtpd_delay_reject = no\nsmtpd_client_restrictions = reject\n", [&](Peer& peer) {
    EXPECT_EQ(peer.reply(), "554 5.7.1 <client.test[192.0.2.7]>: Client host rejected: Access denied");
    EXPECT_EQ(peer.say("EHLO x"), "503 5.7.0 Error: access denied for client.test[192.0.2.7]");
    EXPECT_EQ(peer.say("QUIT"), "221 2.0.0 Bye");
  });
  // Whom a proxy names is looked at as one who has connected.
  serve(
      "smtpd_delay_reject = no\nsmtpd_authorized_xclient_hosts = 192.0.2.7\n"
      "smtpd_client_restrictions = check_client_access inline:{198.51.100.9=REJECT}\n",
      [&](Peer& peer) {
        EXPECT_EQ(peer.reply(), "220 mx.test ESMTP Testing");
        EXPECT_EQ(peer.say("XCLIENT NAME=far.test ADDR=198.51.100.9"),
                  "554 5.7.1 <far.test[198.51.100.9]>: Client host rejected: Access denied");
        EXPECT_EQ(peer.say("EHLO x"), "503 5.7.0 Error: access denied for far.test[198.51.100.9]");
        EXPECT_EQ(peer.say("QUIT"), "221 2.0.0 Bye");
      });
  EXPECT_TRUE(logged("reject: XCLIENT from far.test[198.51.100.9]: 554 5.7.1"));
}

}  // namespace
}  // namespace postrider::smtpd
