// The client's side of TLS: what it demands of servers, and what it takes them for.
#include "tls/client.h"

#include <signal.h>

#include <cstdlib>
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

class NoServerSupport : public ServerSupport {
 public:
  std::shared_ptr<const TicketKeys> ticket_keys(Deadline) override { return keys; }
  std::optional<std::string> find_session(std::string_view, Deadline) override { return std::nullopt; }
  void save_session(std::string_view, std::string_view, Deadline) override {}
  Result<std::optional<std::string>> find_chain(std::string_view name, Deadline) override {
    asked_for = name;
    return std::nullopt;
  }
  std::shared_ptr<const TicketKeys> keys;
  std::string asked_for;
};

class MemorySupport : public ClientSupport {
 public:
  std::optional<std::string> find_session(std::string_view key, Deadline) override {
    io::yield();  // Others run while tlsmgr is asked.
    auto found = sessions.find(std::string(key));
    return found == sessions.end() ? std::nullopt : std::optional(found->second);
  }
  void save_session(std::string_view key, std::string_view data, Deadline) override {
    sessions[std::string(key)] = data;
  }
  void remove_session(std::string_view key, Deadline) override { sessions.erase(std::string(key)); }
  std::map<std::string, std::string> sessions;
};

const std::string kServer = "mx.test[192.0.2.25]:25";

class ClientTest : public testing::Test {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);  // As daemons do.
    char name[] = "/tmp/postrider-tls-XXXXXX";
    directory_ = mkdtemp(name);
    write("server.pem", server_.pem());
    write("ca.pem", ca_.certificate_pem());
    write("client.pem", own_.pem());
    log::set_test_sink([this](log::Severity, std::string_view text) { log_ += std::string(text) + "\n"; });
    auto made = std::make_shared<TicketKeys>();
    made->current = TicketKey{std::string(TicketKey::kNameSize, 'n'), std::string(TicketKey::kKeySize, 'c'),
                              std::string(TicketKey::kKeySize, 'm'), 4711};
    server_support_.keys = made;
    set_up_server("");
    set_up_client("");
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
    config::LoadOptions options;
    options.directory = directory_;
    options.service_name = "smtp";
    return config::Config::load(options).value();
  }
  void set_up_server(const std::string& main_cf) {
    auto config = configuration("smtpd_tls_chain_files = " + directory_ +
                                "/server.pem\nsmtpd_tls_CAfile = " + directory_ + "/ca.pem\n" + main_cf);
    accepting_ = Server::create(ServerSettings(config), LibrarySettings(config), false);
    ASSERT_TRUE(accepting_) << log_;
  }
  void set_up_client(const std::string& main_cf) {
    auto config =
        configuration("smtp_tls_CAfile = " + directory_ + "/ca.pem\nsmtp_tls_loglevel = 1\n" + main_cf);
    client_ = Client::create(ClientSettings(config, false), LibrarySettings(config));
  }
  static Demands demands(Level level) {
    Demands out;
    out.level = level;
    out.protocols = ">=TLSv1";
    out.cipher_grade = "medium";
    return out;
  }
  Demands named(std::vector<std::string> names) {
    Demands out = demands(Level::verify);
    out.names = std::move(names);
    return out;
  }

  /// A handshake, and a word from the server, with which tickets arrive. False: the client has seen it fail.
  bool connect(const Demands& demands) {
    bool good = false;
    log_.clear();
    io::run_with_loop([&] {
      auto pair = sys::make_socket_pair(SOCK_STREAM).value();
      io::TaskGroup group;
      group.spawn([&, fd = std::move(pair.second)]() mutable { serve(std::move(fd)); });
      good = run_client(std::move(pair.first), demands);
      EXPECT_TRUE(group.wait(soon()));
    });
    return good;
  }
  void serve(sys::Fd fd) {
    io::Stream stream(std::move(fd));
    auto session = accepting_->accept(stream, "client.test[192.0.2.7]", server_support_, soon());
    if (!session) return;
    server_info_ = session->info();
    stream.set_transport(std::move(session));
    stream.write("hello\r\n");
    (void)stream.flush(soon());
    (void)stream.read_line(100, soon());
  }
  bool run_client(sys::Fd fd, const Demands& demands) {
    io::Stream stream(std::move(fd));
    auto session = client_->connect(stream, kServer, demands, support_, soon());
    if (!session) return false;
    info_ = session->info();
    Session* running = session.get();
    stream.set_transport(std::move(session));
    EXPECT_EQ(stream.read_line(100, soon()).value_or(io::Line{"?"}).text, "hello");
    client_->keep(*running, support_, soon());
    stream.end_transport(soon(), false);
    return true;
  }
  bool logged(std::string_view text) const { return log_.find(text) != std::string::npos; }
  std::string status() const {
    size_t at = log_.find(" TLS connection established to " + kServer);
    size_t begin = at == log_.npos ? at : log_.rfind('\n', at);
    return at == log_.npos ? "" : log_.substr(begin + 1, at - begin - 1);
  }

  TestIdentity ca_ = make_identity("Test CA"), server_ = make_identity("mx.test", &ca_);
  TestIdentity own_ = make_identity("client.test", &ca_), other_ = make_identity("other.test");
  NoServerSupport server_support_;
  MemorySupport support_;
  std::unique_ptr<Server> accepting_;
  std::unique_ptr<Client> client_;
  Info info_, server_info_;
  std::string directory_, log_;
};

