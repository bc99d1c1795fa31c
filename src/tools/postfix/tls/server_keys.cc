#include "tools/postfix/tls/server_keys.h"

#include <fcntl.h>

#include <algorithm>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/text.h"
#include "config/edit.h"
#include "config/params/instance.h"
#include "config/params/smtpd_tls.h"
#include "config/params/system.h"
#include "log/log.h"
#include "sys/fd.h"
#include "sys/file.h"

namespace postrider::postfix {

namespace params = config::params;

namespace {

constexpr KeyAlgorithm kAlgorithms[] = {KeyAlgorithm::rsa, KeyAlgorithm::ecdsa};

std::unexpected<Error> refuse(std::string text) {
  return fail(ErrorKind::invalid, std::move(text));
}

/// What openssl complained about, a line each.
void warn(std::string_view complaints) {
  for (std::string_view line : split_any(complaints, "\r\n"))
    log::warning("{}", printable_ascii(line));
}

/// A name goes into certificates, and into DNS.
Result<void> check_name(std::string_view name) {
  bool good = !name.empty() && std::ranges::all_of(name, [](char c) {
    return is_alnum(c) || c == '.' || c == '-' || c == '_' || c == '*';
  });
  if (good) return {};
  return fail(ErrorKind::invalid, fmt::format("not a host name: '{}'", printable_ascii(name)));
}

/// Never over a file that is there.
Result<void> write_new_file(const std::string& path, std::string_view text, mode_t mode) {
  sys::Fd file = TRY(sys::open_file(path, O_WRONLY | O_CREAT | O_EXCL, mode));
  TRY(sys::write_all(file.get(), text));
  TRY(sys::sync_fd(file.get()));
  return sys::sync_directory(sys::directory_of(path));
}

}  // namespace

Result<void> set_parameters(const config::Config& config,
                            const std::vector<std::pair<std::string, std::string>>& settings) {
  std::vector<config::MainCfChange> changes;
  for (const auto& [name, value] : settings)
    changes.push_back({name, value});
  std::string path = config.main_cf_path();
  return config::edit_file(path, [&](std::string_view content) {
    std::vector<std::string> warnings;
    return config::edit_main_cf(content, path, config::MainCfAction::set, changes, warnings);
  });
}

ServerKeys::ServerKeys(const config::Config& config, Openssl openssl)
    : config_(config), openssl_(std::move(openssl)) {}

std::string ServerKeys::in_config_directory(std::string_view file) const {
  if (file.starts_with('/')) return std::string(file);
  return fmt::format("{}/{}", config_.directory(), file);
}

std::string ServerKeys::configured(KeyAlgorithm algorithm) const {
  std::string file =
      config_.get(algorithm == KeyAlgorithm::rsa ? params::smtpd_tls_key_file : params::smtpd_tls_eckey_file);
  return file.empty() || file == "none" ? "" : in_config_directory(file);
}

std::string ServerKeys::key_file(std::string_view key) const {
  for (KeyAlgorithm algorithm : kAlgorithms)
    if (key == name_of(algorithm)) return configured(algorithm);
  return in_config_directory(key);
}

Result<std::vector<std::string>> ServerKeys::complete(std::vector<std::string> names) const {
  if (names.empty()) names.push_back(config_.get(params::myhostname));
  for (const std::string& name : names)
    TRY(check_name(name));
  return names;
}

/// The deployed key, where it is to be kept, else a new one.
Result<std::string> ServerKeys::key_text(const KeyRequest& request, KeyFiles& files) const {
  std::string deployed = request.keep_key ? configured(request.algorithm) : "";
  if (!deployed.empty() && sys::exists(deployed)) {
    files.new_key = false;
    auto key = openssl_.private_key(deployed);
    if (!key) return refuse(fmt::format("no private key found in file: {}", deployed));
    return *key;
  }
  if (!deployed.empty()) log::warning("Key file: {} not found, creating new keys", deployed);
  std::string bits = request.bits;
  if (bits.empty()) bits = request.algorithm == KeyAlgorithm::rsa ? "2048" : "secp256r1";
  auto key = openssl_.make_key(request.algorithm, bits);
  if (key) return *key;
  warn(key.error().text);
  return refuse(fmt::format("error generating new {} {} private key", name_of(request.algorithm),
                            printable_ascii(bits)));
}

Result<KeyFiles> ServerKeys::create(const KeyRequest& request) const {
  std::string_view prefix = request.algorithm == KeyAlgorithm::rsa ? "" : "ec";
  std::string stamp = fmt::format("{:%Y%m%d-%H%M%S}.pem", fmt::gmtime(std::time(nullptr)));
  KeyFiles files{.certificate = fmt::format("{}/{}cert-{}", config_.directory(), prefix, stamp),
                 .key = fmt::format("{}/{}key-{}", config_.directory(), prefix, stamp)};
  if (sys::exists(files.key)) return refuse("New private key file already exists: " + files.key);
  if (sys::exists(files.certificate))
    return refuse("New certificate file already exists: " + files.certificate);
  std::vector<std::string> names = TRY(complete(request.names));
  std::string key = TRY(key_text(request, files));
  TRY(write_new_file(files.key, key, 0600));
  auto certificate = openssl_.self_signed(files.key, names);
  if (!certificate) {
    (void)sys::unlink_file(files.key);
    warn(certificate.error().text);
    return refuse(fmt::format("error generating self-signed {} certificate", name_of(request.algorithm)));
  }
  TRY(write_new_file(files.certificate, *certificate, 0644));
  return files;
}

Result<void> ServerKeys::deploy(std::string_view certificate_file, std::string_view key_file) const {
  std::string certificate = in_config_directory(certificate_file), key = in_config_directory(key_file);
  auto certified = openssl_.certified_key(certificate);
  if (!certified) return refuse("error computing certificate public key digest");
  auto own = openssl_.public_key(key);
  if (!own) return refuse(fmt::format("no private key found in file: {}", key));
  if (*certified != *own)
    return refuse(fmt::format("Certificate in {} does not match key in {}", certificate, key));
  std::string der = TRY(public_key_der(*own));
  KeyAlgorithm algorithm = TRY(algorithm_of(der));
  std::string_view prefix = algorithm == KeyAlgorithm::rsa ? "" : "ec";
  TRY(set_parameters(config_, {{fmt::format("smtpd_tls_{}cert_file", prefix), certificate},
                               {fmt::format("smtpd_tls_{}key_file", prefix), key}}));
  if (config_.is_set("smtpd_tls_chain_files") && !config_.get(params::smtpd_tls_chain_files).empty())
    log::warning("smtpd_tls_chain_files is set: the server uses its keys, and not {}", key);
  return {};
}

Result<void> ServerKeys::print_request(std::string_view key, std::vector<std::string> names) const {
  std::vector<std::string> candidates;
  if (!key.empty()) {
    candidates.push_back(key_file(key));
  } else {
    for (KeyAlgorithm algorithm : kAlgorithms)
      candidates.push_back(configured(algorithm));
  }
  names = TRY(complete(std::move(names)));
  for (const std::string& file : candidates) {
    if (file.empty() || !openssl_.public_key(file)) continue;
    auto request = openssl_.signing_request(file, names);
    if (!request) {
      warn(request.error().text);
      return refuse(fmt::format("error generating a certificate signing request for {}", file));
    }
    fmt::print("{}", *request);
    return {};
  }
  return refuse("No usable keyfile specified or configured");
}

Result<void> ServerKeys::print_tlsa(std::string host, const std::vector<std::string>& keys) const {
  if (host.empty()) host = config_.get(params::myhostname);
  TRY(check_name(host));
  std::vector<std::string> wanted = keys;
  if (wanted.empty())
    for (KeyAlgorithm algorithm : kAlgorithms)
      wanted.emplace_back(name_of(algorithm));
  bool any = false;
  for (const std::string& key : wanted) {
    std::string file = key_file(key);
    if (file.empty()) continue;
    any = true;
    fmt::print("; {}\n", file);
    auto pem = openssl_.public_key(file);
    if (!pem) return refuse(fmt::format("no private key found in file: {}", file));
    // Usage DANE-EE, the public key, its SHA-256 digest: RFC 7672 section 3.1.1.
    std::string der = TRY(public_key_der(*pem));
    fmt::print("_25._tcp.{}. IN TLSA 3 1 1 {}\n", host, TRY(openssl_.sha256(der)));
  }
  if (any) return {};
  return refuse("No usable keyfiles specified or configured");
}

}  // namespace postrider::postfix
