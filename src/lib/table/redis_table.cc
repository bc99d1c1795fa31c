// redis: keys of a Redis server, a cluster of them, or a master that Sentinel watches.
#include <map>

#include "base/text.h"
#include "table/database_config.h"
#include "table/database_results.h"
#include "table/driver_pool.h"
#include "table/internal.h"
#include "table/plugins.h"
#include "table/redis_protocol.h"
#include "table/server_list.h"

namespace postrider::table {

namespace {

using driver::RedisConnection;
using driver::RedisDriver;
using driver::RedisReply;
using Kind = RedisReply::Kind;
using Pool = DriverPool<RedisConnection>;

constexpr uint16_t kPort = 6379, kSentinelPort = 26379;
constexpr int kMaxRedirections = 5;
constexpr size_t kMaxServers = 256;

struct Setup {
  std::vector<KeyTemplate> query;  ///< By words.
  driver::Settings settings, sentinel_settings;
  std::vector<ServerList::Entry> servers, sentinels;
  std::string master;
  bool cluster = false;
  seconds timeout{10}, retry_after{60}, idle{60};
};

class RedisTable : public Table {
 public:
  RedisTable(std::string_view name, const OpenOptions& options, RedisDriver* driver, Setup setup, Owner owner,
             DatabaseResults results)
      : Table("redis", name, options.behaviour, options.log),
        driver_(driver),
        owner_(owner),
        results_(std::move(results)),
        query_(std::move(setup.query)),
        settings_(std::make_shared<const driver::Settings>(std::move(setup.settings))),
        sentinel_settings_(std::make_shared<const driver::Settings>(std::move(setup.sentinel_settings))),
        servers_(setup.servers, setup.retry_after),
        sentinels_(setup.sentinels, setup.retry_after),
        master_name_(std::move(setup.master)),
        cluster_(setup.cluster),
        limits_{.timeout = setup.timeout, .idle = setup.idle} {}

  Owner owner() const override { return owner_; }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    auto wanted = results_.wants(key, deadline);
    if (!wanted) return query_error();
    if (!*wanted || key.empty()) return std::nullopt;
    std::vector<std::string> words;
    for (const KeyTemplate& word : query_) {
      auto filled = word.query(key, nullptr);
      if (!filled) return std::nullopt;
      words.push_back(std::move(*filled));
    }
    RedisReply reply = TRY(ask(words, deadline));
    DatabaseResults::Collector collector(results_, key);
    if (!collect(reply, collector)) {
      warn(fmt::format("{}: expansion limit exceeded for key '{}'", log_name(), printable(key)));
      return query_error();
    }
    return collector.take();
  }

 private:
  using Words = std::vector<std::string>;

  std::unexpected<Error> query_error() const {
    return fail(ErrorKind::temporary, fmt::format("table {}: query error", log_name()));
  }

  /// Whether a server says that it cannot answer now, whatever it is asked.
  static bool is_unfit(const RedisReply& reply) {
    return reply.kind == Kind::error &&
           (reply.text.starts_with("LOADING ") || reply.text.starts_with("MASTERDOWN ") ||
            reply.text.starts_with("CLUSTERDOWN "));
  }

  /// False when the limit of values is reached.
  static bool collect(const RedisReply& reply, DatabaseResults::Collector& collector) {
    if (reply.kind == Kind::nil) return true;
    if (reply.kind != Kind::array) return collector.add(reply.text);
    for (const RedisReply& item : reply.items)
      if (!collect(item, collector)) return false;
    return true;
  }

  std::shared_ptr<Pool> pool_of(const ServerList::Entry& entry, bool sentinel = false) {
    // Servers can name others without end.
    if (pools_.size() > kMaxServers) pools_.clear();
    auto& pool = pools_[(sentinel ? "sentinel " : "") + entry.shown];
    if (!pool) {
      auto settings = sentinel ? sentinel_settings_ : settings_;
      pool = std::make_shared<Pool>(
          [driver = driver_, settings, server = entry.server](driver::Timeout timeout) {
            return driver->connect(server, *settings, timeout);
          },
          limits_);
    }
    return pool;
  }

