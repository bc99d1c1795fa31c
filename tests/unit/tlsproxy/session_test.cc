// tlsproxy as the processes see it that hand connections over.
#include "tlsproxy/session.h"

#include <signal.h>

#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "../tls/certificates.h"
#include "clients/tables.h"
#include "clients/tls_proxy.h"
#include "io/sync.h"
#include "log/log.h"
#include "sys/file.h"

namespace postrider::tlsproxy {
namespace {

Deadline soon() {
  return Deadline::after(seconds(20));
}

class NoSessions : public tls::ClientSupport {
 public:
  std::optional<std::string> find_session(std::string_view, Deadline) override { return std::nullopt; }
  void save_session(std::string_view, std::string_view, Deadline) override {}
  void remove_session(std::string_view, Deadline) override {}
};

class NoSupport : public tls::ServerSupport {
 public:
  std::shared_ptr<const tls::TicketKeys> ticket_keys(Deadline) override { return nullptr; }
  std::optional<std::string> find_session(std::string_view, Deadline) override { return std::nullopt; }
  void save_session(std::string_view, std::string_view, Deadline) override {}
  Result<std::optional<std::string>> find_chain(std::string_view, Deadline) override { return std::nullopt; }
};

class TlsproxyTest : public testing::Test {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);
    char name[] = "/tmp/postrider-tlsproxy-XXXXXX";
    directory_ = mkdtemp(name);
    write("server.pem", server_.pem());
    write("ca.pem", ca_.certificate_pem());
    write("client.pem", known_.pem());
    log::set_test_sink([this](log::Severity, std::string_view text) { log_ += std::string(text) + "\n"; });
  }
  void TearDown() override {
    log::set_test_sink(nullptr);
    std::system(("rm -rf " + directory_).c_str());
  }
  void write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(sys::replace_file(directory_ + "/" + name, text, 0600));
  }
  config::Config configuration(const std::string& main_cf) {
    write("main.cf", "compatibility_level = 3.11\n" + main_cf);
    return config::Config::load({.directory = directory_, .service_name = "tlsproxy"}).value();
  }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  /// Runs `body` beside a tlsproxy that serves one session; tells when that has ended.
  void with_proxy(const std::string& main_cf,
                  const std::function<void(std::unique_ptr<ipc::Connection>)>& body) {
    config_.emplace(configuration(main_cf));
    io::run_with_loop([&] {
      table::Catalog tables(clients::table_options(*config_));
      std::vector<std::string> paths;
      Engine engine(*config_, tables, paths);
      auto pair = sys::make_socket_pair(SOCK_STREAM).value();
      io::TaskGroup group;
      group.spawn([&, fd = std::move(pair.second)]() mutable {
        Session(engine, io::Stream(std::move(fd))).run();
        ended_ = true;
      });
      body(std::make_unique<ipc::Connection>(io::Stream(std::move(pair.first)), "test"));
      EXPECT_TRUE(group.wait(soon()));
    });
  }
  std::string serving() const {
    return "tlsproxy_tls_security_level = may\ntlsproxy_tls_chain_files = " + path("server.pem") +
           "\ntlsproxy_tls_CAfile = " + path("ca.pem") + "\ntlsproxy_tls_loglevel = 1\n";
  }
  static proto::TlsProxyRequest request() {
    proto::TlsProxyRequest out;
    out.service = "smtpd";
    out.peer = out.label = "[192.0.2.7]:1234";
    out.handshake_seconds = out.idle_seconds = 20;
    return out;
  }
  /// Asks, and hands over one end of a connection; the other one is returned.
  std::pair<clients::TlsProxySession, io::Stream> hand_over(std::unique_ptr<ipc::Connection> asker,
                                                            proto::TlsProxyRequest message = request()) {
    EXPECT_TRUE(asker->send(message, soon()));
    EXPECT_TRUE(asker->receive_as<proto::TlsProxyReady>(soon()));
    clients::TlsProxySession session(std::move(asker));
    auto network = sys::make_socket_pair(SOCK_STREAM).value();
    EXPECT_TRUE(session.hand_over(network.first.get(), soon()));
    return {std::move(session), io::Stream(std::move(network.second))};
  }
  /// TLS on the far end of the connection, as a client.
  bool begin_tls(io::Stream& stream, const std::string& settings = "") {
    auto config = configuration(settings);
    auto client = tls::Client::create(tls::ClientSettings(config, false), tls::LibrarySettings(config));
    NoSessions sessions;
    tls::Demands demands;
    demands.level = tls::Level::encrypt;
    demands.protocols = ">=TLSv1";
    demands.cipher_grade = "medium";
    auto session = client->connect(stream, "proxy", demands, sessions, soon());
    if (!session) return false;
    stream.set_transport(std::move(session));
    return true;
  }
  bool logged(std::string_view text) const { return log_.find(text) != std::string::npos; }

  tls::TestIdentity ca_ = tls::make_identity("Test CA"), server_ = tls::make_identity("mx.test", &ca_),
                    known_ = tls::make_identity("client.test", &ca_);
  std::string directory_, log_;
  std::optional<config::Config> config_;
  bool ended_ = false;
};

