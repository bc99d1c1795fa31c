#include "smtp/login_cache.h"

#include <ctime>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/sha1.h"
#include "base/text.h"
#include "clients/tables.h"
#include "log/log.h"
#include "table/open.h"

namespace postrider::smtp_client {

namespace {

constexpr std::string_view kProxy = "proxy:";

std::string key_of(std::string_view host, const sasl::Credentials& credentials) {
  return fmt::format("{};{}", host, credentials.user);
}

std::string digest_of(const sasl::Credentials& credentials) {
  return base64_encode(sha1(credentials.password));
}

}  // namespace

std::string RefusedLogin::value() const {
  return fmt::format("{};{};{};{}", when, digest, dsn, text);
}

std::optional<RefusedLogin> RefusedLogin::parse(std::string_view value) {
  RefusedLogin out;
  auto next = [&]() -> std::optional<std::string_view> {
    size_t end = value.find(';');
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view field = value.substr(0, end);
    value.remove_prefix(end + 1);
    return field;
  };
  auto when = next(), digest = next(), dsn = next();
  if (!when || !digest || !dsn) return std::nullopt;
  auto seconds_since_epoch = parse_int(*when);
  if (!seconds_since_epoch) return std::nullopt;
  out.when = *seconds_since_epoch;
  out.digest = *digest;
  out.dsn = *dsn;
  out.text = value;
  return out;
}

LoginCache::LoginCache(const config::Config& config, const Settings& settings)
    : lifetime_(settings.sasl.cache_time) {
  const std::string& spec = settings.sasl.cache_name;
  if (spec.empty()) return;
  std::string parameter = settings.parameter("sasl_auth_cache_name");
  if (!spec.starts_with(kProxy)) {
    throw config::ConfigError(
        fmt::format("parameter {}: the table must be accessed through the proxywrite service", parameter),
        config.source(parameter), fmt::format("write proxy:{}", spec));
  }
  table::OpenOptions options = clients::table_options(config);
  options.behaviour = {.fold_fixed = false, .fold_patterns = false, .utf8 = false};
  options.access = table::Access::write;
  options.duplicates = table::Duplicates::replace;
  auto table = table::open(spec, options);
  if (!table) throw config::ConfigError(table.error().text, config.source(parameter), "correct the name");
  table_ = std::move(*table);
}

std::optional<RefusedLogin> LoginCache::find(std::string_view host, const sasl::Credentials& credentials,
                                             Deadline deadline) const {
  if (!table_) return std::nullopt;
  auto found = table_->lookup(key_of(host, credentials), deadline);
  if (!found) log::warning("{}", found.error().text);
  if (!found || !*found) return std::nullopt;
  auto entry = RefusedLogin::parse(**found);
  // With another password it is another login.
  if (!entry || entry->digest != digest_of(credentials)) return std::nullopt;
  if (entry->when + lifetime_.count() < ::time(nullptr)) return std::nullopt;
  return entry;
}

void LoginCache::remember(std::string_view host, const sasl::Credentials& credentials, std::string_view dsn,
                          std::string_view text, Deadline deadline) const {
  if (!table_) return;
  RefusedLogin entry{::time(nullptr), digest_of(credentials), std::string(dsn), std::string(text)};
  if (auto kept = table_->put(key_of(host, credentials), entry.value(), deadline); !kept)
    log::warning("{}", kept.error().text);
}

}  // namespace postrider::smtp_client
