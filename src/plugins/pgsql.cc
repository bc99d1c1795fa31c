// The plug-in for pgsql tables.
#include <poll.h>

#include <chrono>

#include <libpq-fe.h>

#include "table/driver.h"

namespace postrider::plugins {
namespace {

using namespace table::driver;
using Clock = std::chrono::steady_clock;

std::string get(const Settings& settings, std::string_view name, std::string_view fallback = {}) {
  auto found = settings.find(name);
  return found == settings.end() ? std::string(fallback) : found->second;
}

using Handle = std::unique_ptr<PGconn, void (*)(PGconn*)>;
using ResultHandle = std::unique_ptr<PGresult, void (*)(PGresult*)>;

/// False when `until` has passed.
bool wait_for(int fd, short events, Clock::time_point until) {
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return false;
    pollfd watched{fd, events, 0};
    int count = poll(&watched, 1, static_cast<int>(left));
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) return false;
  }
}

class Connection : public SqlConnection {
 public:
  Connection(Handle handle, std::string shown, Timeout timeout)
      : handle_(std::move(handle)), shown_(std::move(shown)), timeout_(timeout) {}

  std::optional<std::string> quote(std::string_view text) override {
    std::string out(2 * text.size() + 1, '\0');
    int error = 0;
    size_t length = PQescapeStringConn(handle_.get(), out.data(), text.data(), text.size(), &error);
    if (error != 0) return std::nullopt;
    out.resize(length);
    return out;
  }

  Answer<std::vector<Row>> query(const std::string& statement, size_t max_rows) override {
    if (PQsendQuery(handle_.get(), statement.c_str()) == 0) return failure();
    Clock::time_point until = Clock::now() + timeout_;
    std::vector<Row> rows;
    std::optional<Failure> problem;
    for (;;) {
      while (PQisBusy(handle_.get()) != 0) {
        if (!wait_for(PQsocket(handle_.get()), POLLIN, until))
          return std::unexpected(Failure{"no answer from host " + shown_ + " in time"});
        if (PQconsumeInput(handle_.get()) == 0) return failure();
      }
      ResultHandle result(PQgetResult(handle_.get()), PQclear);
      if (!result) break;
      if (!problem) problem = read(result.get(), rows, max_rows);
    }
    if (problem) return std::unexpected(std::move(*problem));
    return rows;
  }

 private:
  std::unexpected<Failure> failure() const {
    return std::unexpected(Failure{"fatal error from host " + shown_ + ": " + PQerrorMessage(handle_.get())});
  }

  std::optional<Failure> read(PGresult* result, std::vector<Row>& rows, size_t max_rows) const {
    switch (PQresultStatus(result)) {
      case PGRES_TUPLES_OK:
      case PGRES_SINGLE_TUPLE:
        break;
      case PGRES_COMMAND_OK:
      case PGRES_EMPTY_QUERY:
        return std::nullopt;
      default: {
        bool lost = PQstatus(handle_.get()) == CONNECTION_BAD;
        return Failure{"fatal error from host " + shown_ + ": " + PQresultErrorMessage(result), !lost};
      }
    }
    for (int i = 0; i < PQntuples(result) && rows.size() <= max_rows; ++i) {
      Row row;
      for (int j = 0; j < PQnfields(result); ++j) {
        // What is null is empty here, which gets a warning.
        row.emplace_back(
            std::string(PQgetvalue(result, i, j), static_cast<size_t>(PQgetlength(result, i, j))));
      }
      rows.push_back(std::move(row));
    }
    return std::nullopt;
  }

  Handle handle_;
  std::string shown_;
  Timeout timeout_;
};

class Driver : public SqlDriver {
 public:
  Answer<std::unique_ptr<SqlConnection>> connect(const Server& server, const Settings& settings,
                                                 Timeout timeout) override {
    Clock::time_point until = Clock::now() + timeout;
    Handle handle(start(server, settings), PQfinish);
    if (!handle) return std::unexpected(Failure{"out of memory"});
    for (PostgresPollingStatusType state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;) {
      if (state == PGRES_POLLING_FAILED || PQstatus(handle.get()) == CONNECTION_BAD)
        return std::unexpected(refused(PQerrorMessage(handle.get()), errno));
      if (!wait_for(PQsocket(handle.get()), state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until))
        return std::unexpected(Failure{"timed out"});
      state = PQconnectPoll(handle.get());
    }
    std::string encoding = get(settings, "encoding", "UTF8");
    if (PQsetClientEncoding(handle.get(), encoding.c_str()) != 0)
      return std::unexpected(Failure{"cannot set the encoding to " + encoding});
    std::string shown = !server.path.empty()   ? "unix:" + server.path
                        : !server.host.empty() ? server.host
                                               : server.url;
    if (server.port != 0) shown += ":" + std::to_string(server.port);
    return std::make_unique<Connection>(std::move(handle), shown, timeout);
  }

 private:
  /// What the server itself says has nothing to do with errno.
  static Failure refused(std::string text, int code) {
    bool by_server = text.find("FATAL: ") != std::string::npos;
    return {std::move(text), false, by_server ? 0 : code};
  }

  static PGconn* start(const Server& server, const Settings& settings) {
    if (!server.url.empty()) return PQconnectStart(server.url.c_str());
    std::string host = server.path.empty() ? server.host : server.path;
    // The library wants the directory of a socket, whose name has the port at its end.
    std::string port = server.port == 0 ? "" : std::to_string(server.port);
    if (size_t name = host.rfind("/.s.PGSQL."); name != std::string::npos) {
      port = host.substr(name + 10);
      host.resize(name);
    }
    std::string user = get(settings, "user"), password = get(settings, "password"),
                database = get(settings, "dbname");
    const char* names[] = {"host", "port", "user", "password", "dbname", nullptr};
    const char* values[] = {host.c_str(),     port.c_str(),     user.c_str(),
                            password.c_str(), database.c_str(), nullptr};
    return PQconnectStartParams(names, values, 0);
  }
};

}  // namespace
}  // namespace postrider::plugins

POSTRIDER_EXPORT_DRIVER(sql, SqlDriver) {
  static postrider::plugins::Driver driver;
  return &driver;
}
