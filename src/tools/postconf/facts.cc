#include "tools/postconf/facts.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>

#include "clients/tables.h"
#include "sasl/types.h"
#include "table/open.h"
#include "table/plugins.h"
#include "tools/postconf/options.h"
#include "tools/postconf/print.h"

namespace postrider::postconf {
namespace {

constexpr std::string_view kLocks[] = {"flock", "fcntl", "dotlock"};
constexpr std::string_view kTypesWithPlugin[] = {"ldap", "mysql", "pgsql", "redis", "sqlite"};

/// A function of the TLS library, which is loaded only when it is asked about: that takes longer than the
/// rest of the start. Null when there is none.
template <typename Function>
Function* find_in_crypto(const char* name) {
  static void* library = [] {
    void* found =
        dlopen(fmt::format("libcrypto.so.{}", OPENSSL_SHLIB_VERSION).c_str(), RTLD_NOW | RTLD_LOCAL);
    return found ? found : dlopen("libcrypto.so", RTLD_NOW | RTLD_LOCAL);
  }();
  return library == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(library, name));
}

bool has_keys(const char* type) {
  auto* fetch = find_in_crypto<decltype(EVP_KEYMGMT_fetch)>("EVP_KEYMGMT_fetch");
  auto* free_key = find_in_crypto<decltype(EVP_KEYMGMT_free)>("EVP_KEYMGMT_free");
  if (!fetch || !free_key) return false;
  EVP_KEYMGMT* found = fetch(nullptr, type, nullptr);
  free_key(found);
  return found != nullptr;
}

}  // namespace

std::span<const std::string_view> server_sasl_types() {
  return sasl::kServerTypes;
}
std::span<const std::string_view> client_sasl_types() {
  return sasl::kClientTypes;
}
std::span<const std::string_view> lock_types() {
  return kLocks;
}
std::vector<std::string> table_types(const config::Config& config) {
  // Tells where plug-ins are.
  (void)clients::table_options(config);
  std::vector<std::string> types = table::type_names();
  std::erase_if(types, [](std::string_view type) {
    return std::ranges::find(kTypesWithPlugin, type) != std::end(kTypesWithPlugin) &&
           !table::has_driver(type);
  });
  return types;
}

void show_tls(std::string_view topic) {
  if (topic == "compile-version") {
    print(OPENSSL_VERSION_TEXT "\n");
  } else if (topic == "run-version") {
    auto* version = find_in_crypto<decltype(OpenSSL_version)>("OpenSSL_version");
    if (version) print(fmt::format("{}\n", version(OPENSSL_VERSION)));
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
