// mysql, pgsql and sqlite: tables that ask a database in SQL.
#include <cerrno>
#include <initializer_list>

#include "base/text.h"
#include "sys/file.h"
#include "table/database_config.h"
#include "table/database_results.h"
#include "table/driver_pool.h"
#include "table/internal.h"
#include "table/plugins.h"
#include "table/server_list.h"

namespace postrider::table {

namespace {

using driver::SqlConnection;
using driver::SqlDriver;
using Pool = DriverPool<SqlConnection>;

/// How the kinds differ.
struct SqlKind {
  std::string_view type;
  bool has_servers;
  bool first_column_only;
  bool url_names_database;                           ///< dbname need not be set where all hosts are URLs.
  std::initializer_list<std::string_view> settings;  ///< What the driver wants to know.
  std::string_view limit_key;                        ///< How the message about the limit quotes the key.
};

const SqlKind kMysql{
    "mysql",
    true,
    false,
    false,
    {"user", "password", "dbname", "option_file", "option_group", "charset", "tls_CAfile", "tls_CApath",
     "tls_cert_file", "tls_key_file", "tls_ciphers", "tls_verify_cert", "require_result_set"},
    ": '"};
const SqlKind kPgsql{"pgsql", true, false, true, {"user", "password", "dbname", "encoding"}, ": '"};
const SqlKind kSqlite{"sqlite", false, true, false, {"dbpath"}, " '"};

/// The query, or one made from the parameters that came before it.
Result<std::string> query_text(const SqlKind& kind, const DatabaseConfig& config) {
  std::string query = config.text("query");
  if (!query.empty()) return query;
  if (kind.type == "pgsql") {
    std::string function = config.text("select_function");
    if (!function.empty()) return fmt::format("SELECT {}('%s')", function);
  }
  std::string table = TRY(config.text_of_length("table", "", 1, 0));
  std::string select = TRY(config.text_of_length("select_field", "", 1, 0));
  std::string where = TRY(config.text_of_length("where_field", "", 1, 0));
  return fmt::format("SELECT {} FROM {} WHERE {}='%s' {}", select, table, where,
                     config.text("additional_conditions"));
}

/// Whether a code for a part of the key stands between double quotes, where an escaped quote would not hold
/// the key together.
bool has_code_in_double_quotes(std::string_view query) {
  char quote = 0;
  for (size_t i = 0; i < query.size(); ++i) {
    char c = query[i];
    if (c == '%' && i + 1 < query.size() && query[++i] != '%') {
      if (quote == '"') return true;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    }
  }
  return false;
}

struct SqlSetup {
  DatabaseConfig config;
  DatabaseResults results;
  KeyTemplate query;
  driver::Settings settings;
  std::vector<ServerList::Entry> servers;
  seconds retry_after{60}, idle{60};
};

class SqlTable : public Table {
 public:
  SqlTable(const SqlKind& kind, std::string_view name, const OpenOptions& options, SqlDriver* driver,
           SqlSetup setup)
      : Table(kind.type, name, options.behaviour, options.log),
        kind_(kind),
        owner_(setup.config.owner()),
        results_(std::move(setup.results)),
        query_(std::move(setup.query)),
        servers_(setup.servers, setup.retry_after) {
    auto settings = std::make_shared<const driver::Settings>(std::move(setup.settings));
    for (const ServerList::Entry& entry : servers_.entries())
      pools_.push_back(std::make_shared<Pool>(
          [driver, settings, server = entry.server](driver::Timeout timeout) {
            return driver->connect(server, *settings, timeout);
          },
          Pool::Limits{.idle = setup.idle}));
  }

  Owner owner() const override { return owner_; }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    auto wanted = results_.wants(key, deadline);
    if (!wanted)
      return fail(ErrorKind::temporary, fmt::format("table {}: query error: Application error", log_name()));
    if (!*wanted) return std::nullopt;
    if (key.empty()) {
      warn(fmt::format("table \"{}\": empty query string -- ignored", spec()));
      return std::nullopt;
    }
    if (!query_.query(key, nullptr)) return std::nullopt;
    std::vector<driver::Row> rows = TRY(ask_servers(key, deadline));
    return collect(key, rows);
  }

 private:
  /// The end of the text is what the client library left behind, as with Postfix's command.
  std::unexpected<Error> query_error(int code = 0) const {
    std::string what = fmt::format("table {}: query error", log_name());
    if (!kind_.has_servers) return fail(ErrorKind::temporary, std::move(what));
    if (code != 0) return fail(ErrorKind::temporary, Error::from_errno(what, code).text);
    return fail(ErrorKind::temporary, what + ": Application error");
  }

  Result<std::vector<driver::Row>> ask_servers(std::string_view key, Deadline deadline) {
    auto ask = [query = query_, key = std::string(key), most = results_.most_values()](
                   SqlConnection& connection) -> driver::Answer<std::vector<driver::Row>> {
      bool possible = true;
      auto quote = [&](std::string_view text) {
        auto quoted = connection.quote(text);
        possible = possible && quoted;
        return quoted.value_or("");
      };
      auto statement = query.query(key, quote);
      if (!statement || !possible) return {};
      return connection.query(*statement, most);
    };
    std::vector<bool> connected;
    for (const auto& pool : pools_)
      connected.push_back(pool->is_connected());
    int code = 0;
    for (size_t i : servers_.order(connected)) {
      bool connecting = false;
      auto answer = pools_[i]->use(ask, deadline, &connecting);
      if (!answer) return query_error(ETIMEDOUT);
      if (*answer) {
        servers_.worked(i);
        return std::move(**answer);
      }
      report(servers_.entries()[i].text, answer->error(), connecting);
      if (answer->error().permanent && !connecting) return query_error();
      code = answer->error().code;
      servers_.failed(i);
      pools_[i]->disconnect();
    }
    return query_error(code);
  }

