// Words in the settings of TLS and SASL that OpenSSL or SASL would have to know.
#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/text.h"
#include "tls/ciphers.h"
#include "tls/protocols.h"
#include "tls/words.h"
#include "tools/lint/checks.h"

namespace postrider::lint {

namespace {

constexpr std::array<std::string_view, 6> kSecurityOptions{"noplaintext", "noactive",        "nodictionary",
                                                           "noanonymous", "forward_secrecy", "mutual_auth"};

bool is_digest(const std::string& name) {
  std::unique_ptr<EVP_MD, void (*)(EVP_MD*)> digest(EVP_MD_fetch(nullptr, name.c_str(), nullptr),
                                                    EVP_MD_free);
  return digest != nullptr;
}

bool is_cipher(const std::string& name) {
  std::unique_ptr<EVP_CIPHER, void (*)(EVP_CIPHER*)> cipher(EVP_CIPHER_fetch(nullptr, name.c_str(), nullptr),
                                                            EVP_CIPHER_free);
  return cipher != nullptr;
}

class WordCheck {
 public:
  WordCheck(const Model& model, Report& report, std::string_view name, const Service* service)
      : model_(model), report_(report), name_(name), service_(service), value_(model.value(name, service)) {}

  void run() {
    if (value_.empty()) return;
    if (name_.ends_with("_sasl_security_options") || name_.ends_with("_sasl_tls_security_options") ||
        name_.ends_with("_sasl_tls_verified_security_options")) {
      security_options();
    } else if (name_.ends_with("_tls_protocols") || name_.ends_with("_tls_mandatory_protocols")) {
      if (auto parsed = tls::parse_protocols(value_); !parsed)
        bad(parsed.error().text, "no TLS is used", "write >=TLSv1.2");
    } else if (name_.ends_with("_tls_ciphers") || name_.ends_with("_tls_mandatory_ciphers")) {
      if (!tls::grade_list({}, value_))
        bad(fmt::format("there is no cipher grade {}", value_), "no TLS is used",
            "write high, medium or null");
    } else if (name_.ends_with("_tls_fingerprint_digest")) {
      if (!is_digest(value_))
        bad(fmt::format("there is no digest {}", value_), "no TLS is used", "write sha256");
    } else if (name_ == "tls_session_ticket_cipher") {
      if (!is_cipher(value_))
        bad(fmt::format("there is no cipher {}", value_), "no session tickets are given",
            "write aes-256-cbc");
    } else if (name_ == "tls_ssl_options") {
      each_word(tls::is_ssl_option, "option", "it is passed over", "take the word out");
    } else if (name_ == "tls_disable_workarounds") {
      each_word(tls::is_workaround, "workaround", "it is passed over", "take the word out");
    } else if (name_ == "tls_eecdh_auto_curves") {
      each_word(tls::is_group, "curve", "it is passed over", "write X25519, prime256v1 or secp384r1");
    }
  }

 private:
  void each_word(bool (*is_known)(std::string_view), std::string_view what, std::string_view effect,
                 std::string_view remedy) {
    for (std::string_view word : split_any(value_, " \t\r\n,:")) {
      if (!is_known(word)) bad(fmt::format("there is no {} {}", what, word), effect, remedy);
    }
  }

  void security_options() {
    for (std::string_view word : split_any(value_, kListSeparators)) {
      if (std::ranges::find(kSecurityOptions, lowercase(word)) != kSecurityOptions.end()) continue;
      bad(fmt::format("there is no security option {}", word), "nobody can log in",
          "write noplaintext, noactive, nodictionary, noanonymous, forward_secrecy or mutual_auth");
    }
  }

  void bad(std::string_view problem, std::string_view effect, std::string_view remedy) {
    report_.add(codes::bad_value, model_.place(name_, service_),
                fmt::format("{} = {}: {}; {}", name_, value_, problem, effect), std::string(remedy));
  }

  const Model& model_;
  Report& report_;
  std::string_view name_;
  const Service* service_;
  std::string value_;
};

}  // namespace

void check_words(const Model& model, Report& report) {
  model.each_setting([&](std::string_view name, const std::string&, const Service* service) {
    WordCheck(model, report, name, service).run();
  });
}

}  // namespace postrider::lint
