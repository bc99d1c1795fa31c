// Sessions that begin TLS, and what is made of clients' certificates.
#include "../tls/certificates.h"
#include "session_fixture.h"
#include "tls/peer.h"

namespace postrider::smtpd {
namespace {

class SessionTlsTest : public SessionTest {
 protected:
  void SetUp() override {
    SessionTest::SetUp();
    ASSERT_TRUE(sys::replace_file(directory_ + "/server.pem", server_.pem(), 0600));
    ASSERT_TRUE(sys::replace_file(directory_ + "/ca.pem", ca_.certificate_pem(), 0600));
    context_.reset(SSL_CTX_new(TLS_client_method()));
  }
  std::string keys() const {
    return "smtpd_tls_chain_files = " + directory_ + "/server.pem\nsmtpd_tls_CAfile = " + directory_ +
           "/ca.pem\n";
  }
  std::string offered() const { return keys() + "smtpd_tls_security_level = may\n"; }
  void show(const tls::TestIdentity& identity) {
    SSL_CTX_use_certificate(context_.get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), identity.key.get());
  }
  /// Greeting, EHLO, STARTTLS, EHLO.
  void begin(Peer& peer) {
    EXPECT_EQ(peer.reply().substr(0, 3), "220");
    EXPECT_NE(peer.say("EHLO client.test").find("STARTTLS"), std::string::npos);
    EXPECT_EQ(peer.say("STARTTLS"), "220 2.0.0 Ready to start TLS");
    ASSERT_TRUE(peer.start_tls(context_.get()));
  }
  /// What RCPT is answered with when smtpd_recipient_restrictions are these.
  std::string rcpt(const std::string& restrictions, const std::string& more = "") {
    std::string answer;
    serve(offered() +
              "smtpd_tls_ask_ccert = yes\nsmtpd_relay_restrictions =\nsmtpd_recipient_restrictions = " +
              restrictions + ", reject\n" + more,
          [&](Peer& peer) {
            begin(peer);
            peer.say("EHLO client.test");
            peer.say("MAIL FROM:<a@b.test>");
            answer = peer.say("RCPT TO:<x@elsewhere.test>");
            peer.say("QUIT");
          });
    return answer;
  }

  tls::TestIdentity ca_ = tls::make_identity("Test CA"), server_ = tls::make_identity("mx.test", &ca_),
                    known_ = tls::make_identity("client.test", &ca_),
                    stranger_ = tls::make_identity("stranger.test");
  tls::Context context_;
};

TEST_F(SessionTlsTest, AMessageThroughTls) {
  serve(offered() + "smtpd_tls_received_header = yes\n", [&](Peer& peer) {
    EXPECT_EQ(peer.reply().substr(0, 3), "220");
    EXPECT_EQ(peer.say("STARTTLS now"), "501 5.5.4 Syntax: STARTTLS");
    EXPECT_NE(peer.say("EHLO client.test").find("250-STARTTLS\n"), std::string::npos);
    EXPECT_EQ(peer.say("MAIL FROM:<early@b.test>"), "250 2.1.0 Ok");
    EXPECT_EQ(peer.say("STARTTLS"), "220 2.0.0 Ready to start TLS");
    ASSERT_TRUE(peer.start_tls(context_.get()));
    EXPECT_EQ(peer.say("STARTTLS"), "554 5.5.1 Error: TLS already active");
    EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "503 5.5.1 Error: need MAIL command");
    EXPECT_EQ(peer.say("EHLO client.test").find("STARTTLS"), std::string::npos);
    peer.say("MAIL FROM:<a@b.test>");
    peer.say("RCPT TO:<joe@here.test>");
    peer.say("DATA");
    EXPECT_EQ(peer.say("Subject: x\r\n\r\nbody\r\n.").substr(0, 3), "250");
    EXPECT_EQ(peer.say("QUIT"), "221 2.0.0 Bye");
  });
  EXPECT_TRUE(mail_.last().has("N:\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"))
      << mail_.last().all();
  EXPECT_TRUE(mail_.last().has("N:\t(No client certificate requested)")) << mail_.last().all();
  EXPECT_NE(mail_.last().all().find(" with ESMTPS id "), std::string::npos) << mail_.last().all();
  EXPECT_TRUE(logged("ehlo=2 starttls=1/3 mail=2 rcpt=1/2 data=1 quit=1")) << log_text();
}