  /// What one server says; nothing, after a warning, when it cannot be asked.
  /// `asking`: the slot is on its way to that server.
  Result<std::optional<RedisReply>> ask_one(std::shared_ptr<Pool> pool, std::string shown, const Words& words,
                                            Deadline deadline, bool asking = false) {
    auto command = [words, asking](RedisConnection& connection) {
      if (asking)
        if (auto ready = connection.command({"ASKING"}); !ready) return ready;
      return connection.command(words);
    };
    bool connecting = false;
    auto answer = pool->use(command, deadline, &connecting);
    if (!answer) return query_error();
    if (*answer) return std::optional(std::move(**answer));
    warn(fmt::format("{} redis server {}: {}", connecting ? "connect to" : "query of", shown,
                     printable(answer->error().text)));
    pool->disconnect();
    return std::nullopt;
  }

  /// The first reply that some server of the list gives.
  Result<RedisReply> ask_any(ServerList& list, bool sentinel, const Words& words, Deadline deadline) {
    std::vector<bool> connected;
    for (const ServerList::Entry& entry : list.entries())
      connected.push_back(pool_of(entry, sentinel)->is_connected());
    for (size_t i : list.order(connected)) {
      const ServerList::Entry& entry = list.entries()[i];
      auto reply = TRY(ask_one(pool_of(entry, sentinel), entry.shown, words, deadline));
      if (reply && !is_unfit(*reply)) {
        list.worked(i);
        return std::move(*reply);
      }
      if (reply) warn(fmt::format("redis server {}: {}", entry.shown, printable(reply->text)));
      list.failed(i);
    }
    return query_error();
  }

  Result<RedisReply> ask(const Words& words, Deadline deadline) {
    RedisReply reply = TRY(master_name_.empty() ? cluster_ ? ask_cluster(words, deadline)
                                                           : ask_any(servers_, false, words, deadline)
                                                : ask_master(words, deadline));
    if (reply.kind != Kind::error) return reply;
    warn(fmt::format("redis query failed: {}: {}", log_name(), printable(reply.text)));
    return query_error();
  }

  /// Follows "MOVED slot host:port" and "ASK slot host:port".
  Result<RedisReply> ask_cluster(const Words& words, Deadline deadline) {
    uint16_t slot = words.size() > 1 ? redis_slot(words[1]) : 0;
    auto known = slots_.find(slot);
    std::string where = known == slots_.end() ? "" : known->second;
    bool asking = false;
    for (int i = 0; i <= kMaxRedirections; ++i) {
      std::optional<RedisReply> reply;
      if (!where.empty()) {
        ServerList::Entry entry = parse_server(where);
        reply = TRY(ask_one(pool_of(entry), where, words, deadline, asking));
      }
      if (!reply) {
        // That node is gone: the others know which has taken over.
        slots_.erase(slot);
        reply = TRY(ask_any(servers_, false, words, deadline));
      }
      std::vector<std::string_view> parts = split_any(reply->text, " ");
      bool moved =
          reply->kind == Kind::error && parts.size() == 3 && (parts[0] == "MOVED" || parts[0] == "ASK");
      if (!moved) return std::move(*reply);
      where = parts[2];
      asking = parts[0] == "ASK";
      if (!asking) slots_[slot] = where;
    }
    return query_error();
  }

  /// Asks the master of the service that Sentinel watches.
  Result<RedisReply> ask_master(const Words& words, Deadline deadline) {
    for (bool again : {false, true}) {
      if (master_.empty()) TRY(find_master(deadline));
      auto reply = TRY(ask_one(pool_of(parse_server(master_)), master_, words, deadline));
      if (reply) return std::move(*reply);
      // Maybe there is another one by now.
      master_.clear();
      if (again) break;
    }
    return query_error();
  }

