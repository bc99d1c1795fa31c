// The plug-in for mysql tables: the client library of MariaDB, which talks to both servers.
#include <mysql.h>

#include <algorithm>
#include <cerrno>

#include "table/driver.h"

namespace postrider::plugins {
namespace {

using namespace table::driver;

std::string get(const Settings& settings, std::string_view name, std::string_view fallback = {}) {
  auto found = settings.find(name);
  return found == settings.end() ? std::string(fallback) : found->second;
}

bool is_yes(const std::string& text) {
  return text == "yes" || text == "YES" || text == "Yes" || text == "1";
}

class Connection : public SqlConnection {
 public:
  Connection(MYSQL* handle, bool need_result) : handle_(handle), need_result_(need_result) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override { mysql_close(handle_); }

  std::optional<std::string> quote(std::string_view text) override {
    std::string out(2 * text.size() + 1, '\0');
    unsigned long length = mysql_real_escape_string(handle_, out.data(), text.data(), text.size());
    if (length == static_cast<unsigned long>(-1)) return std::nullopt;
    out.resize(length);
    return out;
  }

  Answer<std::vector<Row>> query(const std::string& statement, size_t max_rows) override {
    if (mysql_real_query(handle_, statement.data(), statement.size()) != 0) return failure();
    std::vector<Row> rows;
    bool any_result = false;
    // A stored procedure has several results; all must be read.
    for (int more = 0; more == 0; more = mysql_next_result(handle_)) {
      std::unique_ptr<MYSQL_RES, void (*)(MYSQL_RES*)> result(mysql_store_result(handle_), mysql_free_result);
      if (!result) {
        if (mysql_errno(handle_) != 0) return failure();
        continue;
      }
      any_result = true;
      read(result.get(), rows, max_rows);
    }
    if (mysql_errno(handle_) != 0) return failure();
    if (need_result_ && !any_result)
      return std::unexpected(Failure{"query returned no result set(require_result_set = yes)", true});
    return rows;
  }

 private:
  std::unexpected<Failure> failure() const {
    // Errors of the server's own are from 1000 on, those of the client library from 2000 on: only the latter
    // say that the connection is no good.
    constexpr unsigned kFirstClientError = 2000, kEndOfClientErrors = 3000;
    unsigned code = mysql_errno(handle_);
    bool lost = code >= kFirstClientError && code < kEndOfClientErrors;
    return std::unexpected(Failure{mysql_error(handle_), !lost});
  }

  static void read(MYSQL_RES* result, std::vector<Row>& rows, size_t max_rows) {
    unsigned columns = mysql_num_fields(result);
    while (rows.size() <= max_rows) {
      MYSQL_ROW values = mysql_fetch_row(result);
      if (values == nullptr) break;
      unsigned long* lengths = mysql_fetch_lengths(result);
      Row row;
      for (unsigned i = 0; i < columns; ++i) {
        if (values[i] == nullptr)
          row.emplace_back();
        else
          row.emplace_back(std::string(values[i], lengths[i]));
      }
      rows.push_back(std::move(row));
    }
  }

  MYSQL* handle_;
  bool need_result_;
};

class Driver : public SqlDriver {
 public:
  Driver() { mysql_library_init(0, nullptr, nullptr); }

  Answer<std::unique_ptr<SqlConnection>> connect(const Server& server, const Settings& settings,
                                                 Timeout timeout) override {
    mysql_thread_init();
    MYSQL* handle = mysql_init(nullptr);
    if (handle == nullptr) return std::unexpected(Failure{"out of memory"});
    auto connection =
        std::make_unique<Connection>(handle, is_yes(get(settings, "require_result_set", "yes")));
    set_options(handle, settings, timeout);
    auto value = [&](std::string_view name) { return get(settings, name); };
    std::string user = value("user"), password = value("password"), database = value("dbname");
    std::string socket = server.path;
    // "localhost" is the library's own socket.
    std::string host = server.host == "localhost" ? "" : server.host;
    MYSQL* connected =
        mysql_real_connect(handle, optional(host), optional(user), optional(password), optional(database),
                           server.port, optional(socket), CLIENT_MULTI_RESULTS);
    if (connected == nullptr) return std::unexpected(Failure{mysql_error(handle), false, errno});
    return connection;
  }

 private:
  static const char* optional(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

  static void set_options(MYSQL* handle, const Settings& settings, Timeout timeout) {
    auto seconds = static_cast<unsigned>(std::max<int64_t>(1, timeout.count() / 1000));
    mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &seconds);
    mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
    std::string file = get(settings, "option_file"), group = get(settings, "option_group", "client");
    if (!file.empty()) mysql_options(handle, MYSQL_READ_DEFAULT_FILE, file.c_str());
    if (!group.empty()) mysql_options(handle, MYSQL_READ_DEFAULT_GROUP, group.c_str());
    mysql_options(handle, MYSQL_SET_CHARSET_NAME, get(settings, "charset", "utf8mb4").c_str());
    std::string key = get(settings, "tls_key_file"), certificate = get(settings, "tls_cert_file"),
                ca_file = get(settings, "tls_CAfile"), ca_path = get(settings, "tls_CApath"),
                ciphers = get(settings, "tls_ciphers");
    if (!key.empty() || !certificate.empty() || !ca_file.empty() || !ca_path.empty() || !ciphers.empty())
      mysql_ssl_set(handle, optional(key), optional(certificate), optional(ca_file), optional(ca_path),
                    optional(ciphers));
    std::string verify = get(settings, "tls_verify_cert");
    if (!verify.empty()) {
      my_bool on = is_yes(verify) ? 1 : 0;
      mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
    }
  }
};

}  // namespace
}  // namespace postrider::plugins

POSTRIDER_EXPORT_DRIVER(sql, SqlDriver) {
  static postrider::plugins::Driver driver;
  return &driver;
}
