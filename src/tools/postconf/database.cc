#include "tools/postconf/database.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "config/main_cf.h"
#include "sys/file.h"
#include "tools/postconf/master_file.h"
#include "tools/postconf/options.h"
#include "tools/postconf/order.h"

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

class ListReader {
 public:
  explicit ListReader(const DatabaseVisitor& visitor) : visitor_(visitor) {}

  /// With `patterns` the text in braces is a pattern of regexp or pcre.
  void read(std::string_view list, int depth, bool patterns) {
    constexpr int kMaxDepth = 20;
    if (depth > kMaxDepth) return;
    for (std::string_view word : split_braced(list, kListSeparators)) {
      if (word.starts_with('#')) {
        // What follows, without the separator.
        size_t end = static_cast<size_t>(word.data() - list.data()) + word.size();
        if (visitor_.comment) visitor_.comment(word, list.substr(std::min(end + 1, list.size())));
        return;
      }
      if (word.starts_with('{')) {
        if (!patterns) read_inside(word, depth, false);
      } else {
        read_table(word, depth);
      }
    }
  }

 private:
  void read_inside(std::string_view word, int depth, bool patterns) {
    std::vector<std::string> problems;
    std::string inside = open_braces(word, problems);
    if (visitor_.problem) std::ranges::for_each(problems, visitor_.problem);
    read(inside, depth + 1, patterns);
  }

  void read_table(std::string_view word, int depth) {
    constexpr std::string_view kProxy = "proxy:", kDebug = "debug:";
    while (word.starts_with(kProxy) || word.starts_with(kDebug))
      word.remove_prefix(word.find(':') + 1);
    size_t colon = word.find(':');
    if (colon == std::string_view::npos) return;
    std::string_view type = word.substr(0, colon), name = word.substr(colon + 1);
    if (name.starts_with('{'))
      read_inside(name, depth, type == "regexp" || type == "pcre");  // unionmap:{ldap:a, ldap:b}
    else if (!database_parameters(type).empty())
      visitor_.table(type, name);
  }

  const DatabaseVisitor& visitor_;
};

}  // namespace

void visit_databases(std::string_view list, const DatabaseVisitor& visitor) {
  ListReader(visitor).read(list, 0, false);
}

namespace {

Result<std::string> read_database_file(const std::string& path) {
  auto info = TRY(sys::stat_file(path));
  if (!S_ISREG(info.st_mode)) return fail(ErrorKind::invalid, "read: not a regular file");
  return sys::read_file(path, config::kMaxConfigFile);
}

}  // namespace

void check_database_file(std::string_view type, const std::string& path) {
  auto text = read_database_file(path);
  if (!text) {
    // Files with passwords are not for everybody to read.
    if (text.error().code == EACCES) return;
    std::string_view reason = text.error().text;
    warn(fmt::format("open \"{}\" configuration \"{}\": {}", type, path,
                     reason.substr(reason.rfind(": ") + 2)));
    return;
  }
  auto file = config::parse_main_cf(*text, path);
  if (!file) fatal(file.error().text);
  for (const std::string& warning : file->warnings)
    warn(warning);
  std::vector<std::string> names;
  std::map<std::string, std::string> values;
  for (const config::MainCfEntry& entry : file->entries) {
    if (!values.contains(entry.name)) names.push_back(entry.name);
    values[entry.name] = entry.value;
  }
  for (const std::string& name : visiting_order(names))
    if (!std::ranges::binary_search(database_parameters(type), name))
      warn(fmt::format("{}:{}: unused parameter: {}={}", type, path, name, values[name]));
}

}  // namespace postrider::postconf