TEST_F(ClientTest, WhereNothingIsDemandedAnyServerWillDo) {
  ASSERT_TRUE(connect(demands(Level::may))) << log_;
  EXPECT_EQ(status(), "Trusted");
  EXPECT_FALSE(info_.peer.matched);
  EXPECT_EQ(info_.peer.common_name, "mx.test");
  write("server.pem", other_.pem());
  set_up_server("");
  ASSERT_TRUE(connect(demands(Level::encrypt))) << log_;
  EXPECT_EQ(status(), "Untrusted");
  EXPECT_FALSE(logged("verification failed"));
}

// Covers: smtp_tls_verify_cert_match
TEST_F(ClientTest, ANameHasToBeInTheCertificate) {
  ASSERT_TRUE(connect(named({"other.test", "MX.test"}))) << log_;
  EXPECT_EQ(status(), "Verified");
  EXPECT_TRUE(info_.peer.matched);
  ASSERT_TRUE(connect(named({".test"}))) << log_;
  EXPECT_EQ(status(), "Verified");
  ASSERT_TRUE(connect(named({"other.test"}))) << log_;
  EXPECT_EQ(status(), "Trusted");
  EXPECT_FALSE(info_.peer.matched);
  EXPECT_TRUE(logged("server certificate verification failed for " + kServer + ": num=62:hostname mismatch"));
}

TEST_F(ClientTest, WithoutAUsableNameNothingMatches) {
  ASSERT_TRUE(connect(named({"."}))) << log_;
  EXPECT_FALSE(info_.peer.matched);
  EXPECT_EQ(status(), "Untrusted");
  ASSERT_TRUE(connect(named({}))) << log_;
  EXPECT_FALSE(info_.peer.matched);
}

// Covers: tls_wildcard_matches_multiple_labels
TEST_F(ClientTest, WildcardsStandForLabels) {
  write("server.pem", make_identity("*.example.test", &ca_).pem());
  set_up_server("");
  auto matches = [&](const std::string& name) {
    EXPECT_TRUE(connect(named({name}))) << log_;
    return info_.peer.matched;
  };
  EXPECT_TRUE(matches("a.example.test"));
  EXPECT_TRUE(matches("b.a.example.test"));
  EXPECT_FALSE(matches("example.test"));
  set_up_client("tls_wildcard_matches_multiple_labels = no\n");
  EXPECT_TRUE(matches("a.example.test"));
  EXPECT_FALSE(matches("b.a.example.test"));
}