TEST_F(TlsproxyTest, PassesOnWhatIsSaidBothWays) {
  with_proxy(serving(), [&](std::unique_ptr<ipc::Connection> asker) {
    auto [session, client] = hand_over(std::move(asker));
    ASSERT_TRUE(begin_tls(client));
    auto started = session.wait_started(soon());
    ASSERT_TRUE(started);
    EXPECT_FALSE(started->present);
    io::Stream plain = std::move(session).take_stream();
    client.write("EHLO client.test\r\n");
    ASSERT_TRUE(client.flush(soon()));
    EXPECT_EQ(plain.read_line(100, soon()).value().text, "EHLO client.test");
    plain.write("250 mx.test\r\n");
    ASSERT_TRUE(plain.flush(soon()));
    EXPECT_EQ(client.read_line(100, soon()).value().text, "250 mx.test");
    // The client says no more, and still hears the answer.
    client.write("QUIT\r\n");
    ASSERT_TRUE(client.flush(soon()));
    client.end_transport(soon(), false);
    client.shutdown_write();
    EXPECT_EQ(plain.read_line(100, soon()).value().text, "QUIT");
    EXPECT_FALSE(plain.fill(soon()).value());
    plain.write("221 bye\r\n");
    ASSERT_TRUE(plain.flush(soon()));
    plain.shutdown_write();
    EXPECT_EQ(client.read_line(100, soon()).value().text, "221 bye");
    EXPECT_FALSE(client.fill(soon()).value());
  });
  EXPECT_TRUE(log_.starts_with("CONNECT from [192.0.2.7]:1234\n")) << log_;
  EXPECT_TRUE(
      logged("\nAnonymous TLS connection established from "
             "[192.0.2.7]:1234: TLSv1.3 with cipher "))
      << log_;
  EXPECT_TRUE(logged("DISCONNECT [192.0.2.7]:1234\n"));
}

TEST_F(TlsproxyTest, MuchGoesBothWaysAtOnce) {
  constexpr size_t kSize = 3'000'000;
  with_proxy(serving(), [&](std::unique_ptr<ipc::Connection> asker) {
    auto [session, client] = hand_over(std::move(asker));
    ASSERT_TRUE(begin_tls(client));
    ASSERT_TRUE(session.wait_started(soon()));
    io::Stream plain = std::move(session).take_stream();
    auto send = [&](io::Stream& to, char letter) {
      std::string text(kSize, letter);
      to.write(text);
      EXPECT_TRUE(to.flush(soon()));
    };
    std::string up, down;
    io::TaskGroup group;
    group.spawn([&, &stream = client] { send(stream, 'u'); });
    group.spawn([&] { send(plain, 'd'); });
    group.spawn([&] { up = plain.read_exact(kSize, soon()).value_or("-"); });
    group.spawn([&, &stream = client] { down = stream.read_exact(kSize, soon()).value_or("-"); });
    EXPECT_TRUE(group.wait(soon()));
    EXPECT_EQ(up, std::string(kSize, 'u'));
    EXPECT_EQ(down, std::string(kSize, 'd'));
  });
}

TEST_F(TlsproxyTest, AHandshakeThatFailsEndsTheConversation) {
  with_proxy(serving(), [&](std::unique_ptr<ipc::Connection> asker) {
    auto [session, client] = hand_over(std::move(asker));
    client.write("EHLO client.test\r\n");
    ASSERT_TRUE(client.flush(soon()));
    auto started = session.wait_started(soon());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().kind, ErrorKind::closed);
  });
  EXPECT_TRUE(logged("warning") || logged("TLS library problem: ")) << log_;
  EXPECT_TRUE(logged("TLS handshake failed for service=smtpd peer=[192.0.2.7]:1234\nDISCONNECT "));
  EXPECT_FALSE(logged("SSL_accept error"));
}