TEST_F(SessionTlsTest, CommandsBehindStarttlsAreDropped) {
  serve(offered(), [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO client.test");
    peer.send("STARTTLS\r\nMAIL FROM:<injected@b.test>\r\n");
    EXPECT_EQ(peer.reply(), "220 2.0.0 Ready to start TLS");
    ASSERT_TRUE(peer.start_tls(context_.get()));
    EXPECT_EQ(peer.say("EHLO again").substr(0, 3), "250");
    EXPECT_EQ(peer.say("RCPT TO:<joe@here.test>"), "503 5.5.1 Error: need MAIL command");
  });
}

TEST_F(SessionTlsTest, NotWithoutIt) {
  serve(keys() + "smtpd_tls_security_level = encrypt\n", [](Peer& peer) {
    peer.reply();
    peer.say("EHLO client.test");
    for (const char* command : {"MAIL FROM:<a@b.test>", "VRFY joe", "RSET", "ETRN x", "AUTH PLAIN", "DATA"})
      EXPECT_EQ(peer.say(command), "530 5.7.0 Must issue a STARTTLS command first") << command;
    EXPECT_EQ(peer.say("NOOP"), "250 2.0.0 Ok");
    EXPECT_EQ(peer.say("HELP").substr(0, 3), "214");
    EXPECT_EQ(peer.say("QUIT"), "221 2.0.0 Bye");
  });
}

TEST_F(SessionTlsTest, NotOffered) {
  for (const std::string& settings : {std::string("smtpd_tls_security_level = none\n"), std::string(),
                                      offered() + "smtpd_discard_ehlo_keywords = starttls\n"}) {
    serve(settings, [](Peer& peer) {
      peer.reply();
      EXPECT_EQ(peer.say("EHLO client.test").find("STARTTLS"), std::string::npos);
      EXPECT_EQ(peer.say("STARTTLS"), "502 5.5.1 Error: command not implemented");
    });
  }
}

TEST_F(SessionTlsTest, OldParametersForTheLevel) {
  serve(keys() + "smtpd_use_tls = yes\n", [](Peer& peer) {
    peer.reply();
    EXPECT_NE(peer.say("EHLO client.test").find("STARTTLS"), std::string::npos);
    EXPECT_EQ(peer.say("MAIL FROM:<a@b.test>"), "250 2.1.0 Ok");
  });
  serve(keys() + "smtpd_enforce_tls = yes\n", [](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("MAIL FROM:<a@b.test>").substr(0, 3), "530");
  });
  serve(keys() + "smtpd_tls_security_level = verify\n", [](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("MAIL FROM:<a@b.test>").substr(0, 3), "530");
  });
  EXPECT_TRUE(logged("smtpd_tls_security_level: unsupported TLS level \"verify\", using \"encrypt\""))
      << log_text();
}

TEST_F(SessionTlsTest, ACertificateThatCannotBeUsed) {
  std::string missing = directory_ + "/missing";
  serve("smtpd_tls_security_level = may\nsmtpd_tls_cert_file = " + missing + "\n", [](Peer& peer) {
    peer.reply();
    EXPECT_NE(peer.say("EHLO client.test").find("STARTTLS"), std::string::npos);
    EXPECT_EQ(peer.say("STARTTLS"), "454 4.7.0 TLS not available due to local problem");
    EXPECT_EQ(peer.say("MAIL FROM:<a@b.test>"), "250 2.1.0 Ok");
  });
  EXPECT_TRUE(logged("warning: error opening chain file: " + missing + ": No such file or directory"))
      << log_text();
  serve("smtpd_tls_wrappermode = yes\nsmtpd_tls_cert_file = " + missing + "\n",
        [](Peer& peer) { EXPECT_EQ(peer.reply(), "<end>"); });
  EXPECT_TRUE(logged(
      "warning: Wrapper-mode request dropped from client.test[192.0.2.7] for service smtp. TLS context "
      "initialization failed. For details see earlier warnings in your logs."))
      << log_text();
}

TEST_F(SessionTlsTest, AHandshakeThatFailsEndsTheSession) {
  serve(offered(), [](Peer& peer) {
    peer.reply();
    peer.say("EHLO client.test");
    peer.say("STARTTLS");
    peer.send("this is not TLS\r\n");
    while (peer.reply() != "<end>") {
    }
  });
  EXPECT_TRUE(logged("lost connection after STARTTLS from client.test[192.0.2.7]")) << log_text();
  EXPECT_TRUE(logged("ehlo=1 starttls=0/1 commands=1/2")) << log_text();
}

