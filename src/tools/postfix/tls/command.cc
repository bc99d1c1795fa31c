#include "tools/postfix/tls/command.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "config/params/tls.h"
#include "log/log.h"
#include "tools/postfix/tls/server_keys.h"

namespace postrider::postfix {

namespace params = config::params;

namespace {

/// What someone who has set up TLS has set. With any of them the rest of the configuration is not guessed at.
constexpr std::string_view kClientSettings[] = {
    "smtp_use_tls",       "smtp_enforce_tls",    "smtp_tls_enforce_peername", "smtp_tls_security_level",
    "smtp_tls_cert_file", "smtp_tls_dcert_file", "smtp_tls_eccert_file",      "smtp_tls_chain_files"};
constexpr std::string_view kServerSettings[] = {
    "smtpd_use_tls",        "smtpd_enforce_tls",     "smtpd_tls_security_level", "smtpd_tls_cert_file",
    "smtpd_tls_dcert_file", "smtpd_tls_eccert_file", "smtpd_tls_chain_files"};

std::unexpected<Error> refuse(std::string text) {
  return fail(ErrorKind::invalid, std::move(text));
}

std::unexpected<Error> usage(std::string_view form) {
  return refuse(fmt::format("usage: postfix tls {}", form));
}

bool all_default(const config::Config& config, std::span<const std::string_view> names) {
  return std::ranges::all_of(names, [&](std::string_view name) { return config.set_text(name).empty(); });
}

/// "-x value" pairs, and the words behind them.
struct Words {
  std::string random_source, algorithm, bits, key, host;
  std::vector<std::string> rest;
};

/// Nothing where the words do not fit `options`, of which each takes a value.
std::optional<Words> parse(const std::vector<std::string>& words, std::string_view options) {
  Words out;
  auto word = words.begin();
  for (; word != words.end() && word->size() > 1 && word->front() == '-'; ++word) {
    if (*word == "--") {
      ++word;
      break;
    }
    char letter = (*word)[1];
    if (options.find(letter) == options.npos) return std::nullopt;
    std::string value = word->substr(2);
    if (value.empty()) {
      if (++word == words.end()) return std::nullopt;
      value = *word;
    }
    std::string& target = letter == 'r'   ? out.random_source
                          : letter == 'a' ? out.algorithm
                          : letter == 'b' ? out.bits
                          : letter == 'k' ? out.key
                                          : out.host;
    target = std::move(value);
  }
  std::copy(word, words.end(), std::back_inserter(out.rest));
  return out;
}

void say_reload() {
  log::info("Run the command:");
  log::info("  # postfix reload");
  log::info("if you want the new settings to take effect immediately.");
}

class Command {
 public:
  explicit Command(const config::Config& config) : config_(config) {}
  Result<int> run(const std::string& name, const std::vector<std::string>& words);

 private:
  Result<int> all_default_client(const std::vector<std::string>& words);
  Result<int> all_default_server(const std::vector<std::string>& words);
  Result<int> enable_client(const std::vector<std::string>& words);
  Result<int> enable_server(const std::vector<std::string>& words);
  Result<int> new_server_key(const std::vector<std::string>& words, bool keep_key);
  Result<int> deploy(const std::vector<std::string>& words);
  Result<int> output_request(const std::vector<std::string>& words);
  Result<int> output_tlsa(const std::vector<std::string>& words);

  Result<ServerKeys> keys() const {
    return ServerKeys(config_, TRY(Openssl::find(config_.get(params::openssl_path))));
  }
  Result<KeyRequest> request(const Words& words) const;

