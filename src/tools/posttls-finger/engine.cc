#include "config/params/smtp_tls.h"
#include "tls/peer.h"
#include "tools/posttls-finger/finger.h"

namespace postrider::posttls_finger {

namespace params = config::params;

namespace {

tls::ClientSettings client_settings(const config::Config& config, const Options& options) {
  tls::ClientSettings out(config, options.lmtp);
  out.identity = {.prefix = "smtp_tls_", .chain_files = options.chain_files, .pairs = {}};
  out.identity.pairs[0] = {"RSA", options.certificate_file, options.key_file};
  bool append = out.authorities.append_default;
  out.authorities = {options.authority_file, options.authority_path, append};
  if (!options.digest.empty()) out.fingerprint_digest = options.digest;
  out.topics = tls::parse_log_topics("-L option", options.topics);
  out.cache_name = "memory";
  out.session_cache = options.reconnect_delay > 0 ? "memory" : "";
  out.session_timeout = std::chrono::hours(1);
  out.keeps_unmatched = true;
  return out;
}

}  // namespace

Engine::Engine(const config::Config& config, const Options& options)
    : settings_(client_settings(config, options)),
      library_(config),
      digest_(tls::find_digest(settings_.fingerprint_digest)),
      digests_(settings_.dane_digests) {
  if (options.level == tls::Level::none || options.by_proxy) return;
  first_ = tls::Client::create(settings_, library_);
}

/// After the first connection it is sessions that are of interest.
const tls::Client* Engine::client(bool again) {
  if (!again || !first_) return first_.get();
  if (again_) return again_.get();
  tls::ClientSettings settings = settings_;
  settings.topics.remove(tls::LogTopics::certificate);
  settings.topics.remove(tls::LogTopics::detail);
  settings.topics.add(tls::LogTopics::cache);
  settings.topics.add(tls::LogTopics::summary);
  again_ = tls::Client::create(settings, library_);
  return again_.get();
}

}  // namespace postrider::posttls_finger