  Result<void> find_master(Deadline deadline) {
    RedisReply reply =
        TRY(ask_any(sentinels_, true, {"SENTINEL", "get-master-addr-by-name", master_name_}, deadline));
    if (reply.kind != Kind::array || reply.items.size() != 2) {
      warn(fmt::format("{}: no sentinel knows the master \"{}\"", log_name(), master_name_));
      return query_error();
    }
    const std::string& host = reply.items[0].text;
    bool ipv6 = host.find(':') != std::string::npos;
    master_ = ipv6 ? fmt::format("[{}]:{}", host, reply.items[1].text)
                   : fmt::format("{}:{}", host, reply.items[1].text);
    return {};
  }

  RedisDriver* driver_;
  Owner owner_;
  DatabaseResults results_;
  std::vector<KeyTemplate> query_;
  std::shared_ptr<const driver::Settings> settings_, sentinel_settings_;
  ServerList servers_, sentinels_;
  std::string master_name_, master_;
  bool cluster_;
  Pool::Limits limits_;
  std::map<std::string, std::shared_ptr<Pool>> pools_;
  std::map<uint16_t, std::string> slots_;  // Where slots of the cluster are.
};

std::vector<ServerList::Entry> read_servers(const std::string& list, uint16_t port) {
  std::vector<ServerList::Entry> out;
  for (std::string_view host : split_any(list, kListSeparators)) {
    out.push_back(parse_server(host));
    driver::Server& server = out.back().server;
    if (server.path.empty() && server.port == 0) server.port = port;
  }
  return out;
}

Result<Setup> read_setup(std::string_view name, const DatabaseConfig& config) {
  constexpr std::string_view kTls[] = {"tls",           "tls_CAfile",   "tls_CApath",
                                       "tls_cert_file", "tls_key_file", "tls_verify_cert"};
  Setup setup;
  setup.servers = read_servers(config.text("hosts", "localhost"), kPort);
  setup.sentinels = read_servers(config.text("sentinel_hosts"), kSentinelPort);
  setup.master = config.text("sentinel_service");
  setup.cluster = TRY(config.flag("cluster", false));
  setup.timeout = seconds(TRY(config.number("timeout", 10, 1, 0)));
  setup.retry_after = seconds(TRY(config.number("retry_interval", 60, 1, 0)));
  setup.idle = seconds(TRY(config.number("idle_interval", 60, 1, 0)));
  TRY(config.flag("tls", false));
  TRY(config.flag("tls_verify_cert", true));
  TRY(config.number("database", 0, 0, 0));
  if (setup.master.empty() != setup.sentinels.empty())
    return fail(ErrorKind::invalid,
                fmt::format("redis:{}: sentinel_hosts and sentinel_service go together", name));
  for (std::string_view parameter : kTls)
    if (auto value = config.find(parameter)) {
      setup.settings.emplace(parameter, *value);
      setup.sentinel_settings.emplace(parameter, *value);
    }
  for (std::string_view parameter : {"user", "password", "database"})
    if (auto value = config.find(parameter)) setup.settings.emplace(parameter, *value);
  for (std::string_view parameter : {"user", "password"})
    if (auto value = config.find(fmt::format("sentinel_{}", parameter)))
      setup.sentinel_settings.emplace(parameter, *value);
  std::string query = TRY(config.text_of_length("query", "GET %s", 1, 0));
  for (std::string_view word : split_any(query, " \t\r\n"))
    setup.query.push_back(TRY(KeyTemplate::parse(name, word, KeyTemplate::Kind::query)));
  return setup;
}

}  // namespace

OpenResult open_redis(std::string_view name, const OpenOptions& options) {
  TRY(refuse_write("redis", name, options));
  DatabaseConfig config = TRY(DatabaseConfig::open(name, options));
  std::string format = TRY(config.text_of_length("result_format", "%s", 1, 0));
  Setup setup = TRY(read_setup(name, config));
  DatabaseResults results = TRY(DatabaseResults::create("redis", name, config, format, options));
  auto* driver = TRY(load_driver<RedisDriver>("redis", "redis"));
  return std::make_shared<RedisTable>(name, options, driver, std::move(setup), config.owner(),
                                      std::move(results));
}

}  // namespace postrider::table