TEST_F(SessionTlsTest, HandshakesHaveATimeLimit) {
  serve(offered() + "smtpd_starttls_timeout = 1s\n", [](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("STARTTLS").substr(0, 3), "220");
    EXPECT_EQ(peer.reply(), "<end>");
  });
  EXPECT_TRUE(logged("SSL_accept error from client.test[192.0.2.7]: Connection timed out")) << log_text();
}

TEST_F(SessionTlsTest, FromTheFirstByte) {
  serve(keys() + "smtpd_tls_wrappermode = yes\n", [&](Peer& peer) {
    ASSERT_TRUE(peer.start_tls(context_.get()));
    EXPECT_EQ(peer.reply().substr(0, 3), "220");
    EXPECT_EQ(peer.say("EHLO client.test").find("STARTTLS"), std::string::npos);
    EXPECT_EQ(peer.say("MAIL FROM:<a@b.test>"), "250 2.1.0 Ok");
    EXPECT_EQ(peer.say("STARTTLS"), "554 5.5.1 Error: TLS already active");
  });
}

TEST_F(SessionTlsTest, ACertificateIsRequired) {
  std::string required = keys() + "smtpd_tls_security_level = encrypt\nsmtpd_tls_req_ccert = yes\n";
  serve(required, [&](Peer& peer) {
    begin(peer);
    EXPECT_EQ(peer.say("EHLO client.test"), "421 4.7.1 mx.test Error: No client certificate presented");
    EXPECT_EQ(peer.reply(), "<end>");
  });
  EXPECT_TRUE(logged("NOQUEUE: abort: TLS from client.test[192.0.2.7]: No client certificate presented"))
      << log_text();
  EXPECT_TRUE(logged("ehlo=1 starttls=1 commands=2")) << log_text();
  show(stranger_);
  serve(required + "smtpd_tls_wrappermode = yes\n", [&](Peer& peer) {
    ASSERT_TRUE(peer.start_tls(context_.get()));
    EXPECT_EQ(peer.reply(), "421 4.7.1 mx.test Error: Client certificate not trusted");
    EXPECT_EQ(peer.reply(), "<end>");
  });
  show(known_);
  serve(required, [&](Peer& peer) {
    begin(peer);
    EXPECT_EQ(peer.say("EHLO client.test").substr(0, 3), "250");
  });
  serve(offered() + "smtpd_tls_req_ccert = yes\n", [&](Peer& peer) { begin(peer); });
  EXPECT_TRUE(logged("warning: Can't require client certs unless TLS is required")) << log_text();
}

TEST_F(SessionTlsTest, NewSessionsAreCounted) {
  client_.login.clear();
  std::string limited = keys() + "smtpd_client_new_tls_session_rate_limit = 1\nsmtpd_tls_wrappermode = yes\n";
  auto attempt = [&] {
    std::string answer;
    serve(limited, [&](Peer& peer) {
      if (peer.start_tls(context_.get())) answer = peer.reply();
    });
    return answer;
  };
  EXPECT_EQ(attempt().substr(0, 3), "220");
  EXPECT_EQ(attempt(), "421 4.7.0 mx.test Error: too many new TLS sessions from client.test[192.0.2.7]");
  EXPECT_TRUE(
      logged("warning: New TLS session rate limit exceeded: 2 from client.test[192.0.2.7] for service smtp"));
  EXPECT_EQ(attempt(), "");
  EXPECT_TRUE(logged("warning: Refusing TLS service request from client.test[192.0.2.7] for service smtp"));
  serve(offered() + "smtpd_client_new_tls_session_rate_limit = 1\n", [](Peer& peer) {
    peer.reply();
    EXPECT_EQ(peer.say("STARTTLS"), "454 4.7.0 Error: too many new TLS sessions from client.test[192.0.2.7]");
  });
  EXPECT_TRUE(logged("warning: Refusing STARTTLS request from client.test[192.0.2.7] for service smtp"));
}

