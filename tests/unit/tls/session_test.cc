// Servers and clients that talk through TLS, over a socket pair.
#include "tls/session.h"

#include <signal.h>

#include <cstdlib>
#include <functional>
#include <map>

#include <gtest/gtest.h>

#include "certificates.h"
#include "io/sync.h"
#include "log/log.h"
#include "sys/file.h"
#include "tls/server.h"

namespace postrider::tls {
namespace {

Deadline soon() {
  return Deadline::after(seconds(20));
}

/// Keeps in memory what tlsmgr keeps otherwise.
class MemorySupport : public ServerSupport {
 public:
  MemorySupport() {
    auto made = std::make_shared<TicketKeys>();
    made->current = TicketKey{std::string(TicketKey::kNameSize, 'n'), std::string(TicketKey::kKeySize, 'c'),
                              std::string(TicketKey::kKeySize, 'm'), 4711};
    keys = made;
  }
  std::shared_ptr<const TicketKeys> ticket_keys(Deadline) override { return keys; }
  std::optional<std::string> find_session(std::string_view id, Deadline) override {
    io::yield();  // Others run while a table is asked.
    auto found = sessions.find(std::string(id));
    return found == sessions.end() ? std::nullopt : std::optional(found->second);
  }
  void save_session(std::string_view id, std::string_view data, Deadline) override {
    sessions[std::string(id)] = data;
  }
  Result<std::optional<std::string>> find_chain(std::string_view name, Deadline) override {
    if (name == "down.test") return fail(ErrorKind::temporary, "table does not answer");
    auto found = chains.find(std::string(name));
    return found == chains.end() ? std::nullopt : std::optional(found->second);
  }
  std::shared_ptr<const TicketKeys> keys;
  std::map<std::string, std::string> sessions, chains;
};

class TlsTest : public testing::Test {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);  // As daemons do.
    char name[] = "/tmp/postrider-tls-XXXXXX";
    directory_ = mkdtemp(name);
    write("server.pem", server_.pem());
    write("ca.pem", ca_.certificate_pem());
    log::set_test_sink([this](log::Severity, std::string_view text) { log_ += std::string(text) + "\n"; });
    client_context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_options(client_context_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  }
  void TearDown() override {
    log::set_test_sink(nullptr);
    std::system(("rm -rf " + directory_).c_str());
  }
  void write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(sys::replace_file(directory_ + "/" + name, text, 0600));
  }

  std::unique_ptr<Server> make_server(const std::string& main_cf, bool mandatory = false) {
    write("main.cf", "compatibility_level = 3.11\nsmtpd_tls_chain_files = " + directory_ +
                         "/server.pem\nsmtpd_tls_CAfile = " + directory_ +
                         "/ca.pem\nsmtpd_tls_loglevel = 1\n" + main_cf);
    config::LoadOptions options;
    options.directory = directory_;
    options.service_name = "smtp";
    auto config = config::Config::load(options);
    EXPECT_TRUE(config);
    return Server::create(ServerSettings(*config), LibrarySettings(*config), mandatory);
  }