  const config::Config& config_;
};

Result<int> Command::run(const std::string& name, const std::vector<std::string>& words) {
  if (name == "all-default-client") return all_default_client(words);
  if (name == "all-default-server") return all_default_server(words);
  if (name == "enable-client") return enable_client(words);
  if (name == "enable-server") return enable_server(words);
  if (name == "new-server-key") return new_server_key(words, false);
  if (name == "new-server-cert") return new_server_key(words, true);
  if (name == "deploy-server-cert") return deploy(words);
  if (name == "output-server-csr") return output_request(words);
  if (name == "output-server-tlsa") return output_tlsa(words);
  log::error("unknown tls command: '{}'", name);
  return usage(
      "enable-client (or enable-server, new-server-key, new-server-cert, deploy-server-cert, "
      "output-server-csr, output-server-tlsa, all-default-client, all-default-server)");
}

Result<int> Command::all_default_client(const std::vector<std::string>& words) {
  if (!words.empty()) return usage("all-default-client");
  return all_default(config_, kClientSettings) ? 0 : 1;
}

Result<int> Command::all_default_server(const std::vector<std::string>& words) {
  if (!words.empty()) return usage("all-default-server");
  return all_default(config_, kServerSettings) ? 0 : 1;
}

Result<int> Command::enable_client(const std::vector<std::string>& arguments) {
  auto words = parse(arguments, "r");
  if (!words || !words->rest.empty()) return usage("enable-client [-r devrandom]");
  std::vector<std::pair<std::string, std::string>> settings{
      {"smtp_tls_security_level", "may"},
      {"smtp_tls_loglevel", "1"},
      {"smtp_tls_session_cache_database", "lmdb:${data_directory}/smtp_scache"}};
  if (!words->random_source.empty()) settings.emplace_back("tls_random_source", words->random_source);
  if (!all_default(config_, kClientSettings)) {
    log::info("*** Non-default SMTP client TLS settings detected, no changes made.");
    log::info("For opportunistic TLS in the Postfix SMTP client, the below settings");
    log::info("are typical:");
    for (const auto& [name, value] : settings)
      log::info("  {} = {}", name, value);
    return 0;
  }
  TRY(set_parameters(config_, settings));
  log::info("Enabled opportunistic TLS in the Postfix SMTP client.");
  say_reload();
  return 0;
}

Result<KeyRequest> Command::request(const Words& words) const {
  KeyRequest out{.bits = words.bits, .names = words.rest};
  if (words.algorithm == name_of(KeyAlgorithm::ecdsa)) {
    out.algorithm = KeyAlgorithm::ecdsa;
  } else if (!words.algorithm.empty() && words.algorithm != name_of(KeyAlgorithm::rsa)) {
    return refuse(fmt::format("Unsupported public key algorithm: {}", words.algorithm));
  }
  return out;
}

Result<int> Command::enable_server(const std::vector<std::string>& arguments) {
  auto words = parse(arguments, "rab");
  if (!words) return usage("enable-server [-r devrandom] [-a algorithm] [-b bits ] [hostname ...]");
  KeyRequest wanted = TRY(request(*words));
  if (!all_default(config_, kServerSettings)) {
    log::info("*** Non-default SMTP server TLS settings detected, no changes made.");
    log::info("For opportunistic TLS in the Postfix SMTP server, the below settings");
    log::info("are typical:");
    log::info("  smtpd_tls_security_level = may");
    log::info("  smtpd_tls_loglevel = 1");
    log::info("You can use \"postfix tls new-server-cert\" to create a new certificate.");
    log::info("Or, \"postfix tls new-server-key\" to also force a new private key.");
    log::info("Where DANE TLSA records are published, change them first (RFC 7671, section 8).");
    return 0;
  }
  ServerKeys keys = TRY(this->keys());
  KeyFiles files = TRY(keys.create(wanted));
  TRY(keys.deploy(files.certificate, files.key));
  std::vector<std::pair<std::string, std::string>> settings{
      {"smtpd_tls_security_level", "may"}, {"smtpd_tls_received_header", "yes"}, {"smtpd_tls_loglevel", "1"}};
  if (!words->random_source.empty()) settings.emplace_back("tls_random_source", words->random_source);
  TRY(set_parameters(config_, settings));
  log::info("Enabled opportunistic TLS in the Postfix SMTP server");
  log::info("New TLS private key and certificate deployed.");
  say_reload();
  log::info("To generate a CSR run:");
  log::info("  # postfix tls output-server-csr -k {} [<hostname> ...]", files.key);
  log::info("Save the signed certificate chain in {}.", files.certificate);
  log::info("To generate TLSA records run:");
  log::info("  # postfix tls output-server-tlsa [-h <hostname>] {}", files.key);
  log::info("(If you have DANE TLSA RRs, update them as soon as possible to match");
  log::info("the newly deployed keys).");
  return 0;
}

Result<int> Command::new_server_key(const std::vector<std::string>& arguments, bool keep_key) {
  auto words = parse(arguments, "ab");
  if (!words)
    return usage(fmt::format("{} [-a algorithm] [-b bits ] [hostname ...]",
                             keep_key ? "new-server-cert" : "new-server-key"));
  KeyRequest wanted = TRY(request(*words));
  wanted.keep_key = keep_key;
  ServerKeys keys = TRY(this->keys());
  KeyFiles files = TRY(keys.create(wanted));
  log::info("New private key and self-signed certificate created. To deploy run:");
  log::info("  # postfix tls deploy-server-cert {} {}", files.certificate, files.key);
  log::info("To generate a CSR run:");
  log::info("  # postfix tls output-server-csr -k {} [<hostname> ...]", files.key);
  log::info("Save the signed certificate chain in {}, and deploy as above.", files.certificate);
  log::info("To generate TLSA records run:");
  log::info("  # postfix tls output-server-tlsa [-h <hostname>] {}", files.key);
  if (files.new_key) log::info("(deploy after updating the DNS and waiting for stale RRs to expire).");
  return 0;
}

Result<int> Command::deploy(const std::vector<std::string>& words) {
  if (words.size() != 2) return usage("deploy-server-cert certfile keyfile");
  ServerKeys keys = TRY(this->keys());
  TRY(keys.deploy(words[0], words[1]));
  log::info("New TLS private key and certificate deployed.");
  say_reload();
  return 0;
}

Result<int> Command::output_request(const std::vector<std::string>& arguments) {
  auto words = parse(arguments, "k");
  if (!words) return usage("output-server-csr [-k keyfile] [hostname ...]");
  ServerKeys keys = TRY(this->keys());
  TRY(keys.print_request(words->key, words->rest));
  return 0;
}

Result<int> Command::output_tlsa(const std::vector<std::string>& arguments) {
  auto words = parse(arguments, "h");
  if (!words) return usage("output-server-tlsa [-h hostname] [keyfile ...]");
  ServerKeys keys = TRY(this->keys());
  TRY(keys.print_tlsa(words->host, words->rest));
  return 0;
}

}  // namespace

int tls_command(const config::Config& config, const std::vector<std::string>& arguments) {
  std::string name = arguments.empty() ? "" : arguments.front();
  std::vector<std::string> words;
  if (!arguments.empty()) words.assign(arguments.begin() + 1, arguments.end());
  auto done = Command(config).run(name, words);
  if (done) return *done;
  log::write(log::Severity::fatal, done.error().text);
  return 1;
}

}  // namespace postrider::postfix