TEST_F(SessionTlsTest, RelayingByCertificate) {
  std::string fingerprint = tls::certificate_fingerprint(known_.certificate.get(), EVP_sha256());
  std::string key = tls::key_fingerprint(known_.certificate.get(), EVP_sha256());
  std::string by_certificate = "relay_clientcerts = inline:{ {" + fingerprint + " = x} }\n",
              by_key = "relay_clientcerts = inline:{ {" + key + " = x} }\n";
  EXPECT_EQ(rcpt("permit_tls_clientcerts", by_certificate).substr(0, 3), "554");
  show(known_);
  EXPECT_EQ(rcpt("permit_tls_clientcerts", by_certificate), "250 2.1.5 Ok");
  EXPECT_EQ(rcpt("permit_tls_clientcerts", by_key), "250 2.1.5 Ok");
  EXPECT_EQ(rcpt("permit_tls_all_clientcerts"), "250 2.1.5 Ok");
  EXPECT_EQ(rcpt("permit_tls_clientcerts").substr(0, 3), "554");
  EXPECT_EQ(rcpt("permit_tls_clientcerts", by_key + "smtpd_tls_ask_ccert = no\n").substr(0, 3), "554");
  EXPECT_TRUE(logged("warning: permit_tls_clientcerts is requested, but \"smtpd_tls_ask_ccert = no\""))
      << log_text();
  show(stranger_);
  EXPECT_EQ(rcpt("permit_tls_all_clientcerts").substr(0, 3), "554");
}

TEST_F(SessionTlsTest, AccessByCertificate) {
  std::string table = "inline:{ {" + tls::certificate_fingerprint(known_.certificate.get(), EVP_sha256()) +
                      " = REJECT by certificate}, {" +
                      tls::key_fingerprint(known_.certificate.get(), EVP_sha256()) + " = REJECT by key} }";
  show(known_);
  EXPECT_EQ(rcpt("check_ccert_access " + table),
            "554 5.7.1 <client.test>: Client certificate rejected: by certificate");
  EXPECT_EQ(
      rcpt("check_ccert_access { " + table + ", { search_order = pubkey_fingerprint, cert_fingerprint } }"),
      "554 5.7.1 <client.test>: Client certificate rejected: by key");
  EXPECT_EQ(rcpt("check_ccert_access { " + table + ", { search_order = issuer } }"),
            "451 4.3.5 Server configuration error");
  EXPECT_TRUE(logged("warning: unknown search type 'issuer' in '{ inline:")) << log_text();
  EXPECT_EQ(rcpt("check_ccert_access { " + table + ", search_order = cert_fingerprint }"),
            "451 4.3.5 Server configuration error");
}

TEST_F(SessionTlsTest, LoginsWaitForTlsAndDoNotOutliveItsBeginning) {
  for (const char* level : {"smtpd_tls_security_level = encrypt\n",
                            "smtpd_tls_security_level = may\nsmtpd_tls_auth_only = yes\n"}) {
    serve(keys() + "smtpd_sasl_auth_enable = yes\n" + level, [&](Peer& peer) {
      peer.reply();
      EXPECT_EQ(peer.say("EHLO client.test").find("AUTH"), std::string::npos) << level;
      EXPECT_EQ(peer.say("STARTTLS").substr(0, 3), "220");
      ASSERT_TRUE(peer.start_tls(context_.get()));
      EXPECT_NE(peer.say("EHLO client.test").find("AUTH PLAIN"), std::string::npos) << level;
      EXPECT_EQ(peer.say("AUTH PLAIN c2VjcmV0"), "235 2.7.0 Authentication successful");
    });
  }
  serve(offered() + "smtpd_sasl_auth_enable = yes\n", [&](Peer& peer) {
    peer.reply();
    peer.say("EHLO client.test");
    EXPECT_EQ(peer.say("AUTH PLAIN c2VjcmV0").substr(0, 3), "235");
    EXPECT_EQ(peer.say("STARTTLS").substr(0, 3), "220");
    ASSERT_TRUE(peer.start_tls(context_.get()));
    peer.say("EHLO client.test");
    EXPECT_EQ(peer.say("AUTH PLAIN c2VjcmV0").substr(0, 3), "235");
  });
}

TEST_F(SessionTlsTest, PlaintextSessionsAreToldApart) {
  EXPECT_EQ(rcpt("reject_plaintext_session, permit"), "250 2.1.5 Ok");
}

}  // namespace
}  // namespace postrider::smtpd
