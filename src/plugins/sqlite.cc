// The plug-in for sqlite tables.
#include <sqlite3.h>

#include "table/driver.h"

namespace postrider::plugins {
namespace {

using namespace table::driver;

/// How long a query waits for a program that changes the database.
constexpr int kBusyMilliseconds = 1000;

class Connection : public SqlConnection {
 public:
  explicit Connection(sqlite3* database) : database_(database) {}
  ~Connection() override { sqlite3_close(database_); }

  std::optional<std::string> quote(std::string_view text) override {
    std::string out;
    for (char c : text) {
      if (c == '\'') out += c;
      out += c;
    }
    return out;
  }

  Answer<std::vector<Row>> query(const std::string& statement, size_t max_rows) override {
    sqlite3_stmt* prepared = nullptr;
    if (sqlite3_prepare_v2(database_, statement.c_str(), -1, &prepared, nullptr) != SQLITE_OK)
      return std::unexpected(Failure{std::string("SQL prepare failed: ") + sqlite3_errmsg(database_), true});
    std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> owner(prepared, sqlite3_finalize);
    std::vector<Row> rows;
    while (rows.size() <= max_rows) {
      int status = sqlite3_step(prepared);
      if (status == SQLITE_DONE) break;
      if (status != SQLITE_ROW)
        return std::unexpected(
            Failure{std::string("SQL step failed for query: ") + sqlite3_errmsg(database_)});
      rows.push_back(row_of(prepared));
    }
    return rows;
  }

 private:
  static Row row_of(sqlite3_stmt* prepared) {
    Row row;
    for (int i = 0; i < sqlite3_column_count(prepared); ++i) {
      const unsigned char* text = sqlite3_column_text(prepared, i);
      if (text == nullptr)
        row.emplace_back();
      else
        row.emplace_back(std::string(reinterpret_cast<const char*>(text)));
    }
    return row;
  }

  sqlite3* database_;
};

class Driver : public SqlDriver {
 public:
  Answer<std::unique_ptr<SqlConnection>> connect(const Server& server, const Settings&, Timeout) override {
    sqlite3* database = nullptr;
    // Lookups write nothing, but readers of a database with a write-ahead log need write access to its files.
    int status = sqlite3_open_v2(server.path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr);
    if (status != SQLITE_OK) {
      sqlite3_close(database);
      status = sqlite3_open_v2(server.path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr);
    }
    auto out = std::make_unique<Connection>(database);
    if (status != SQLITE_OK) return std::unexpected(Failure{sqlite3_errmsg(database)});
    sqlite3_busy_timeout(database, kBusyMilliseconds);
    return out;
  }
};

}  // namespace
}  // namespace postrider::plugins

POSTRIDER_EXPORT_DRIVER(sql, SqlDriver) {
  static postrider::plugins::Driver driver;
  return &driver;
}
