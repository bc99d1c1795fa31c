#include "tools/postconf/facts.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>

#include "tools/postconf/options.h"
#include "tools/postconf/print.h"

namespace postrider::postconf {
namespace {

constexpr std::string_view kServerSasl[] = {"cyrus", "dovecot"};
constexpr std::string_view kClientSasl[] = {"cyrus"};
constexpr std::string_view kLocks[] = {"flock", "fcntl", "dotlock"};
constexpr std::string_view kTables[] = {"btree", "cidr",  "fail",   "hash",   "inline",   "lmdb",
                                        "pcre",  "proxy", "regexp", "static", "texthash", "unix"};

bool has_keys(const char* type) {
  EVP_KEYMGMT* found = EVP_KEYMGMT_fetch(nullptr, type, nullptr);
  EVP_KEYMGMT_free(found);
  return found != nullptr;
}

}  // namespace

std::span<const std::string_view> server_sasl_types() {
  return kServerSasl;
}
std::span<const std::string_view> client_sasl_types() {
  return kClientSasl;
}
std::span<const std::string_view> lock_types() {
  return kLocks;
}
std::span<const std::string_view> table_types() {
  return kTables;
}

void show_tls(std::string_view topic) {
  if (topic == "compile-version") {
    print(OPENSSL_VERSION_TEXT "\n");
  } else if (topic == "run-version") {
    print(fmt::format("{}\n", OpenSSL_version(OPENSSL_VERSION)));
  } else if (topic == "public-key-algorithms") {
    constexpr struct {
      const char* openssl;
      std::string_view shown;
    } kAlgorithms[] = {{"DSA", "dsa\n"}, {"EC", "ecdsa\n"}, {"RSA", "rsa\n"}};
    for (const auto& [openssl, shown] : kAlgorithms)
      if (has_keys(openssl)) print(shown);
  } else {
    warn(fmt::format("unknown 'postconf -T' mode: {}", topic));
    std::exit(1);
  }
}

}  // namespace postrider::postconf