TEST_F(ClientTest, AnAuthorityHasToBeTrusted) {
  write("server.pem", other_.pem());
  set_up_server("");
  ASSERT_TRUE(connect(named({"other.test"}))) << log_;
  EXPECT_EQ(status(), "Untrusted");
  EXPECT_FALSE(info_.peer.matched);
  EXPECT_TRUE(logged("certificate verification failed for " + kServer + ": self-signed certificate"));
  write("server.pem", make_identity("mx.test", &other_).pem());
  set_up_server("");
  ASSERT_TRUE(connect(named({"mx.test"}))) << log_;
  EXPECT_TRUE(logged("certificate verification failed for " + kServer + ": untrusted issuer /CN=other.test"));
  write("server.pem", make_identity("mx.test", &ca_, 0).pem());
  set_up_server("");
  ASSERT_TRUE(connect(named({"mx.test"}))) << log_;
  EXPECT_TRUE(logged("server certificate verification failed for " + kServer + ": certificate has expired"));
}

// Covers: smtp_tls_scert_verifydepth
TEST_F(ClientTest, ChainsHaveALimit) {
  TestIdentity middle = make_identity("Middle CA", &ca_, 100, "EC", true);
  write("server.pem", make_identity("mx.test", &middle).pem() + middle.certificate_pem());
  set_up_server("");
  ASSERT_TRUE(connect(named({"mx.test"}))) << log_;
  EXPECT_TRUE(info_.peer.matched) << log_;
  set_up_client("smtp_tls_scert_verifydepth = 1\n");
  ASSERT_TRUE(connect(named({"mx.test"}))) << log_;
  EXPECT_FALSE(info_.peer.matched);
  EXPECT_TRUE(logged("certificate chain longer than limit")) << log_;
}

// Covers: smtp_tls_fingerprint_digest
TEST_F(ClientTest, FingerprintsOfCertificatesAndKeys) {
  write("server.pem", other_.pem());
  set_up_server("");
  const EVP_MD* digest = EVP_sha256();
  Demands wanted = demands(Level::fingerprint);
  wanted.records = fingerprint_records(certificate_fingerprint(other_.certificate.get(), digest), "|");
  ASSERT_TRUE(connect(wanted)) << log_;
  EXPECT_EQ(status(), "Verified");
  wanted.records = fingerprint_records("00:11|" + key_fingerprint(other_.certificate.get(), digest), "|");
  ASSERT_TRUE(connect(wanted)) << log_;
  EXPECT_TRUE(info_.peer.matched);
  wanted.records = fingerprint_records(certificate_fingerprint(own_.certificate.get(), digest), "|");
  ASSERT_TRUE(connect(wanted)) << log_;
  EXPECT_FALSE(info_.peer.matched);
  EXPECT_TRUE(logged("num=65:no matching DANE TLSA records"));
  set_up_client("smtp_tls_fingerprint_digest = sha1\n");
  wanted.records = fingerprint_records(key_fingerprint(other_.certificate.get(), EVP_sha1()), "|");
  ASSERT_TRUE(connect(wanted)) << log_;
  EXPECT_TRUE(info_.peer.matched);
}

/// A certificate of a trusted authority is no substitute for a fingerprint.
TEST_F(ClientTest, FingerprintsThatCannotBeUsedMatchNothing) {
  Demands wanted = demands(Level::fingerprint);
  wanted.records = fingerprint_records("00:11:22", "|");
  ASSERT_TRUE(connect(wanted)) << log_;
  EXPECT_TRUE(logged("all fingerprints unusable"));
  EXPECT_FALSE(info_.peer.matched);
  EXPECT_EQ(status(), "Untrusted");
}