  void report(const std::string& server, const driver::Failure& failure, bool connecting) const {
    std::string text = printable(failure.text);
    if (!kind_.has_servers)
      warn(fmt::format("dict_{}_lookup: {}: {}", type(), name(), text));
    else if (connecting)
      warn(fmt::format("connect to {} server {}: {}", type(), server, text));
    else if (type() == "mysql")
      warn(fmt::format("{}: query failed: {}", log_name(), text));
    else
      warn(fmt::format("{} query failed: {}", type(), text));
  }

  Result<std::optional<std::string>> collect(std::string_view key,
                                             const std::vector<driver::Row>& rows) const {
    DatabaseResults::Collector collector(results_, key);
    for (const driver::Row& row : rows) {
      for (const auto& value : row) {
        if (value && !collector.add(*value)) return too_many(key);
        if (kind_.first_column_only) break;
      }
    }
    return collector.take();
  }

  std::unexpected<Error> too_many(std::string_view key) const {
    warn(fmt::format("dict_{}_lookup: {}: Expansion limit exceeded for key{}{}'", type(), name(),
                     kind_.limit_key, printable(key)));
    std::string_view reason = kind_.has_servers ? ": Application error" : ": No such file or directory";
    return fail(ErrorKind::temporary, fmt::format("table {}: query error{}", log_name(), reason));
  }

  const SqlKind& kind_;
  Owner owner_;
  DatabaseResults results_;
  KeyTemplate query_;
  ServerList servers_;
  std::vector<std::shared_ptr<Pool>> pools_;  // As servers_.
};

Result<void> read_servers(const SqlKind& kind, SqlSetup& setup) {
  if (!kind.has_servers) {
    setup.servers.push_back({{.path = TRY(setup.config.text_of_length("dbpath", "", 1, 0))}, ""});
    return {};
  }
  std::string hosts = setup.config.text("hosts");
  for (std::string_view host : split_any(hosts, kListSeparators))
    setup.servers.push_back(parse_server(host));
  for (const ServerList::Entry& entry : setup.servers) {
    if (!entry.unknown_port.empty())
      return fail(ErrorKind::invalid, fmt::format("unknown service: {}/tcp", entry.unknown_port));
  }
  if (setup.servers.empty()) setup.servers.push_back(parse_server("localhost"));
  setup.retry_after = seconds(TRY(setup.config.number("retry_interval", 60, 1, 0)));
  setup.idle = seconds(TRY(setup.config.number("idle_interval", 60, 1, 0)));
  bool all_urls = kind.url_names_database;
  for (const ServerList::Entry& entry : setup.servers)
    all_urls = all_urls && !entry.server.url.empty();
  if (!all_urls) TRY(setup.config.text_of_length("dbname", "", 1, 0));
  return {};
}

Result<SqlSetup> read_setup(const SqlKind& kind, std::string_view name, const OpenOptions& options) {
  SqlSetup setup{.config = TRY(DatabaseConfig::open(name, options)),
                 .results = {},
                 .query = {},
                 .settings = {},
                 .servers = {}};
  TRY(read_servers(kind, setup));
  std::string format = TRY(setup.config.text_of_length("result_format", "%s", 1, 0));
  std::string query = TRY(query_text(kind, setup.config));
  setup.query = TRY(KeyTemplate::parse(name, query, KeyTemplate::Kind::query));
  setup.results = TRY(DatabaseResults::create(kind.type, name, setup.config, format, options));
  if (kind.type == "sqlite" && has_code_in_double_quotes(query) && options.log)
    options.log(
        Severity::warning,
        fmt::format("{}:{}: query has a % code in double quotes, which a lookup key could leave; put it in "
                    "single quotes",
                    kind.type, name));
  for (std::string_view parameter : kind.settings)
    if (auto value = setup.config.find(parameter)) setup.settings.emplace(parameter, std::move(*value));
  return setup;
}

OpenResult open_sql(const SqlKind& kind, std::string_view name, const OpenOptions& options) {
  TRY(refuse_write(kind.type, name, options));
  SqlSetup setup = TRY(read_setup(kind, name, options));
  auto* driver = TRY(load_driver<SqlDriver>(kind.type, "sql"));
  if (!kind.has_servers) {
    // A file that is not there is seen now.
    auto opened = driver->connect(setup.servers[0].server, setup.settings, driver::Timeout(0));
    if (!opened)
      return fail(ErrorKind::system, fmt::format("{}:{}: Can't open database: {}", kind.type, name,
                                                 printable(opened.error().text)));
  }
  return std::make_shared<SqlTable>(kind, name, options, driver, std::move(setup));
}

}  // namespace

OpenResult open_mysql(std::string_view name, const OpenOptions& options) {
  return open_sql(kMysql, name, options);
}
OpenResult open_pgsql(std::string_view name, const OpenOptions& options) {
  return open_sql(kPgsql, name, options);
}
OpenResult open_sqlite(std::string_view name, const OpenOptions& options) {
  return open_sql(kSqlite, name, options);
}

std::vector<RequiredPath> sqlite_paths(std::string_view name) {
  std::vector<RequiredPath> out = settings_paths(name);
  if (out.empty()) return out;
  auto config = DatabaseConfig::open(name, {});
  if (config)
    if (auto path = config->find("dbpath")) out.push_back({*path});
  return out;
}

}  // namespace postrider::table