TEST_F(TlsproxyTest, NobodyWaitsForAPeerWhenTheAskerHasGone) {
  with_proxy(serving(), [&](std::unique_ptr<ipc::Connection> asker) {
    std::optional<std::pair<clients::TlsProxySession, io::Stream>> both(hand_over(std::move(asker)));
    io::Stream client = std::move(both->second);
    EXPECT_FALSE(ended_);
    both.reset();
    auto end = client.fill(soon());
    EXPECT_TRUE(!end || !*end);
  });
}

TEST_F(TlsproxyTest, SilenceEndsASession) {
  with_proxy(serving(), [&](std::unique_ptr<ipc::Connection> asker) {
    proto::TlsProxyRequest message = request();
    message.idle_seconds = 1;
    auto [session, client] = hand_over(std::move(asker), message);
    ASSERT_TRUE(begin_tls(client));
    ASSERT_TRUE(session.wait_started(soon()));
    io::Stream plain = std::move(session).take_stream();
    EXPECT_FALSE(plain.fill(soon()).value_or(true));
    auto end = client.fill(soon());
    EXPECT_TRUE(!end || !*end);
  });
}

TEST_F(TlsproxyTest, ClientsThatNeedACertificateAreSentAwayWithoutOne) {
  std::string strict = serving() + "tlsproxy_tls_security_level = encrypt\ntlsproxy_tls_req_ccert = yes\n";
  with_proxy(strict, [&](std::unique_ptr<ipc::Connection> asker) {
    auto [session, client] = hand_over(std::move(asker));
    ASSERT_TRUE(begin_tls(client));
    EXPECT_FALSE(session.wait_started(soon()));
  });
  EXPECT_TRUE(logged("abort: TLS from [192.0.2.7]:1234: No client certificate presented")) << log_;
  log_.clear();
  with_proxy(strict, [&](std::unique_ptr<ipc::Connection> asker) {
    auto [session, client] = hand_over(std::move(asker));
    ASSERT_TRUE(begin_tls(client, "smtp_tls_chain_files = " + path("client.pem") + "\n"));
    auto started = session.wait_started(soon());
    ASSERT_TRUE(started) << log_;
    EXPECT_TRUE(started->trusted);
    EXPECT_EQ(started->common_name, "client.test");
  });
}

TEST_F(TlsproxyTest, ARoleThatIsNotWantedIsRefused) {
  for (const char* settings : {"tlsproxy_tls_security_level = none\n", ""}) {
    with_proxy(settings, [&](std::unique_ptr<ipc::Connection> asker) {
      ASSERT_TRUE(asker->send(request(), soon()));
      auto ready = asker->receive_as<proto::TlsProxyReady>(soon());
      ASSERT_FALSE(ready);
      EXPECT_EQ(ready.error().text, "TLS server role is not available");
    });
  }
  with_proxy("tlsproxy_client_security_level = none\n", [&](std::unique_ptr<ipc::Connection> asker) {
    proto::TlsProxyRequest message = request();
    message.demands.emplace().level = static_cast<uint8_t>(tls::Level::may);
    ASSERT_TRUE(asker->send(message, soon()));
    auto ready = asker->receive_as<proto::TlsProxyReady>(soon());
    ASSERT_FALSE(ready);
    EXPECT_EQ(ready.error().text, "TLS client role is not available");
  });
}

TEST_F(TlsproxyTest, OldParametersStillCount) {
  std::string files = "tlsproxy_tls_chain_files = " + path("server.pem") + "\n";
  for (const char* settings : {"tlsproxy_use_tls = yes\n", "tlsproxy_enforce_tls = yes\n"}) {
    with_proxy(settings + files, [&](std::unique_ptr<ipc::Connection> asker) {
      ASSERT_TRUE(asker->send(request(), soon()));
      EXPECT_TRUE(asker->receive_as<proto::TlsProxyReady>(soon()));
    });
  }
  for (const char* settings :
       {"tlsproxy_client_use_tls = yes\n", "tlsproxy_client_enforce_tls = yes\n",
        "tlsproxy_client_level = may\n", "tlsproxy_client_policy = inline:{a=may}\n",
        "tlsproxy_client_per_site = inline:{a=MAY}\n", "tlsproxy_client_policy_maps = inline:{a=may}\n"}) {
    with_proxy(std::string("smtp_tls_security_level =\n") + settings,
               [&](std::unique_ptr<ipc::Connection> asker) {
                 proto::TlsProxyRequest message = request();
                 message.demands.emplace().level = static_cast<uint8_t>(tls::Level::may);
                 ASSERT_TRUE(asker->send(message, soon()));
                 EXPECT_TRUE(asker->receive_as<proto::TlsProxyReady>(soon())) << settings << log_;
               });
  }
}