Tlsa record_for(const TestIdentity& identity, uint8_t usage) {
  const X509_PUBKEY* key = X509_get_X509_PUBKEY(identity.certificate.get());
  unsigned char* data = nullptr;
  int size = i2d_X509_PUBKEY(key, &data);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_Digest(data, static_cast<size_t>(size), digest, &length, EVP_sha256(), nullptr);
  OPENSSL_free(data);
  return {usage, 1, 1, std::string(reinterpret_cast<char*>(digest), length)};
}

TEST_F(ClientTest, TheDnsKnowsTheServerOrItsAuthority) {
  Demands wanted = demands(Level::dane);
  wanted.base_domain = "host.test";
  wanted.names = {"host.test"};
  wanted.records = {record_for(server_, 3)};
  ASSERT_TRUE(connect(wanted)) << log_;
  EXPECT_EQ(status(), "Verified");  // The name in the certificate is of no interest.
  wanted.level = Level::half_dane;
  ASSERT_TRUE(connect(wanted)) << log_;
  EXPECT_EQ(status(), "Trusted");
  EXPECT_TRUE(info_.peer.matched);
  wanted.level = Level::dane;
  wanted.records = {record_for(own_, 3)};
  ASSERT_TRUE(connect(wanted)) << log_;
  EXPECT_EQ(status(), "Untrusted");
  EXPECT_FALSE(info_.peer.matched);
  // Of an authority, names count; and it is not among those that are trusted otherwise.
  TestIdentity middle = make_identity("DNS CA");
  write("server.pem", make_identity("mx.test", &middle).pem() + middle.certificate_pem());
  set_up_server("");
  wanted.records = {record_for(middle, 2)};
  ASSERT_TRUE(connect(wanted)) << log_;
  EXPECT_FALSE(info_.peer.matched);
  wanted.names = {"host.test", "mx.test"};
  ASSERT_TRUE(connect(wanted)) << log_;
  EXPECT_TRUE(info_.peer.matched) << log_;
}

TEST_F(ClientTest, AnchorsInFilesStandInForAuthorities) {
  TestIdentity anchor = make_identity("Anchor");
  write("server.pem", make_identity("mx.test", &anchor).pem() + anchor.certificate_pem());
  set_up_server("");
  Demands wanted = named({"mx.test"});
  ASSERT_TRUE(connect(wanted)) << log_;
  EXPECT_FALSE(info_.peer.matched);
  wanted.records = anchor_records({"anchor.pem", anchor.pem()}).value();
  ASSERT_EQ(wanted.records.size(), 1U);
  ASSERT_TRUE(connect(wanted)) << log_;
  EXPECT_EQ(status(), "Verified") << log_;
  wanted.records = anchor_records({"ca.pem", ca_.certificate_pem()}).value();
  ASSERT_TRUE(connect(wanted)) << log_;
  EXPECT_FALSE(info_.peer.matched);
}

// Covers: smtp_tls_cert_file, smtp_tls_key_file, smtp_tls_dcert_file, smtp_tls_dkey_file
TEST_F(ClientTest, ShowsItsCertificateToThoseWhoAsk) {
  set_up_server("smtpd_tls_ask_ccert = yes\n");
  ASSERT_TRUE(connect(demands(Level::may))) << log_;
  EXPECT_FALSE(server_info_.peer.present);
  for (const char* how : {"smtp_tls_chain_files", "smtp_tls_cert_file", "smtp_tls_eccert_file"}) {
    set_up_client(std::string(how) + " = " + directory_ + "/client.pem\n");
    ASSERT_TRUE(client_) << log_;
    ASSERT_TRUE(connect(demands(Level::may))) << log_;
    EXPECT_EQ(server_info_.peer.common_name, "client.test") << how;
  }
  set_up_client("smtp_tls_cert_file = " + directory_ + "/missing.pem\n");
  EXPECT_FALSE(client_);
  EXPECT_TRUE(logged("missing.pem: No such file or directory"));
}

