#include "tls/library.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <openssl/conf.h>
#include <openssl/err.h>

#include "base/text.h"
#include "config/params/tls.h"
#include "log/log.h"
#include "tls/protocols.h"
#include "tls/words.h"

namespace postrider::tls {

namespace params = config::params;

namespace {

struct NamedOption {
  std::string_view name;
  uint64_t bits;
};

/// Those of old releases that have no meaning any more are known, and do nothing.
constexpr NamedOption kWorkarounds[] = {
    {"CRYPTOPRO_TLSEXT_BUG", SSL_OP_CRYPTOPRO_TLSEXT_BUG},
    {"DONT_INSERT_EMPTY_FRAGMENTS", SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS},
    {"LEGACY_SERVER_CONNECT", SSL_OP_LEGACY_SERVER_CONNECT},
    {"TLSEXT_PADDING", SSL_OP_TLSEXT_PADDING},
    {"SAFARI_ECDHE_ECDSA_BUG", SSL_OP_SAFARI_ECDHE_ECDSA_BUG},
    {"MICROSOFT_BIG_SSLV3_BUFFER", 0},
    {"MICROSOFT_SESS_ID_BUG", 0},
    {"MSIE_SSLV2_RSA_PADDING", 0},
    {"CVE-2005-2969", 0},
    {"NETSCAPE_CHALLENGE_BUG", 0},
    {"NETSCAPE_REUSE_CIPHER_CHANGE_BUG", 0},
    {"CVE-2010-4180", 0},
    {"SSLEAY_080_CLIENT_DH_BUG", 0},
    {"SSLREF2_REUSE_CERT_TYPE_BUG", 0},
    {"TLS_BLOCK_PADDING_BUG", 0},
    {"TLS_D5_BUG", 0},
    {"TLS_ROLLBACK_BUG", SSL_OP_TLS_ROLLBACK_BUG},
};

constexpr NamedOption kOptions[] = {
    {"ENABLE_MIDDLEBOX_COMPAT", SSL_OP_ENABLE_MIDDLEBOX_COMPAT},
    {"LEGACY_SERVER_CONNECT", SSL_OP_LEGACY_SERVER_CONNECT},
    {"NO_TICKET", SSL_OP_NO_TICKET},
    {"NO_COMPRESSION", SSL_OP_NO_COMPRESSION},
    {"NO_RENEGOTIATION", SSL_OP_NO_RENEGOTIATION},
    {"NO_SESSION_RESUMPTION_ON_RENEGOTIATION", SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION},
    {"PRIORITIZE_CHACHA", SSL_OP_PRIORITIZE_CHACHA},
};

bool is_mask(std::string_view text) {
  return text.starts_with("0x") || text.starts_with("0X");
}

/// "0x1F"; nothing where that is no number of 64 bits.
std::optional<uint64_t> parse_mask(std::string_view text) {
  if (text.size() > 18) return std::nullopt;
  return parse_unsigned(text.substr(2), 16);
}

template <size_t Count>
const NamedOption* find_option(std::string_view word, const NamedOption (&known)[Count]) {
  const auto* found = std::find_if(std::begin(known), std::end(known), [&](const NamedOption& option) {
    return equals_ignore_case(option.name, word);
  });
  return found == std::end(known) ? nullptr : found;
}

/// A mask ("0x...") or a list of names.
template <size_t Count>
uint64_t parse_options(std::string_view parameter, std::string_view text, const NamedOption (&known)[Count]) {
  auto unknown = [&](std::string_view word) {
    log::warning("unknown {} value \"{}\" in \"{}\"", parameter, word, text);
  };
  if (is_mask(text)) {
    auto mask = parse_mask(text);
    if (!mask) unknown(text);
    return mask.value_or(0);
  }
  uint64_t out = 0;
  for (std::string_view word : split_any(text, kListSeparators)) {
    if (const NamedOption* found = find_option(word, known)) {
      out |= found->bits;
    } else {
      unknown(word);
    }
  }
  return out;
}

/// Options that other settings decide on, or that nobody may take back.
constexpr uint64_t kNotForSettings = SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 |
                                     SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3 | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION;

/// Whether a context takes such a group.
bool is_known_group(std::string name) {
  static const Context context(SSL_CTX_new(TLS_method()));
  bool known = SSL_CTX_set1_groups_list(context.get(), name.data()) == 1;
  ERR_clear_error();
  return known;
}

Result<void> load_file(const LibrarySettings& settings) {
  const std::string& file = settings.config_file;
  if (!file.starts_with('/')) {
    return fail(ErrorKind::invalid,
                fmt::format("non-default tls_config_file = {} is not an absolute pathname, "
                            "disabling TLS support",
                            file));
  }
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  const char* name = settings.config_name.empty() ? nullptr : settings.config_name.c_str();
  if (CONF_modules_load_file(file.c_str(), name, 0) == 1) return {};
  return fail(ErrorKind::invalid,
              fmt::format("error loading the '{}' settings from the {} OpenSSL configuration "
                          "file, disabling TLS support",
                          name ? settings.config_name : "global", file));
}

Result<void> initialise(const LibrarySettings& settings) {
  if (settings.config_file == "none") {
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
    return {};
  }
  if (!settings.config_file.empty() && settings.config_file != "default") return load_file(settings);
  OPENSSL_INIT_SETTINGS* how = OPENSSL_INIT_new();
  if (!settings.config_name.empty()) OPENSSL_INIT_set_config_appname(how, settings.config_name.c_str());
  OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, how);
  OPENSSL_INIT_free(how);
  // A broken file of the system is not our business; the library goes on with its defaults.
  ERR_clear_error();
  return {};
}

}  // namespace