TEST_F(TlsproxyTest, AServerIsHeldAgainstWhatTheAskerWants) {
  std::string settings = "tlsproxy_client_security_level = may\ntlsproxy_client_CAfile = " + path("ca.pem") +
                         "\ntlsproxy_client_loglevel = 1\n";
  tls::Demands demands;
  demands.level = tls::Level::verify;
  demands.protocols = ">=TLSv1.2";
  demands.cipher_grade = "high";
  for (const char* name : {"mx.test", "other.test"}) {
    log_.clear();
    with_proxy(settings, [&](std::unique_ptr<ipc::Connection> asker) {
      demands.names = {name};
      proto::TlsProxyRequest message = request();
      message.label = "mx.test[192.0.2.25]:25";
      message.demands = clients::encode_demands(demands);
      auto [session, server] = hand_over(std::move(asker), message);
      auto config = configuration("smtpd_tls_chain_files = " + path("server.pem") + "\n");
      auto accepting = tls::Server::create(tls::ServerSettings(config), tls::LibrarySettings(config), false);
      NoSupport support;
      auto secure = accepting->accept(server, "proxy", support, soon());
      ASSERT_TRUE(secure);
      auto started = session.wait_started(soon());
      ASSERT_TRUE(started);
      bool right = name == std::string("mx.test");
      EXPECT_EQ(started->matched, right);
      EXPECT_TRUE(started->summary.starts_with(
          (right ? "Verified" : "Trusted") +
          std::string(" TLS connection established to mx.test[192.0.2.25]:25: TLSv1.3 with cipher ")))
          << started->summary;
      EXPECT_EQ(started->issuer_name, "Test CA");
    });
    EXPECT_TRUE(logged("CONNECT to [192.0.2.7]:1234\n"));
  }
}

TEST_F(TlsproxyTest, ParametersOfItsOwnWinOverThoseOfTheServer) {
  constexpr std::string_view kNames[] = {"chain_files",
                                         "cert_file",
                                         "key_file",
                                         "dcert_file",
                                         "dkey_file",
                                         "eccert_file",
                                         "eckey_file",
                                         "CAfile",
                                         "CApath",
                                         "dh1024_param_file",
                                         "protocols",
                                         "ciphers",
                                         "exclude_ciphers",
                                         "mandatory_protocols",
                                         "mandatory_ciphers",
                                         "mandatory_exclude_ciphers",
                                         "fingerprint_digest"};
  auto values = [&](const config::Config& config) {
    tls::ServerSettings s(config, tls::ServerRole::tlsproxy);
    const auto& pairs = s.identity.pairs;
    return std::vector<std::string>{s.identity.chain_files,
                                    pairs[0].certificate,
                                    pairs[0].key,
                                    pairs[1].certificate,
                                    pairs[1].key,
                                    pairs[2].certificate,
                                    pairs[2].key,
                                    s.authorities.file,
                                    s.authorities.path,
                                    s.dh_file,
                                    s.protocols,
                                    s.ciphers,
                                    s.excluded_ciphers,
                                    s.mandatory_protocols,
                                    s.mandatory_ciphers,
                                    s.mandatory_excluded_ciphers,
                                    s.fingerprint_digest};
  };
  for (const char* prefix : {"smtpd_tls_", "tlsproxy_tls_"}) {
    std::string text;
    std::vector<std::string> wanted;
    for (std::string_view name : kNames) {
      if (prefix != std::string_view("smtpd_tls_")) text += fmt::format("smtpd_tls_{} = other\n", name);
      wanted.push_back(fmt::format("{}{}", prefix, name));
      text += fmt::format("{0}{1} = {0}{1}\n", prefix, name);
    }
    text += fmt::format(
        "{0}ask_ccert = yes\n{0}req_ccert = yes\n{0}ccert_verifydepth = 3\n"
        "{0}always_issue_session_ids = no\n{0}loglevel = 2\n",
        prefix);
    auto config = configuration(text);
    EXPECT_EQ(values(config), wanted) << prefix;
    tls::ServerSettings s(config, tls::ServerRole::tlsproxy);
    EXPECT_TRUE(s.asks_certificate && s.requires_certificate && !s.always_session_ids) << prefix;
    EXPECT_EQ(s.verify_depth, 3) << prefix;
    EXPECT_TRUE(s.topics.has(tls::LogTopics::detail)) << prefix;
  }
  // Covers: tlsproxy_tls_chain_files, tlsproxy_tls_cert_file, tlsproxy_tls_key_file, tlsproxy_tls_dcert_file,
  // tlsproxy_tls_dkey_file, tlsproxy_tls_eccert_file, tlsproxy_tls_eckey_file, tlsproxy_tls_CAfile,
  // tlsproxy_tls_CApath, tlsproxy_tls_dh1024_param_file, tlsproxy_tls_protocols, tlsproxy_tls_ciphers,
  // tlsproxy_tls_exclude_ciphers, tlsproxy_tls_mandatory_protocols, tlsproxy_tls_mandatory_ciphers,
  // tlsproxy_tls_mandatory_exclude_ciphers, tlsproxy_tls_fingerprint_digest, tlsproxy_tls_ask_ccert,
  // tlsproxy_tls_req_ccert, tlsproxy_tls_ccert_verifydepth, tlsproxy_tls_always_issue_session_ids
}