  using Talk = std::function<void(io::Stream& stream)>;
  /// A handshake, and what both do after it. False: the server has seen it fail.
  bool talk(const Server& server, const Talk& at_server, const Talk& at_client) {
    bool good = false;
    io::run_with_loop([&] {
      auto pair = sys::make_socket_pair(SOCK_STREAM).value();
      io::TaskGroup group;
      group.spawn([&, fd = std::move(pair.second)]() mutable { run_client(std::move(fd), at_client); });
      good = run_server(server, std::move(pair.first), at_server);
      EXPECT_TRUE(group.wait(soon()));
    });
    return good;
  }
  bool run_server(const Server& server, sys::Fd fd, const Talk& at_server) {
    io::Stream stream(std::move(fd));
    if (!before_.empty()) {
      EXPECT_EQ(stream.read_exact(1, soon()).value_or(""), before_.substr(0, 1));
      EXPECT_EQ(stream.buffered(), before_.substr(1));
      stream.write("220 ready\r\n");
      EXPECT_TRUE(stream.flush(soon()));
    }
    auto session = server.accept(stream, "client.test[192.0.2.7]", support_, soon());
    if (!session) return false;
    server_info_ = session->info();
    stream.set_transport(std::move(session));
    at_server(stream);
    stream.end_transport(soon(), false);
    return true;
  }
  void run_client(sys::Fd fd, const Talk& at_client) {
    io::Stream stream(std::move(fd));
    if (!before_.empty()) {
      stream.write(before_);
      EXPECT_EQ(stream.read_line(100, soon()).value_or(io::Line{"?"}).text, "220 ready");
    }
    auto session =
        Session::create(client_context_.get(), {.peer = "server.test[192.0.2.25]:25", .server = false})
            .value();
    if (!server_name_.empty()) SSL_set_tlsext_host_name(session->connection(), server_name_.c_str());
    if (to_resume_) SSL_set_session(session->connection(), to_resume_.get());
    if (session->handshake(stream, "SSL_connect", soon()) != Session::Step::done) return;
    session->note_handshake();
    session->note_peer(EVP_sha256());
    client_info_ = session->info();
    SSL* connection = session->connection();
    stream.set_transport(std::move(session));
    at_client(stream);
    to_resume_.reset(SSL_get1_session(connection));
    stream.end_transport(soon(), false);
  }
  /// A word each way: session tickets of TLS 1.3 arrive with the server's.
  bool greet(const Server& server) {
    return talk(
        server,
        [](io::Stream& stream) {
          stream.write("hello\r\n");
          EXPECT_TRUE(stream.flush(soon()));
          EXPECT_EQ(stream.read_line(100, soon()).value_or(io::Line{"?"}).text, "thanks");
        },
        [](io::Stream& stream) {
          EXPECT_EQ(stream.read_line(100, soon()).value_or(io::Line{"?"}).text, "hello");
          stream.write("thanks\r\n");
          EXPECT_TRUE(stream.flush(soon()));
        });
  }
  bool logged(std::string_view text) const { return log_.find(text) != std::string::npos; }

  TestIdentity ca_ = make_identity("Test CA"), server_ = make_identity("mx.test", &ca_);
  MemorySupport support_;
  Context client_context_;
  SavedSession to_resume_;
  std::string before_, server_name_;
  Info server_info_, client_info_;
  std::string directory_, log_;
};

TEST_F(TlsTest, TellsWhatTheHandshakeHasComeTo) {
  auto server = make_server("");
  ASSERT_TRUE(server) << log_;
  ASSERT_TRUE(greet(*server)) << log_;
  EXPECT_EQ(server_info_.handshake.protocol, "TLSv1.3");
  EXPECT_EQ(server_info_.handshake.client_identity, mail::ReceivedTls::Client::not_asked);
  EXPECT_TRUE(
      logged("Anonymous TLS connection established from client.test[192.0.2.7]: TLSv1.3 with cipher "
             "TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature ECDSA (prime256v1) "
             "server-digest SHA256\n"))
      << log_;
  EXPECT_EQ(client_info_.peer.common_name, "mx.test");
  EXPECT_EQ(client_info_.handshake.server.name, "ECDSA");
}

/// Who signed the server's certificate is shown, too, where it is trusted here (smtpd_tls_CAfile).
TEST_F(TlsTest, TheChainIsCompletedFromTheAuthorities) {
  auto server = make_server("");
  X509_STORE_add_cert(SSL_CTX_get_cert_store(client_context_.get()), ca_.certificate.get());
  SSL_CTX_set_verify(client_context_.get(), SSL_VERIFY_PEER, nullptr);
  bool good = talk(
      *server, [](io::Stream& stream) { EXPECT_FALSE(stream.read_line(100, soon())); },
      [](io::Stream& stream) {
        STACK_OF(X509)* shown =
            SSL_get_peer_cert_chain(static_cast<Session*>(stream.transport())->connection());
        EXPECT_EQ(sk_X509_num(shown), 2);
      });
  EXPECT_TRUE(good);
}

