#include "tools/postconf/database.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/main_cf.h"
#include "sys/file.h"
#include "tools/postconf/options.h"

namespace postrider::postconf {
namespace {

constexpr std::string_view kLdap[] = {"bind",
                                      "bind_dn",
                                      "bind_pw",
                                      "cache",
                                      "cache_expiry",
                                      "cache_size",
                                      "chase_referrals",
                                      "debuglevel",
                                      "dereference",
                                      "domain",
                                      "expansion_limit",
                                      "leaf_result_attribute",
                                      "query_filter",
                                      "recursion_limit",
                                      "result_attribute",
                                      "result_filter",
                                      "result_format",
                                      "sasl_authz_id",
                                      "sasl_mechs",
                                      "sasl_minssf",
                                      "sasl_realm",
                                      "scope",
                                      "search_base",
                                      "server_host",
                                      "server_port",
                                      "size_limit",
                                      "special_result_attribute",
                                      "start_tls",
                                      "terminal_result_attribute",
                                      "timeout",
                                      "tls_ca_cert_dir",
                                      "tls_ca_cert_file",
                                      "tls_cert",
                                      "tls_cipher_suite",
                                      "tls_key",
                                      "tls_random_file",
                                      "tls_require_cert",
                                      "version"};
constexpr std::string_view kMemcache[] = {"backup",     "data_size_limit", "domain",          "flags",
                                          "key_digest", "key_format",      "line_size_limit", "max_try",
                                          "memcache",   "retry_pause",     "timeout",         "ttl"};
constexpr std::string_view kMongodb[] = {"collection",       "dbname",        "domain",
                                         "expansion_limit",  "projection",    "query_filter",
                                         "result_attribute", "result_format", "uri"};
constexpr std::string_view kMysql[] = {"additional_conditions",
                                       "charset",
                                       "dbname",
                                       "domain",
                                       "expansion_limit",
                                       "hosts",
                                       "idle_interval",
                                       "option_file",
                                       "option_group",
                                       "password",
                                       "query",
                                       "require_result_set",
                                       "result_format",
                                       "retry_interval",
                                       "select_field",
                                       "table",
                                       "tls_CAfile",
                                       "tls_CApath",
                                       "tls_cert_file",
                                       "tls_ciphers",
                                       "tls_key_file",
                                       "tls_verify_cert",
                                       "user",
                                       "where_field"};
constexpr std::string_view kPgsql[] = {
    "additional_conditions", "dbname",   "domain", "encoding",      "expansion_limit", "hosts",
    "idle_interval",         "password", "query",  "result_format", "retry_interval",  "select_field",
    "select_function",       "table",    "user",   "where_field"};
constexpr std::string_view kSqlite[] = {"additional_conditions", "dbpath", "domain",
                                        "expansion_limit",       "query",  "result_format",
                                        "select_field",          "table",  "where_field"};

constexpr struct {
  std::string_view type;
  std::span<const std::string_view> parameters;
} kTypes[] = {
    {"ldap", kLdap},   {"memcache", kMemcache}, {"mongodb", kMongodb},
    {"mysql", kMysql}, {"pgsql", kPgsql},       {"sqlite", kSqlite},
};

}  // namespace

std::span<const std::string_view> database_parameters(std::string_view type) {
  for (const auto& row : kTypes)
    if (row.type == type) return row.parameters;
  return {};
}

namespace {

/// Without the braces around it, as far as they are there.
std::string_view inside_braces(std::string_view text) {
  text.remove_prefix(1);
  size_t end = text.rfind('}');
  return trim(text.substr(0, end == std::string_view::npos ? text.size() : end));
}

void visit_list(std::string_view list, int depth,
                const std::function<void(std::string_view type, std::string_view name)>& found) {
  constexpr int kMaxDepth = 20;
  if (depth > kMaxDepth) return;
  for (std::string_view word : split_braced(list, kListSeparators)) {
    if (word.starts_with('{')) {
      visit_list(inside_braces(word), depth + 1, found);
      continue;
    }
    constexpr std::string_view kProxy = "proxy:";
    while (word.starts_with(kProxy))
      word.remove_prefix(kProxy.size());
    size_t colon = word.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view name = word.substr(colon + 1);
    if (name.starts_with('{'))
      visit_list(inside_braces(name), depth + 1, found);  // unionmap:{ldap:a, ldap:b}
    else if (!name.empty() && !database_parameters(word.substr(0, colon)).empty())
      found(word.substr(0, colon), name);
  }
}

}  // namespace

void visit_databases(std::string_view list,
                     const std::function<void(std::string_view type, std::string_view name)>& found) {
  visit_list(list, 0, found);
}

void check_database_file(std::string_view type, const std::string& path) {
  auto text = sys::read_file(path, config::kMaxConfigFile);
  if (!text) {
    std::string reason = text.error().text;
    warn(fmt::format("open \"{}\" configuration \"{}\": {}", type, path,
                     reason.substr(reason.rfind(": ") + 2)));
    return;
  }
  auto file = config::parse_main_cf(*text, path);
  if (!file) {
    warn(file.error().text);
    return;
  }
  for (const config::MainCfEntry& entry : file->entries)
    if (!std::ranges::binary_search(database_parameters(type), entry.name))
      warn(fmt::format("{}:{}: unused parameter: {}={}", type, path, entry.name, entry.value));
}

}  // namespace postrider::postconf
