// The grammars of parameters, and keys in files.
#include <gtest/gtest.h>

#include "certificates.h"
#include "log/log.h"
#include "tls/chain.h"
#include "tls/ciphers.h"
#include "tls/library.h"
#include "tls/log_topics.h"
#include "tls/peer.h"
#include "tls/protocols.h"
#include "tls/server_name.h"
#include "tls/trace.h"

namespace postrider::tls {
namespace {

TEST(Protocols, Bounds) {
  EXPECT_EQ(parse_protocols(">=TLSv1.2").value(), (Protocols{.min = TLS1_2_VERSION}));
  EXPECT_EQ(parse_protocols(">=TLSv1, <=tlsv1.3").value(),
            (Protocols{.min = TLS1_VERSION, .max = TLS1_3_VERSION}));
  for (const char* same : {">=303", ">=0303", ">=0x303", ">=0X0303"})
    EXPECT_EQ(parse_protocols(same).value(), (Protocols{.min = TLS1_2_VERSION})) << same;
  EXPECT_EQ(parse_protocols("").value(), Protocols{});
}

TEST(Protocols, Exclusions) {
  EXPECT_EQ(parse_protocols("!SSLv2, !SSLv3:!TLSv1").value().excluded,
            uint64_t{SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1});
  EXPECT_EQ(parse_protocols("TLSv1.2 TLSv1.3").value().excluded,
            uint64_t{SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1});
}

TEST(Protocols, WhatIsNone) {
  for (const char* bad : {"TLSv1.9", ">=bogus", "<=0x", ">=12345", "! TLSv1", ">=0x0303x"})
    EXPECT_FALSE(parse_protocols(bad)) << bad;
}

// Covers: tls_null_cipherlist, tls_low_cipherlist, tls_export_cipherlist
TEST(Ciphers, Grades) {
  CipherLists lists{.high = "H", .medium = "M", .null = "N"};
  EXPECT_EQ(grade_list(lists, "high"), "H");
  EXPECT_EQ(grade_list(lists, "Medium"), "M");
  EXPECT_EQ(grade_list(lists, "export"), "M");
  EXPECT_EQ(grade_list(lists, "low"), "M");
  EXPECT_EQ(grade_list(lists, "null"), "N");
  EXPECT_FALSE(grade_list(lists, "bogus"));
}

TEST(Ciphers, ExclusionsAreNothingElse) {
  EXPECT_EQ(with_exclusions("HIGH", "aNULL, MD5+DES"), "HIGH:!aNULL:!MD5+DES");
  EXPECT_EQ(with_exclusions("HIGH", "@STRENGTH !RC4 -"), "HIGH:!STRENGTH:!RC4");
}

TEST(LogTopics, NumbersAndWords) {
  using T = LogTopics;
  EXPECT_EQ(parse_log_topics("p", "0"), LogTopics());
  EXPECT_EQ(parse_log_topics("p", ""), LogTopics());
  EXPECT_EQ(parse_log_topics("p", "none, routine"), LogTopics(T::summary));
  EXPECT_EQ(parse_log_topics("p", "Peercert cache"), LogTopics(T::certificate | T::cache));
  EXPECT_EQ(parse_log_topics("p", "debug"), parse_log_topics("p", "routine,ssl-debug,cache,verbose"));
  EXPECT_EQ(parse_log_topics("p", "9"), parse_log_topics("p", "ssl-developer"));
  EXPECT_FALSE(parse_log_topics("p", "3").has(T::session_dump));
  std::string warning;
  log::set_test_sink([&](log::Severity, std::string_view text) { warning = text; });
  EXPECT_EQ(parse_log_topics("p", "bogus,1"), LogTopics(T::summary));
  log::set_test_sink(nullptr);
  EXPECT_EQ(warning, "unknown p value \"bogus\" in \"bogus,1\"");
}

TEST(ServerName, OfTheExtension) {
  EXPECT_EQ(parse_server_name(std::string_view("\0\x07\0\0\x04mail", 9)), "mail");
  EXPECT_EQ(parse_server_name(std::string_view("\0\x08\0\0\x04mail", 9)), "");
  EXPECT_EQ(parse_server_name(std::string_view("\0\x07\0\0\x05mail", 9)), "");
  EXPECT_EQ(parse_server_name(std::string_view("\0\x07\1\0\x04mail", 9)), "");
  EXPECT_EQ(parse_server_name(std::string_view("\0\x02", 2)), "");
  EXPECT_EQ(parse_server_name(""), "");
}

class Chains : public testing::Test {
 protected:
  static std::string problem(const std::vector<PemFile>& files) {
    auto chains = read_chains(files);
    (void)take_errors();
    return chains ? "" : chains.error().text;
  }
  TestIdentity ca = make_identity("ca"), one = make_identity("one", &ca),
               two = make_identity("two", &ca, 100, "RSA");
};

TEST_F(Chains, KeysWithWhatFollowsThem) {
  auto chains =
      read_chains({{"f", one.pem() + ca.certificate_pem() + two.key_pem()}, {"g", two.certificate_pem()}});
  ASSERT_TRUE(chains) << chains.error().text;
  ASSERT_EQ(chains->size(), 2U);
  EXPECT_EQ(common_name((*chains)[0].certificate.get()), "one");
  EXPECT_EQ((*chains)[0].issuers.size(), 1U);
  EXPECT_EQ(common_name((*chains)[1].certificate.get()), "two");
}

TEST_F(Chains, WhatIsWrongIsTold) {
  EXPECT_EQ(problem({{"f", one.certificate_pem() + one.key_pem()}}),
            "error loading chain from f: key not first");
  EXPECT_EQ(problem({{"f", one.key_pem()}}), "No certs for key at index 1 in f");
  EXPECT_EQ(problem({{"f", one.key_pem() + two.pem()}}), "No certs for key at index 1 in f");
  EXPECT_EQ(problem({{"f", one.key_pem() + two.certificate_pem()}}),
            "key at index 1 in f does not match next certificate");
  EXPECT_EQ(problem({{"f", "no such thing\n"}}), "No PEM data in f");
  EXPECT_NE(problem({{"f", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}}), "");
}

TEST_F(Chains, OfTheOlderKindInAnyOrder) {
  EXPECT_TRUE(read_pair({"f", one.certificate_pem()}, {"g", one.key_pem()}));
  EXPECT_TRUE(
      read_pair({"f", one.certificate_pem() + one.key_pem()}, {"f", one.certificate_pem() + one.key_pem()}));
  auto none = read_pair({"f", one.certificate_pem()}, {"f", one.certificate_pem()});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().text, "No private key found in f");
  EXPECT_FALSE(read_pair({"f", one.certificate_pem()}, {"g", two.key_pem()}));
  (void)take_errors();
}

TEST_F(Chains, NamesAndFingerprints) {
  EXPECT_EQ(common_name(one.certificate.get()), "one");
  EXPECT_EQ(issuer_name(one.certificate.get()), "ca");
  EXPECT_EQ(one_line(X509_get_subject_name(one.certificate.get())), "/CN=one");
  EXPECT_EQ(fingerprint("abc", find_digest("md5")), "90:01:50:98:3C:D2:4F:B0:D6:96:3F:7D:28:E1:7F:72");
  EXPECT_EQ(certificate_fingerprint(one.certificate.get(), find_digest("sha256")).size(), 95U);
  EXPECT_NE(key_fingerprint(one.certificate.get(), find_digest("sha256")),
            certificate_fingerprint(one.certificate.get(), find_digest("sha256")));
  EXPECT_EQ(find_digest("foo"), nullptr);
}

TEST_F(Chains, ANameWithANullByteIsNone) {
  TestIdentity bad = make_identity("x");
  X509_NAME_add_entry_by_txt(X509_get_subject_name(bad.certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>("good\0evil"), 9, -1, 0);
  EXPECT_EQ(common_name(bad.certificate.get()), "");
}

TEST(Trace, DumpsInLines) {
  std::vector<std::string> lines;
  dump(std::string_view("\x16\x03\x01\x02\x00", 5), [&](const std::string& line) { lines.push_back(line); });
  dump("ABCDEFGHI", [&](const std::string& line) { lines.push_back(line); });
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "0000 16 03 01 02                                      ....",
                       "0004 - <SPACES/NULLS>",
                       "0000 41 42 43 44 45 46 47 48|49                       ABCDEFGH I",
                   }));
}

}  // namespace
}  // namespace postrider::tls