TEST_F(TlsTest, WhatWasSentInTheClearIsDropped) {
  before_ = "XNOOP\r\nMAIL FROM:<injected@example.com>\r\n";
  auto server = make_server("");
  bool good = talk(
      *server,
      [](io::Stream& stream) {
        EXPECT_EQ(stream.read_line(100, soon()).value_or(io::Line{"?"}).text, "EHLO real");
      },
      [](io::Stream& stream) {
        stream.write("EHLO real\r\n");
        EXPECT_TRUE(stream.flush(soon()));
      });
  EXPECT_TRUE(good);
}

TEST_F(TlsTest, LargeContentBothWaysAndAnEnd) {
  auto server = make_server("");
  std::string content;
  for (int i = 0; i < 60'000; ++i)
    content += "line " + std::to_string(i) + "\r\n";
  bool good = talk(
      *server,
      [&](io::Stream& stream) {
        auto got = stream.read_exact(content.size(), soon());
        ASSERT_TRUE(got);
        EXPECT_TRUE(*got == content);
        EXPECT_TRUE(stream.write_through(content, soon()));
        EXPECT_TRUE(stream.flush(soon()));
        EXPECT_FALSE(stream.fill(soon()).value_or(true));
        EXPECT_TRUE(stream.at_end());
      },
      [&](io::Stream& stream) {
        EXPECT_TRUE(stream.write_through(content, soon()));
        EXPECT_TRUE(stream.flush(soon()));
        auto got = stream.read_exact(content.size(), soon());
        EXPECT_TRUE(got && *got == content);
      });
  EXPECT_TRUE(good);
}

/// Two records that arrive at once make one event of the descriptor.
TEST_F(TlsTest, RecordsThatArriveTogetherAreAllSeen) {
  auto server = make_server("");
  bool good = talk(
      *server,
      [](io::Stream& stream) {
        for (const char* expected : {"one", "two", "three"}) {
          ASSERT_TRUE(stream.wait_input_parked(soon()));
          EXPECT_EQ(stream.read_line(100, soon()).value_or(io::Line{"?"}).text, expected);
        }
      },
      [](io::Stream& stream) {
        for (const char* line : {"one\r\n", "two\r\n", "three\r\n"}) {
          stream.write(line);
          EXPECT_TRUE(stream.flush(soon()));
        }
      });
  EXPECT_TRUE(good);
}

TEST_F(TlsTest, ClientsAreKnownByTheirCertificates) {
  TestIdentity known = make_identity("client.test", &ca_), stranger = make_identity("stranger.test");
  auto server = make_server("smtpd_tls_ask_ccert = yes\nsmtpd_tls_fingerprint_digest = sha1\n");
  SSL_CTX_use_certificate(client_context_.get(), known.certificate.get());
  SSL_CTX_use_PrivateKey(client_context_.get(), known.key.get());
  ASSERT_TRUE(greet(*server)) << log_;
  EXPECT_TRUE(server_info_.peer.trusted);
  EXPECT_EQ(server_info_.peer.common_name, "client.test");
  EXPECT_EQ(server_info_.peer.issuer_name, "Test CA");
  EXPECT_EQ(server_info_.peer.certificate_fingerprint.size(), 59U);
  EXPECT_TRUE(logged("Trusted TLS connection established from client.test[192.0.2.7]: ")) << log_;
  EXPECT_TRUE(logged("client-signature ECDSA (prime256v1) client-digest SHA256")) << log_;
  SSL_CTX_use_certificate(client_context_.get(), stranger.certificate.get());
  SSL_CTX_use_PrivateKey(client_context_.get(), stranger.key.get());
  to_resume_.reset();
  ASSERT_TRUE(greet(*server));
  EXPECT_FALSE(server_info_.peer.trusted);
  EXPECT_TRUE(logged("Untrusted TLS connection established from client.test[192.0.2.7]: ")) << log_;
  // A session that is resumed is what it was: nobody verifies its certificate again.
  ASSERT_TRUE(greet(*server));
  EXPECT_TRUE(server_info_.resumed);
  EXPECT_TRUE(server_info_.peer.present);
  EXPECT_FALSE(server_info_.peer.trusted);
}

TEST_F(TlsTest, ACertificateThatIsRequiredAndNotTrustedIsTold) {
  TestIdentity other = make_identity("Other CA"), stranger = make_identity("stranger.test", &other),
               old = make_identity("old.test", &ca_, 0);
  auto server = make_server("smtpd_tls_req_ccert = yes\n", true);
  for (const TestIdentity* who : {&stranger, &old}) {
    SSL_CTX_use_certificate(client_context_.get(), who->certificate.get());
    SSL_CTX_use_PrivateKey(client_context_.get(), who->key.get());
    to_resume_.reset();
    ASSERT_TRUE(greet(*server));
    EXPECT_FALSE(server_info_.peer.trusted);
  }
  EXPECT_TRUE(
      logged("certificate verification failed for client.test[192.0.2.7]: untrusted issuer /CN=Other CA\n"))
      << log_;
  EXPECT_TRUE(logged("certificate verification failed for client.test[192.0.2.7]: certificate has expired\n"))
      << log_;
}

TEST_F(TlsTest, TicketsResumeSessions) {
  auto server = make_server("");
  ASSERT_TRUE(greet(*server));
  EXPECT_FALSE(server_info_.resumed);
  ASSERT_TRUE(greet(*server));
  EXPECT_TRUE(server_info_.resumed);
  // A key that nobody has any more.
  auto other = std::make_shared<TicketKeys>(*support_.keys);
  other->current->name = std::string(TicketKey::kNameSize, 'x');
  support_.keys = other;
  ASSERT_TRUE(greet(*server));
  EXPECT_FALSE(server_info_.resumed);
  // The one before the current one still opens.
  auto rotated = std::make_shared<TicketKeys>(*other);
  rotated->previous = rotated->current;
  rotated->current->name = std::string(TicketKey::kNameSize, 'y');
  support_.keys = rotated;
  ASSERT_TRUE(greet(*server));
  EXPECT_TRUE(server_info_.resumed);
  support_.keys = nullptr;
  ASSERT_TRUE(greet(*server)) << log_;
  EXPECT_FALSE(server_info_.resumed);
}

TEST_F(TlsTest, NoTicketsWithoutACipherForThem) {
  auto server = make_server("tls_session_ticket_cipher =\n");
  ASSERT_TRUE(greet(*server));
  ASSERT_TRUE(greet(*server));
  EXPECT_FALSE(server_info_.resumed);
  EXPECT_TRUE(make_server("tls_session_ticket_cipher = bogus\n"));
  EXPECT_TRUE(logged("tls_session_ticket_cipher: invalid value: bogus; session tickets disabled")) << log_;
}

TEST_F(TlsTest, AStoreResumesSessionsOfTls12) {
  SSL_CTX_set_max_proto_version(client_context_.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(client_context_.get(), SSL_OP_NO_TICKET);
  auto server = make_server("smtpd_tls_session_cache_database = btree:/nowhere\nsmtpd_tls_loglevel = 2\n");
  ASSERT_TRUE(greet(*server)) << log_;
  EXPECT_EQ(support_.sessions.size(), 1U);
  EXPECT_EQ(server_info_.handshake.key_exchange, "");
  ASSERT_TRUE(greet(*server));
  EXPECT_TRUE(server_info_.resumed) << log_;
  EXPECT_TRUE(logged("client.test[192.0.2.7]: Reusing old session\n")) << log_;
  for (auto& [id, data] : support_.sessions)
    data = "garbage";
  ASSERT_TRUE(greet(*server));
  EXPECT_FALSE(server_info_.resumed);
}

TEST_F(TlsTest, TheNameThatAClientAsksForChoosesTheCertificate) {
  TestIdentity other = make_identity("other.test", &ca_);
  support_.chains["other.test"] = other.pem();
  support_.chains["broken.test"] = other.key_pem();
  auto server = make_server("tls_server_sni_maps = inline:{x=y}\n");
  auto name_of = [&](const std::string& name) {
    server_name_ = name;
    to_resume_.reset();
    return greet(*server) ? client_info_.peer.common_name : "<failed>";
  };
  EXPECT_EQ(name_of("other.test"), "other.test");
  EXPECT_TRUE(logged("established from client.test[192.0.2.7] to other.test: ")) << log_;
  EXPECT_EQ(name_of("none.test"), "mx.test");
  EXPECT_TRUE(logged("TLS SNI none.test from client.test[192.0.2.7] not matched, using default chain\n"))
      << log_;
  EXPECT_EQ(name_of("bad..name"), "mx.test");
  EXPECT_TRUE(logged("TLS SNI from client.test[192.0.2.7] is invalid: bad..name\n")) << log_;
  EXPECT_EQ(name_of("broken.test"), "<failed>");
  EXPECT_EQ(name_of("down.test"), "<failed>");
}

TEST_F(TlsTest, ProtocolsAndCiphersAreChosen) {
  auto server = make_server("smtpd_tls_protocols = >=TLSv1.3\n");
  SSL_CTX_set_max_proto_version(client_context_.get(), TLS1_2_VERSION);
  EXPECT_FALSE(greet(*server));
  EXPECT_TRUE(logged("SSL_accept error from client.test[192.0.2.7]: -1\n")) << log_;
  EXPECT_TRUE(logged("TLS library problem: error:0A000102:SSL routines::unsupported protocol:")) << log_;
  server = make_server("smtpd_tls_exclude_ciphers = AES256, CHACHA20\n");
  ASSERT_TRUE(greet(*server)) << log_;
  EXPECT_EQ(server_info_.handshake.cipher, "ECDHE-ECDSA-AES128-GCM-SHA256");
  server = make_server("tls_eecdh_auto_curves = bogus secp384r1\ntls_ffdhe_auto_groups =\n");
  SSL_CTX_set_max_proto_version(client_context_.get(), 0);
  ASSERT_TRUE(greet(*server)) << log_;
  EXPECT_EQ(server_info_.handshake.key_exchange, "ECDHE");
  EXPECT_EQ(server_info_.handshake.key_exchange_curve, "secp384r1");
  EXPECT_TRUE(logged("ignoring unknown ECDHE curve \"bogus\"")) << log_;
}

TEST_F(TlsTest, NoRenegotiation) {
  SSL_CTX_set_max_proto_version(client_context_.get(), TLS1_2_VERSION);
  auto server = make_server("");
  bool good = talk(
      *server, [](io::Stream& stream) { EXPECT_FALSE(stream.read_line(100, soon())); },
      [](io::Stream& stream) {
        SSL* connection = static_cast<Session*>(stream.transport())->connection();
        EXPECT_EQ(SSL_renegotiate(connection), 1);
        SSL_do_handshake(connection);
        // It is refused, which this client takes for the end.
        EXPECT_FALSE(stream.fill(soon()).value_or(false));
      });
  EXPECT_TRUE(good);
  EXPECT_EQ(server_info_.handshake.protocol, "TLSv1.2");
}

TEST_F(TlsTest, HandshakesThatFail) {
  auto server = make_server("");
  auto attempt = [&](std::string_view sent, Deadline deadline, bool closes) {
    io::run_with_loop([&] {
      auto pair = sys::make_socket_pair(SOCK_STREAM).value();
      io::Stream stream(std::move(pair.first));
      std::optional<io::Stream> client(io::Stream(std::move(pair.second)));
      client->write(sent);
      (void)client->flush(soon());
      if (closes) client.reset();
      EXPECT_FALSE(server->accept(stream, "client.test[192.0.2.7]", support_, deadline));
    });
  };
  attempt("hello, this is no TLS\r\n", soon(), false);
  EXPECT_TRUE(logged("SSL_accept error from client.test[192.0.2.7]: -1\n")) << log_;
  EXPECT_TRUE(logged("wrong version number")) << log_;
  attempt("", soon(), true);
  EXPECT_TRUE(logged("SSL_accept error from client.test[192.0.2.7]: lost connection\n")) << log_;
  attempt("", Deadline::after(milliseconds(50)), false);
  EXPECT_TRUE(logged("SSL_accept error from client.test[192.0.2.7]: Connection timed out\n")) << log_;
}

TEST_F(TlsTest, WhatMakesTlsImpossibleIsLogged) {
  auto fails = [&](const std::string& main_cf, std::string_view line) {
    log_.clear();
    EXPECT_FALSE(make_server(main_cf)) << main_cf;
    EXPECT_TRUE(logged(line)) << main_cf << log_;
  };
  std::string missing = directory_ + "/missing";
  fails("smtpd_tls_chain_files = " + missing + "\n",
        "error opening chain file: " + missing + ": No such file or directory\n");
  fails("smtpd_tls_chain_files =\n", "No server certs available. TLS won't be enabled\n");
  fails("smtpd_tls_chain_files = " + directory_ + "/ca.pem\n", "/ca.pem: key not first\n");
  fails("smtpd_tls_CAfile = " + missing + "\n",
        "cannot load Certification Authority data, CAfile=\"" + missing + "\": disabling");
  fails("smtpd_tls_protocols = TLSv1.9\n", "Invalid TLS protocol list \"TLSv1.9\": disabling TLS support\n");
  fails("smtpd_tls_fingerprint_digest = foo\n",
        "Digest algorithm \"foo\" not found\ndisabling TLS support\n");
  auto server = make_server("smtpd_tls_ciphers = bogus\n");
  ASSERT_TRUE(server);
  EXPECT_FALSE(greet(*server));
  EXPECT_TRUE(logged("client.test[192.0.2.7]: invalid cipher grade: \"bogus\"\n")) << log_;
}

TEST_F(TlsTest, OldParametersForKeysAndDh) {
  write("key.pem", server_.key_pem());
  write("cert.pem", server_.certificate_pem());
  auto server = make_server("smtpd_tls_chain_files =\nsmtpd_tls_eccert_file = " + directory_ +
                            "/cert.pem\nsmtpd_tls_eckey_file = " + directory_ +
                            "/key.pem\nsmtpd_tls_dh1024_param_file = " + directory_ + "/missing\n");
  ASSERT_TRUE(server) << log_;
  EXPECT_TRUE(logged("error opening DH parameter file \"" + directory_ +
                     "/missing\": No such file or directory -- using compiled-in defaults\n"))
      << log_;
  EXPECT_TRUE(greet(*server)) << log_;
}

TEST_F(TlsTest, HandshakesInDetail) {
  auto server = make_server("smtpd_tls_loglevel = 4\n");
  ASSERT_TRUE(greet(*server)) << log_;
  for (std::string_view line :
       {"initializing the server-side TLS engine\n",
        "setting up TLS connection from client.test[192.0.2.7]\n",
        "client.test[192.0.2.7]: TLS cipher list \"", "SSL_accept:before SSL initialization\n", "read from ",
        "client.test[192.0.2.7]: Issuing session ticket, key expiration: 4711\n", "Write 7 chars: hello??\n",
        "Read 8 chars: thanks??\n"}) {
    EXPECT_TRUE(logged(line)) << line << log_;
  }
}

}  // namespace
}  // namespace postrider::tls