TEST_F(ClientTest, AsksForANameButNotForAnAddress) {
  set_up_server("tls_server_sni_maps = static:x\n");
  Demands wanted = demands(Level::may);
  wanted.server_name = "name.test";
  ASSERT_TRUE(connect(wanted)) << log_;
  EXPECT_EQ(server_support_.asked_for, "name.test");
  server_support_.asked_for.clear();
  wanted.server_name = "192.0.2.25";
  ASSERT_TRUE(connect(wanted)) << log_;
  EXPECT_EQ(server_support_.asked_for, "");
}

TEST_F(ClientTest, ProtocolsAndCiphers) {
  Demands wanted = demands(Level::encrypt);
  wanted.protocols = "TLSv1.2";
  wanted.cipher_exclusions = "CHACHA20:AES256:CAMELLIA:ARIA:aNULL:AESCCM:AESCCM8";
  ASSERT_TRUE(connect(wanted)) << log_;
  EXPECT_EQ(info_.handshake.protocol, "TLSv1.2");
  EXPECT_EQ(info_.handshake.cipher, "ECDHE-ECDSA-AES128-GCM-SHA256");
  wanted.protocols = "TLSv9";
  EXPECT_FALSE(connect(wanted));
  EXPECT_TRUE(logged(kServer + ": Invalid TLS protocol list \"TLSv9\": aborting TLS session"));
  wanted.protocols = "";
  wanted.cipher_grade = "best";
  EXPECT_FALSE(connect(wanted));
  EXPECT_TRUE(logged(kServer + ": invalid cipher grade: \"best\""));
  set_up_server("smtpd_tls_protocols = >=TLSv1.3\n");
  wanted.cipher_grade = "medium";
  wanted.protocols = "<=TLSv1.2";
  EXPECT_FALSE(connect(wanted));
  EXPECT_TRUE(logged("SSL_connect error to " + kServer + ": -1")) << log_;
}

// Covers: smtp_tls_session_cache_database, smtp_tls_session_cache_timeout
TEST_F(ClientTest, SessionsAreResumedUnderTheSameDemandsAlone) {
  set_up_client("smtp_tls_session_cache_database = btree:/x\n");
  for (const char* protocols : {"TLSv1.3", "TLSv1.2"}) {
    Demands wanted = named({"mx.test"});
    wanted.protocols = protocols;
    ASSERT_TRUE(connect(wanted)) << log_;
    EXPECT_FALSE(info_.resumed);
    ASSERT_TRUE(connect(wanted)) << log_;
    EXPECT_TRUE(info_.resumed);
    EXPECT_EQ(status(), "Verified");
    wanted.names = {"other.test"};
    ASSERT_TRUE(connect(wanted)) << log_;
    EXPECT_FALSE(info_.resumed);
    EXPECT_FALSE(info_.peer.matched);
    // What did not match is not kept.
    ASSERT_TRUE(connect(wanted)) << log_;
    EXPECT_FALSE(info_.resumed);
  }
  set_up_client("smtp_tls_session_cache_database = btree:/x\nsmtp_tls_session_cache_timeout = 0\n");
  ASSERT_TRUE(connect(named({"mx.test"}))) << log_;
  EXPECT_FALSE(info_.resumed);
}

TEST_F(ClientTest, AResumedSessionIsTrustedNoMoreThanBefore) {
  set_up_client("smtp_tls_session_cache_database = btree:/x\n");
  write("server.pem", other_.pem());
  set_up_server("");
  ASSERT_TRUE(connect(demands(Level::encrypt))) << log_;
  ASSERT_TRUE(connect(demands(Level::encrypt))) << log_;
  EXPECT_TRUE(info_.resumed);
  EXPECT_EQ(status(), "Untrusted");
}

/// A saved session that makes no sense is as good as none.
TEST_F(ClientTest, BrokenSavedSessionsAreForgotten) {
  set_up_client("smtp_tls_session_cache_database = btree:/x\n");
  ASSERT_TRUE(connect(demands(Level::may))) << log_;
  ASSERT_EQ(support_.sessions.size(), 1U);
  std::string good = support_.sessions.begin()->second;
  support_.sessions.begin()->second = "garbage";
  ASSERT_TRUE(connect(demands(Level::may))) << log_;
  EXPECT_FALSE(info_.resumed);
  EXPECT_NE(support_.sessions.begin()->second, "garbage");
}

