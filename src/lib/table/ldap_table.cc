// ldap: entries of a directory; ldap_table(5).
#include <algorithm>
#include <deque>
#include <iterator>

#include "base/text.h"
#include "table/database_config.h"
#include "table/database_results.h"
#include "table/driver_pool.h"
#include "table/internal.h"
#include "table/plugins.h"

namespace postrider::table {

namespace {

using driver::LdapConnection;
using driver::LdapDriver;
using driver::LdapEntry;
using driver::LdapResult;
using driver::LdapScope;
using driver::LdapSearch;
using Pool = DriverPool<LdapConnection>;

/// Searches for one lookup, whatever recursion_limit says.
constexpr int kMaxSearches = 10'000;
constexpr size_t kMaxSteps = 100'000;

std::string escape(std::string_view text, std::string_view special) {
  std::string out;
  for (char c : text) {
    if (special.find(c) != std::string_view::npos)
      out += fmt::format("\\{:02X}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out;
}

/// RFC 2253, of distinguished names.
std::string quote_dn(std::string_view text) {
  return escape(text, " \t\"#+,;<>\\");
}
/// RFC 2254, of filters.
std::string quote_filter(std::string_view text) {
  return escape(text, "*()\\");
}

/// The attributes that a table reads, in groups.
struct Attributes {
  std::vector<std::string> terminal, leaf, ordinary, special;

  std::vector<std::string> all() const {
    std::vector<std::string> out;
    for (const auto* group : {&terminal, &leaf, &ordinary, &special})
      out.insert(out.end(), group->begin(), group->end());
    return out;
  }
};

bool lists(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::any_of(names, [&](const std::string& one) { return equals_ignore_case(one, name); });
}

struct Setup {
  std::string urls;
  KeyTemplate base, filter;
  LdapScope scope = LdapScope::sub;
  Attributes attributes;
  driver::Settings settings;
  int recursion_limit = 1000, size_limit = 0;
  seconds timeout{10};
};

class LdapTable : public Table {
 public:
  LdapTable(std::string_view name, const OpenOptions& options, LdapDriver* driver, Setup setup, Owner owner,
            DatabaseResults results)
      : Table("ldap", name, options.behaviour, options.log),
        driver_(driver),
        setup_(std::move(setup)),
        owner_(owner),
        results_(std::move(results)) {
    auto settings = std::make_shared<const driver::Settings>(setup_.settings);
    pool_ = std::make_shared<Pool>(
        [driver, settings, urls = setup_.urls](driver::Timeout timeout) {
          return driver->connect(urls, *settings, timeout);
        },
        Pool::Limits{.timeout = setup_.timeout});
  }

  Owner owner() const override { return owner_; }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    auto wanted = results_.wants(key, deadline);
    if (!wanted) return query_error();
    if (!*wanted) return std::nullopt;
    auto base = setup_.base.query(key, quote_dn);
    auto filter = setup_.filter.query(key, quote_filter);
    if (key.empty()) {
      warn(fmt::format("table \"{}\": empty query string -- ignored", spec()));
      return std::nullopt;
    }
    if (!base || !filter) return std::nullopt;
    // Depth first, without recursion: groups of groups may be deeper than a fiber's stack.
    std::deque<Step> steps;
    steps.push_back({.request = LdapSearch{.base = *base,
                                           .scope = setup_.scope,
                                           .filter = *filter,
                                           .attributes = setup_.attributes.all(),
                                           .size_limit = setup_.size_limit}});
    return run(key, std::move(steps), deadline);
  }

 private:
  /// What is to be done next: a search, or else a value to be added.
  struct Step {
    std::optional<LdapSearch> request = {};
    std::string value = {};
    int depth = 1;  ///< 1 for the lookup's own search and what it finds.
  };
  using Steps = std::vector<Step>;

  std::unexpected<Error> query_error(int code = 0) const {
    std::string what = fmt::format("table {}: query error", log_name());
    if (code != 0) what = Error::from_errno(what, code).text;
    return fail(ErrorKind::temporary, code != 0 ? what : what + ": Application error");
  }
  std::unexpected<Error> exceeded(int depth, std::string_view what) const {
    warn(fmt::format("dict_ldap_get_values[{}]: {}: {}", depth, name(), what));
    return query_error();
  }

  Result<std::optional<std::string>> run(std::string_view key, std::deque<Step> steps, Deadline deadline) {
    DatabaseResults::Collector collector(results_, key);
    int searches = 0;
    while (!steps.empty()) {
      Step step = std::move(steps.front());
      steps.pop_front();
      if (!step.request) {
        if (collector.add(step.value)) continue;
        return exceeded(step.depth, fmt::format("Expansion limit exceeded for key: '{}'", printable(key)));
      }
      if (++searches > kMaxSearches)
        return exceeded(step.depth, fmt::format("Too many searches for key: '{}'", printable(key)));
      std::string base = step.request->base;
      LdapResult found = TRY(search(std::move(*step.request), deadline));
      // One that is made from the key just means that there is no such key.
      if (found.no_base && step.depth == 1 && !setup_.base.is_dynamic()) {
        warn(fmt::format("dict_ldap_lookup: {}: Search base '{}' not found: 32: No such object", name(),
                         base));
        return query_error();
      }
      if (setup_.size_limit > 0 && found.entries.size() > static_cast<size_t>(setup_.size_limit))
        return exceeded(step.depth, fmt::format("Query size limit exceeded for key: '{}'", printable(key)));
      Steps next;
      for (const LdapEntry& entry : found.entries)
        TRY(add_steps(entry, step.depth, next));
      if (next.size() + steps.size() > kMaxSteps)
        return exceeded(step.depth, fmt::format("Too many results for key: '{}'", printable(key)));
      steps.insert(steps.begin(), std::move_iterator(next.begin()), std::move_iterator(next.end()));
    }
    return collector.take();
  }

  Result<LdapResult> search(LdapSearch request, Deadline deadline) {
    auto ask = [request = std::move(request)](LdapConnection& connection) {
      return connection.search(request);
    };
    auto answer = TRY(pool_->use(std::move(ask), deadline));
    if (answer) return std::move(*answer);
    const driver::Failure& failure = answer.error();
    if (log()) log()(failure.error ? Severity::error : Severity::warning, printable(failure.text));
    if (!failure.permanent) pool_->disconnect();
    return query_error(failure.code);
  }

  /// What an entry asks for, in the order of its attributes.
  Result<void> add_steps(const LdapEntry& entry, int depth, Steps& steps) const {
    const Attributes& attributes = setup_.attributes;
    auto has = [&](const std::vector<std::string>& group) {
      return std::ranges::any_of(
          entry.attributes, [&](const auto& one) { return !one.second.empty() && lists(group, one.first); });
    };
    bool terminal = has(attributes.terminal);
    bool refers = !terminal && has(attributes.special);
    for (const auto& [attribute, values] : entry.attributes) {
      bool wanted =
          terminal ? lists(attributes.terminal, attribute)
                   : lists(attributes.ordinary, attribute) || (!refers && lists(attributes.leaf, attribute));
      if (wanted) {
        for (const std::string& value : values)
          steps.push_back({.value = value, .depth = depth});
      } else if (!terminal && lists(attributes.special, attribute)) {
        TRY(follow(attribute, values, depth, steps));
      }
    }
    return {};
  }

  /// Searches for the entries that the values of a special attribute name.
  Result<void> follow(const std::string& attribute, const std::vector<std::string>& values, int depth,
                      Steps& steps) const {
    if (values.empty()) return {};
    if (depth >= setup_.recursion_limit)
      return exceeded(depth, fmt::format("Recursion limit exceeded for special attribute {}={}",
                                         printable(attribute), printable(values[0])));
    for (const std::string& value : values) {
      LdapSearch request{.base = value,
                         .scope = LdapScope::base,
                         .filter = "objectclass=*",
                         .attributes = setup_.attributes.all(),
                         .size_limit = setup_.size_limit};
      if (auto url = driver_->parse_url(value)) {
        request.base = url->base;
        request.scope = url->scope;
        if (!url->filter.empty()) request.filter = url->filter;
        if (!url->attributes.empty())
          std::erase_if(request.attributes,
                        [&](const std::string& one) { return !lists(url->attributes, one); });
        if (request.attributes.empty()) continue;
      }
      steps.push_back({.request = std::move(request), .depth = depth + 1});
    }
    return {};
  }

  LdapDriver* driver_;
  Setup setup_;
  Owner owner_;
  DatabaseResults results_;
  std::shared_ptr<Pool> pool_;
};

/// URLs as they are; hosts as URLs, with server_port where they name no port.
std::string urls_of(const std::string& hosts, int port) {
  std::string out;
  for (std::string_view host : split_any(hosts, kListSeparators)) {
    if (!out.empty()) out += ' ';
    if (host.find("://") != std::string_view::npos) {
      out += host;
      continue;
    }
    bool has_port = host.starts_with('[') ? host.find("]:") != host.npos : host.find(':') != host.npos;
    out += has_port ? fmt::format("ldap://{}", host) : fmt::format("ldap://{}:{}", host, port);
  }
  return out;
}

std::vector<std::string> names_of(const std::string& list) {
  std::vector<std::string> out;
  for (std::string_view word : split_any(list, kListSeparators))
    out.emplace_back(word);
  return out;
}

Result<std::string> bind_method(std::string_view name, const DatabaseConfig& config) {
  std::string text = lowercase(config.text("bind", "yes"));
  if (text == "yes" || text == "simple") return "simple";
  if (text == "no" || text == "none") return "none";
  if (text == "sasl") return text;
  return fail(ErrorKind::invalid,
              fmt::format("{}: unsupported parameter value: bind = {}", name, printable(text)));
}

LdapScope scope_of(std::string_view name, const std::string& text, const LogSink& log) {
  if (equals_ignore_case(text, "one")) return LdapScope::one;
  if (equals_ignore_case(text, "base")) return LdapScope::base;
  if (!equals_ignore_case(text, "sub") && log)
    log(Severity::warning,
        fmt::format("dict_ldap_open: {}: Unrecognized value {} specified for scope; using sub", name,
                    printable(text)));
  return LdapScope::sub;
}

/// Values that make no sense give way to those that do, after a warning.
Result<void> read_protocol(std::string_view name, const DatabaseConfig& config, Setup& setup,
                           const LogSink& log) {
  auto warn = [&](const std::string& text) {
    if (log) log(Severity::warning, fmt::format("dict_ldap_open: {} {}", name, text));
  };
  int version = TRY(config.number("version", 3, 2, 0)), dereference =
                                                            TRY(config.number("dereference", 0, 0, 0));
  if (version > 3) {
    warn(fmt::format("Unknown version {}, using 3.", version));
    version = 3;
  }
  if (version < 3 && TRY(config.flag("start_tls", false))) {
    warn("start_tls requires protocol version 3");
    version = 3;
  }
  if (dereference < 0 || dereference > 3) {
    warn(fmt::format("Unrecognized value {} specified for dereference; using 0", dereference));
    dereference = 0;
  }
  setup.settings.emplace("version", std::to_string(version));
  setup.settings.emplace("dereference", std::to_string(dereference));
  return {};
}

Result<void> read_connection(std::string_view name, const DatabaseConfig& config, Setup& setup,
                             const LogSink& log) {
  constexpr std::string_view kTexts[] = {"bind_dn",       "bind_pw",         "sasl_mechs",       "sasl_realm",
                                         "sasl_authz_id", "tls_ca_cert_dir", "tls_ca_cert_file", "tls_cert",
                                         "tls_key",       "tls_random_file", "tls_cipher_suite"};
  int port = TRY(config.number("server_port", 389, 1, 65535));
  setup.urls = urls_of(config.text("server_host", "localhost"), port);
  setup.timeout = seconds(TRY(config.number("timeout", 10, 1, 0)));
  for (std::string_view parameter : kTexts)
    if (auto value = config.find(parameter)) setup.settings.emplace(parameter, *value);
  auto number = [&](std::string_view parameter, int fallback, int min, int max) -> Result<void> {
    int value = TRY(config.number(parameter, fallback, min, max));
    setup.settings.emplace(parameter, std::to_string(value));
    return {};
  };
  TRY(number("debuglevel", 0, 0, 0));
  TRY(number("sasl_minssf", 0, 0, 4096));
  auto flag = [&](std::string_view parameter) -> Result<void> {
    setup.settings.emplace(parameter, TRY(config.flag(parameter, false)) ? "yes" : "no");
    return {};
  };
  TRY(flag("chase_referrals"));
  TRY(flag("start_tls"));
  TRY(read_protocol(name, config, setup, log));
  TRY(flag("tls_require_cert"));
  setup.settings.emplace("bind", TRY(bind_method(name, config)));
  return {};
}

Result<Setup> read_setup(std::string_view name, const DatabaseConfig& config, const OpenOptions& options) {
  Setup setup;
  TRY(read_connection(name, config, setup, options.log));
  std::string base = config.text("search_base");
  std::string filter = config.text("query_filter", "(mailacceptinggeneralid=%s)");
  setup.base = TRY(KeyTemplate::parse(name, base, KeyTemplate::Kind::query));
  setup.filter = TRY(KeyTemplate::parse(name, filter, KeyTemplate::Kind::query));
  if (!setup.filter.is_dynamic() && !setup.base.is_dynamic() && options.log)
    options.log(Severity::warning,
                fmt::format("dict_ldap_open: {}: Fixed query_filter {} is probably useless", name,
                            printable(filter)));
  setup.scope = scope_of(name, config.text("scope", "sub"), options.log);
  setup.attributes.terminal = names_of(config.text("terminal_result_attribute"));
  setup.attributes.leaf = names_of(config.text("leaf_result_attribute"));
  setup.attributes.ordinary = names_of(config.text("result_attribute", "maildrop"));
  setup.attributes.special = names_of(config.text("special_result_attribute"));
  setup.recursion_limit = TRY(config.number("recursion_limit", 1000, 1, 0));
  int expansion_limit = TRY(config.number("expansion_limit", 0, 0, 0));
  setup.size_limit = TRY(config.number("size_limit", expansion_limit, 0, 0));
  bool cached = TRY(config.flag("cache", false));
  if (cached && options.log)
    options.log(Severity::warning, fmt::format("dict_ldap_open: {} ignoring cache", name));
  for (std::string_view of_cache : {"cache_expiry", "cache_size"})
    if (TRY(config.number(of_cache, -1, 0, 0)) >= 0 && options.log)
      options.log(Severity::warning, fmt::format("dict_ldap_open: {} ignoring {}", name, of_cache));
  return setup;
}

}  // namespace

OpenResult open_ldap(std::string_view name, const OpenOptions& options) {
  TRY(refuse_write("ldap", name, options));
  DatabaseConfig config = TRY(DatabaseConfig::open(name, options));
  std::string format = config.text("result_format", config.text("result_filter", "%s"));
  Setup setup = TRY(read_setup(name, config, options));
  DatabaseResults results = TRY(DatabaseResults::create("ldap", name, config, format, options));
  auto* driver = TRY(load_driver<LdapDriver>("ldap", "ldap"));
  return std::make_shared<LdapTable>(name, options, driver, std::move(setup), config.owner(),
                                     std::move(results));
}

}  // namespace postrider::table