TEST_F(TlsproxyTest, ParametersOfItsOwnWinOverThoseOfTheClient) {
  constexpr std::string_view kNames[] = {"chain_files", "cert_file",         "key_file",   "dcert_file",
                                         "dkey_file",   "eccert_file",       "eckey_file", "CAfile",
                                         "CApath",      "fingerprint_digest"};
  for (const char* prefix : {"smtp_tls_", "tlsproxy_client_"}) {
    std::string text = fmt::format("{0}scert_verifydepth = 3\n{0}loglevel = 2\n", prefix);
    std::vector<std::string> wanted;
    for (std::string_view name : kNames) {
      wanted.push_back(fmt::format("{}{}", prefix, name));
      text += fmt::format("{0}{1} = {0}{1}\n", prefix, name);
    }
    tls::ClientSettings s = tls::ClientSettings::of_tlsproxy(configuration(text));
    const auto& pairs = s.identity.pairs;
    EXPECT_EQ(
        (std::vector<std::string>{s.identity.chain_files, pairs[0].certificate, pairs[0].key,
                                  pairs[1].certificate, pairs[1].key, pairs[2].certificate, pairs[2].key,
                                  s.authorities.file, s.authorities.path, s.fingerprint_digest}),
        wanted);
    EXPECT_EQ(s.verify_depth, 3);
    EXPECT_TRUE(s.topics.has(tls::LogTopics::detail));
  }
  // Covers: tlsproxy_client_chain_files, tlsproxy_client_cert_file, tlsproxy_client_key_file,
  // tlsproxy_client_dcert_file, tlsproxy_client_dkey_file, tlsproxy_client_eccert_file,
  // tlsproxy_client_eckey_file, tlsproxy_client_CAfile, tlsproxy_client_CApath,
  // tlsproxy_client_fingerprint_digest, tlsproxy_client_scert_verifydepth
}

TEST(TlsProxyDemands, ComeBackAsTheyWereSent) {
  tls::Demands demands;
  demands.level = tls::Level::dane;
  demands.protocols = "p";
  demands.cipher_grade = "g";
  demands.cipher_exclusions = "e";
  demands.names = {"a", "b"};
  demands.records = {{3, 1, 1, "data"}};
  demands.base_domain = "base";
  demands.server_name = "sni";
  demands.session_key = "key";
  auto back = clients::decode_demands(clients::encode_demands(demands));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->level, demands.level);
  EXPECT_EQ(back->protocols + back->cipher_grade + back->cipher_exclusions, "pge");
  EXPECT_EQ(back->names, demands.names);
  EXPECT_EQ(back->records, demands.records);
  EXPECT_EQ(back->base_domain + back->server_name + back->session_key, "basesnikey");
  proto::TlsProxyDemands none, unknown;
  unknown.level = 99;
  EXPECT_FALSE(clients::decode_demands(none));
  EXPECT_FALSE(clients::decode_demands(unknown));
}

}  // namespace
}  // namespace postrider::tlsproxy