TEST_F(ClientTest, AnotherMessageOverTheSameSession) {
  io::run_with_loop([&] {
    auto pair = sys::make_socket_pair(SOCK_STREAM).value();
    io::TaskGroup group;
    group.spawn([&, fd = std::move(pair.second)]() mutable { serve(std::move(fd)); });
    io::Stream stream(std::move(pair.first));
    auto session = client_->connect(stream, kServer, demands(Level::may), support_, soon());
    ASSERT_TRUE(session);
    client_->log_reuse(*session);
    stream.set_transport(std::move(session));
    stream.end_transport(soon(), false);
    EXPECT_TRUE(group.wait(soon()));
  });
  EXPECT_TRUE(logged("Trusted TLS connection reused to " + kServer + ": TLSv1.3 with cipher "));
}

TEST_F(ClientTest, ServersThatDoNotSpeakTls) {
  auto meet = [&](const std::string& text) {
    log_.clear();
    io::run_with_loop([&] {
      auto pair = sys::make_socket_pair(SOCK_STREAM).value();
      {
        io::Stream server(std::move(pair.second));
        server.write(text);
        (void)server.flush(soon());
        if (text.empty()) server.shutdown_write();
        io::Stream stream(std::move(pair.first));
        EXPECT_FALSE(client_->connect(stream, kServer, demands(Level::may), support_,
                                      Deadline::after(milliseconds(200))));
      }
    });
  };
  meet("500 what?\r\n");
  EXPECT_TRUE(logged("SSL_connect error to " + kServer + ": -1"));
  EXPECT_TRUE(logged("TLS library problem: ")) << log_;
  meet("");
  EXPECT_TRUE(logged("SSL_connect error to " + kServer + ": lost connection")) << log_;
  meet("\x16\x03");
  EXPECT_TRUE(logged("SSL_connect error to " + kServer + ": Connection timed out")) << log_;
}

TEST(Levels, Names) {
  for (const char* name : {"none", "may", "encrypt", "fingerprint", "dane", "dane-only", "verify", "secure"})
    EXPECT_EQ(level_name(parse_level(name).value()), name);
  EXPECT_EQ(parse_level("SECURE"), Level::secure);
  for (const char* name : {"halfdane", "half-dane", "", "high"})
    EXPECT_FALSE(parse_level(name)) << name;
}

// Covers: tls_dane_digests
TEST(Dane, Digests) {
  std::string log;
  log::set_test_sink([&](log::Severity, std::string_view text) { log += std::string(text) + "\n"; });
  DaneDigests usual("sha512 sha256");
  EXPECT_EQ(usual.find(1), EVP_get_digestbyname("sha256"));
  EXPECT_EQ(usual.find(2), EVP_get_digestbyname("sha512"));
  EXPECT_EQ(usual.find(0), nullptr);
  EXPECT_EQ(log, "");
  DaneDigests odd("sha384=3, sha256=2 md5 bogus=9 sha1=0 sha1=255 sha1=x sha512");
  EXPECT_EQ(odd.find(3), EVP_get_digestbyname("sha384"));
  EXPECT_EQ(odd.find(1), nullptr);
  EXPECT_EQ(odd.find(2), EVP_get_digestbyname("sha512"));
  for (const char* text :
       {"matching type 2 can only be sha512", "digest algorithm md5 needs an explicit number",
        "digest algorithm \"bogus\"(9) unknown", "Reserved matching type number in tls_dane_digests: sha1=0",
        "Reserved matching type number in tls_dane_digests: sha1=255",
        "Invalid matching type number in tls_dane_digests: sha1=x"}) {
    EXPECT_NE(log.find(text), log.npos) << text << "\n" << log;
  }
  log::set_test_sink(nullptr);
}