LibrarySettings::LibrarySettings(const config::Config& c)
    : config_file(c.get(params::tls_config_file)),
      config_name(c.get(params::tls_config_name)),
      ciphers{.high = c.get(params::tls_high_cipherlist),
              .medium = c.get(params::tls_medium_cipherlist),
              .null = c.get(params::tls_null_cipherlist)},
      curves(c.get(params::tls_eecdh_auto_curves)),
      groups(c.get(params::tls_ffdhe_auto_groups)),
      disabled_workarounds(c.get(params::tls_disable_workarounds)),
      options(c.get(params::tls_ssl_options)),
      preempt_cipherlist(c.get(params::tls_preempt_cipherlist)),
      fast_shutdown(c.get(params::tls_fast_shutdown_enable)) {}

Result<void> prepare_library(const LibrarySettings& settings) {
  static const Result<void> done = initialise(settings);
  return done;
}

bool is_ssl_option(std::string_view word) {
  return is_mask(word) ? parse_mask(word).has_value() : find_option(word, kOptions) != nullptr;
}

bool is_workaround(std::string_view word) {
  return is_mask(word) ? parse_mask(word).has_value() : find_option(word, kWorkarounds) != nullptr;
}

bool is_group(std::string_view word) {
  return is_known_group(std::string(word));
}

uint64_t option_bits(const LibrarySettings& settings) {
  uint64_t out =
      SSL_OP_ALL & ~parse_options("tls_disable_workarounds", settings.disabled_workarounds, kWorkarounds);
  out |= parse_options("tls_ssl_options", settings.options, kOptions) & ~kNotForSettings;
  if (settings.preempt_cipherlist) out |= SSL_OP_CIPHER_SERVER_PREFERENCE;
  // Renegotiation serves nobody here but who wants to keep the processor busy. A peer that closes without
  // saying so is no news: SMTP has its own ends.
  return out | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF;
}

std::string usable_groups(const LibrarySettings& settings) {
  std::string out;
  auto add = [&](std::string_view list, bool warn) {
    for (std::string_view word : split_any(list, " \t\r\n,:")) {
      if (!is_known_group(std::string(word))) {
        if (warn) log::warning("ignoring unknown ECDHE curve \"{}\"", word);
        continue;
      }
      if (!out.empty()) out += ':';
      out += word;
    }
  };
  add(settings.curves, true);
  if (out.empty() && !settings.curves.empty()) {
    log::warning("no usable names in tls_eecdh_auto_curves; the choice is left to OpenSSL");
    return {};
  }
  add(settings.groups, false);
  return out;
}

Result<void> configure(SSL_CTX* context, const LibrarySettings& settings, std::string_view protocols) {
  auto versions = parse_protocols(protocols);
  if (!versions) {
    return fail(ErrorKind::invalid,
                fmt::format("Invalid TLS protocol list \"{}\": disabling TLS support", protocols));
  }
  SSL_CTX_set_options(context, option_bits(settings) | versions->excluded);
  // Encryption that is not the best is better than none; what is not good enough is up to the protocol and
  // cipher parameters.
  SSL_CTX_set_security_level(context, 0);
  if (SSL_CTX_set_min_proto_version(context, versions->min) != 1 ||
      SSL_CTX_set_max_proto_version(context, versions->max) != 1) {
    ERR_clear_error();
    return fail(ErrorKind::invalid,
                fmt::format("Invalid TLS protocol list \"{}\": disabling TLS support", protocols));
  }
  // Sessions that wait hold no buffers.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  std::string groups = usable_groups(settings);
  if (!groups.empty() && SSL_CTX_set1_groups_list(context, groups.data()) != 1) {
    return fail(ErrorKind::invalid,
                fmt::format("cannot use the groups \"{}\": disabling TLS support", groups));
  }
  return {};
}

}  // namespace postrider::tls