TEST(Dane, RecordsThatCanBeCompared) {
  DaneDigests digests("sha512 sha256");
  TestIdentity identity = make_identity("mx.test");
  Tlsa good = record_for(identity, 3);
  EXPECT_TRUE(is_usable(good, digests));
  EXPECT_TRUE(is_usable(record_for(identity, 2), digests));
  for (uint8_t usage : {0, 1, 4, 255})
    EXPECT_FALSE(is_usable(record_for(identity, usage), digests));
  Tlsa bad = good;
  bad.selector = 2;
  EXPECT_FALSE(is_usable(bad, digests));
  bad = good;
  bad.data.pop_back();
  EXPECT_FALSE(is_usable(bad, digests));
  bad = good;
  bad.matching = 2;
  EXPECT_FALSE(is_usable(bad, digests));
  EXPECT_FALSE(is_usable(good, DaneDigests("sha512")));
  Tlsa full = anchor_records({"x", identity.certificate_pem()}).value().front();
  full.usage = 3;
  EXPECT_TRUE(is_usable(full, digests));
  full.data += "x";
  EXPECT_FALSE(is_usable(full, digests));
  full.data = "nonsense";
  EXPECT_FALSE(is_usable(full, digests));
}

TEST(Dane, RecordsAsTheyCome) {
  EXPECT_FALSE(parse_tlsa(""));
  EXPECT_FALSE(parse_tlsa(std::string_view("\3\1\1", 3)));
  EXPECT_EQ(parse_tlsa(std::string_view("\3\0\1\xab", 4)), (Tlsa{3, 0, 1, "\xab"}));
  EXPECT_EQ(tlsa_text({3, 1, 1, "\x0a\xff"}), "3 1 1 0AFF");
  // What differs in the middle alone looks the same, and is not.
  Tlsa one{2, 0, 0, std::string(100, 'a')}, other = one;
  other.data[50] = 'b';
  EXPECT_EQ(tlsa_text(one).size(), sizeof "2 0 0 " - 1 + 64 + sizeof "..." - 1 + 64);
  EXPECT_EQ(tlsa_text(one), tlsa_text(other));
  EXPECT_NE(tlsa_key(one), tlsa_key(other));
  EXPECT_EQ(whole_tlsa_text(one).size(), sizeof "2 0 0 " - 1 + 200);
  EXPECT_NE(whole_tlsa_text(one), whole_tlsa_text(other));
  EXPECT_NE(tlsa_key(one), tlsa_key({3, 0, 0, one.data}));
}

TEST(Dane, Fingerprints) {
  EXPECT_EQ(fingerprint_records("0a:FF", "|"),
            (std::vector<Tlsa>{{3, 1, 255, "\x0a\xff"}, {3, 0, 255, "\x0a\xff"}}));
  EXPECT_EQ(fingerprint_records("0aff", "|").size(), 2U);
  for (const char* bad : {"", "a", "0a:", "0a:f", "zz", ":0a", "0a::ff"})
    EXPECT_TRUE(fingerprint_records(bad, "|").empty()) << bad;
}

TEST(Dane, AnchorFiles) {
  TestIdentity identity = make_identity("Anchor");
  Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(bio.get(), identity.key.get());
  char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  std::string key(data, static_cast<size_t>(size));
  auto records = anchor_records({"x", key + identity.pem()});
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 2U);  // The private key is passed over.
  EXPECT_EQ(records->at(0).selector, 1);
  EXPECT_EQ(records->at(1).selector, 0);
  EXPECT_EQ(records->at(1).usage, 2);
  EXPECT_FALSE(anchor_records({"x", ""}));
  EXPECT_FALSE(anchor_records({"x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}));
  EXPECT_FALSE(read_anchors("/nonexistent/file"));
}

}  // namespace
}  // namespace postrider::tls
