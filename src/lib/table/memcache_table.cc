// memcache: a cache on the network, before another table or alone; memcache_table(5).
#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "table/database_config.h"
#include "table/database_results.h"
#include "table/driver.h"
#include "table/internal.h"
#include "table/plugins.h"
#include "table/service_sessions.h"

namespace postrider::table {

namespace {

/// memcached takes no longer keys.
constexpr size_t kMaxKey = 250;

struct Setup {
  ServiceAddress address;
  std::string backup;
  std::string digest;
  int ttl = 3600, flags = 0;
  int tries = 2;
  seconds pause{1}, timeout{2};
  size_t max_line = 1024, max_data = 10240;
};

class MemcacheTable : public Table {
 public:
  MemcacheTable(std::string_view name, const OpenOptions& options, Setup setup, Owner owner,
                KeyTemplate key_format, DatabaseResults filter)
      : Table("memcache", name, options.behaviour, options.log),
        setup_(std::move(setup)),
        owner_(owner),
        key_format_(std::move(key_format)),
        filter_(std::move(filter)),
        sessions_(setup_.address, "connect to", {.connect = setup_.timeout, .idle = seconds(10)},
                  options.log) {}

  void set_backup(std::shared_ptr<Table> backup) { backup_ = std::move(backup); }
  void set_digest(driver::DigestDriver* digest) { digest_ = digest; }

  Owner owner() const override { return owner_; }
  bool is_stale() const override { return backup_ && backup_->is_stale(); }
  Result<void> sync() override { return backup_ ? backup_->sync() : Result<void>(); }

  Result<std::optional<Entry>> first(Deadline deadline) override {
    if (backup_) return backup_->first(deadline);
    warn(fmt::format("database {}: first/next support requires backup database", log_name()));
    return std::nullopt;
  }
  Result<std::optional<Entry>> next(Deadline deadline) override {
    return backup_ ? backup_->next(deadline) : Result<std::optional<Entry>>(std::nullopt);
  }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    auto name = TRY(cache_key(key, deadline));
    if (!name.wanted) return std::nullopt;
    Result<std::optional<std::string>> cached(std::nullopt);
    if (!name.text.empty()) {
      cached = request(deadline,
                       [&](io::Stream& stream, Deadline limit) { return get(stream, name.text, limit); });
      if (cached && *cached) return cached;
    }
    if (!backup_) return cached;
    auto value = TRY(backup_->lookup(key, deadline));
    // The cache is of use to the next one who asks; what goes wrong with it does not matter now.
    if (value && cached && !name.text.empty()) (void)store(name.text, *value, deadline);
    return value;
  }

  Result<void> do_put(std::string_view key, std::string_view value, Deadline deadline) override {
    auto name = TRY(cache_key(key, deadline));
    if (!name.wanted) return {};
    Result<void> cached;
    if (!name.text.empty()) cached = store(name.text, value, deadline);
    return backup_ ? backup_->put(key, value, deadline) : cached;
  }

  Result<bool> do_remove(std::string_view key, Deadline deadline) override {
    auto name = TRY(cache_key(key, deadline));
    if (!name.wanted) return false;
    Result<bool> cached(false);
    if (!name.text.empty())
      cached = request(deadline,
                       [&](io::Stream& stream, Deadline limit) { return erase(stream, name.text, limit); });
    if (backup_) return backup_->remove(key, deadline);
    if (cached || cached.error().kind != ErrorKind::temporary) return cached;
    return fail(ErrorKind::temporary, replace_all(cached.error().text, "query error", "delete error"));
  }

 private:
  struct CacheKey {
    bool wanted = false;  ///< Whether the table has such keys at all.
    std::string text;     ///< Empty: the cache cannot have it.
  };
  Result<CacheKey> cache_key(std::string_view key, Deadline deadline) const {
    auto wanted = filter_.wants(key, deadline);
    if (!wanted) return query_error("Application error");
    if (!*wanted) return CacheKey();
    CacheKey out{true, {}};
    auto text = key_format_.text().empty() ? std::string(key) : key_format_.query(key, nullptr);
    if (!text) return CacheKey();
    if (digest_ != nullptr) {
      auto digest = digest_->digest(setup_.digest, *text);
      if (!digest) return query_error("unknown digest");
      text = hex(*digest);
    }
    bool possible = !text->empty() && text->size() <= kMaxKey &&
                    std::ranges::none_of(*text, [](char c) { return is_space(c) || is_control(c); });
    if (possible) out.text = std::move(*text);
    return out;
  }

  std::unexpected<Error> query_error(std::string_view reason) const {
    return fail(ErrorKind::temporary, fmt::format("table {}: query error: {}", log_name(), reason));
  }
  std::unexpected<Error> unexpected_reply(std::string_view line) const {
    warn(fmt::format("{}: unexpected memcache server reply: {}", name(), printable(line.substr(0, 30))));
    return fail(ErrorKind::invalid, "Operation now in progress");
  }

  /// Asks the server as often as max_try says.
  template <typename Talk>
  auto request(Deadline deadline, Talk talk) -> std::invoke_result_t<Talk&, io::Stream&, Deadline> {
    using Reply = std::invoke_result_t<Talk&, io::Stream&, Deadline>;
    return sessions_.in_fiber([&]() -> Reply {
      for (int tries = 1;; ++tries) {
        auto one = [&](io::Stream& stream) {
          return talk(stream, deadline.or_sooner(Deadline::after(setup_.timeout)));
        };
        bool connecting = false;
        auto reply = sessions_.exchange(one, deadline, &connecting);
        if (reply) return reply;
        if (connecting) return query_error(reply.error().text);
        if (reply.error().kind != ErrorKind::invalid && tries > 1)
          warn(fmt::format("database {}: I/O error: {}", log_name(), reply.error().text));
        if (tries == setup_.tries) return query_error(reply.error().text);
        io::sleep_until(deadline.or_sooner(Deadline::after(setup_.pause)));
      }
    });
  }

  Result<std::string> read_line(io::Stream& stream, Deadline limit) const {
    io::Line line = TRY(stream.read_line(setup_.max_line, limit));
    if (line.end == io::LineEnd::eof) return fail(ErrorKind::closed, "unexpected end of input");
    if (line.end == io::LineEnd::partial) return unexpected_reply(line.text);
    return std::string(line.text);
  }

  Result<std::optional<std::string>> get(io::Stream& stream, const std::string& key, Deadline limit) const {
    stream.write(fmt::format("get {}\r\n", key));
    std::string line = TRY(read_line(stream, limit));
    if (line == "END") return std::nullopt;
    // VALUE key flags bytes
    std::vector<std::string_view> words = split_any(line, " ");
    auto size = words.size() >= 4 && words[0] == "VALUE" ? parse_unsigned(words[3]) : std::nullopt;
    if (!size || *size > setup_.max_data) return unexpected_reply(line);
    std::string value = TRY(stream.read_exact(*size + 2, limit));
    if (!value.ends_with("\r\n")) return unexpected_reply(value);
    value.resize(*size);
    line = TRY(read_line(stream, limit));
    if (line != "END") return unexpected_reply(line);
    return value;
  }

  Result<void> store(const std::string& key, std::string_view value, Deadline deadline) {
    if (value.size() > setup_.max_data) return fail(ErrorKind::limit, "value is longer than data_size_limit");
    return request(deadline, [&](io::Stream& stream, Deadline limit) -> Result<void> {
      stream.write(
          fmt::format("set {} {} {} {}\r\n{}\r\n", key, setup_.flags, setup_.ttl, value.size(), value));
      std::string line = TRY(read_line(stream, limit));
      if (line != "STORED") return unexpected_reply(line);
      return {};
    });
  }

  Result<bool> erase(io::Stream& stream, const std::string& key, Deadline limit) const {
    stream.write(fmt::format("delete {}\r\n", key));
    std::string line = TRY(read_line(stream, limit));
    if (line != "DELETED" && line != "NOT_FOUND") return unexpected_reply(line);
    return line == "DELETED";
  }

  Setup setup_;
  Owner owner_;
  KeyTemplate key_format_;
  DatabaseResults filter_;
  std::shared_ptr<Table> backup_;
  driver::DigestDriver* digest_ = nullptr;
  ServiceSessions sessions_;
};

Result<Setup> read_setup(const DatabaseConfig& config) {
  Setup setup;
  setup.address = TRY(ServiceAddress::parse(config.text("memcache", "inet:localhost:11211")));
  setup.backup = config.text("backup");
  setup.digest = config.text("key_digest");
  setup.ttl = TRY(config.number("ttl", 3600, 0, 0));
  setup.flags = TRY(config.number("flags", 0, 0, 0));
  setup.tries = TRY(config.number("max_try", 2, 1, 0));
  setup.pause = seconds(TRY(config.number("retry_pause", 1, 1, 0)));
  setup.timeout = seconds(TRY(config.number("timeout", 2, 0, 0)));
  if (setup.timeout < seconds(1)) setup.timeout = seconds(1);
  setup.max_line = static_cast<size_t>(TRY(config.number("line_size_limit", 1024, 1, 0)));
  setup.max_data = static_cast<size_t>(TRY(config.number("data_size_limit", 10240, 1, 0)));
  return setup;
}

}  // namespace

OpenResult open_memcache(std::string_view name, const OpenOptions& options) {
  if (options.paranoid)
    return fail(ErrorKind::denied,
                fmt::format("memcache:{} map is not allowed for security-sensitive data", printable(name)));
  DatabaseConfig config = TRY(DatabaseConfig::open(name, options));
  Setup setup = TRY(read_setup(config));
  KeyTemplate key = TRY(KeyTemplate::parse(name, config.text("key_format", "%s"), KeyTemplate::Kind::query));
  DatabaseResults filter = TRY(DatabaseResults::create("memcache", name, config, "%s", options));
  std::string backup = setup.backup, digest = setup.digest;
  auto table = std::make_shared<MemcacheTable>(name, options, std::move(setup), config.owner(),
                                               std::move(key), std::move(filter));
  if (!backup.empty()) table->set_backup(TRY(open(backup, options)));
  if (!digest.empty()) {
    auto* driver = TRY(load_driver<driver::DigestDriver>("digest", "digest"));
    if (!driver->digest(digest, ""))
      return fail(ErrorKind::invalid,
                  fmt::format("memcache:{}: unknown key_digest \"{}\"", name, printable(digest)));
    table->set_digest(driver);
  }
  return table;
}

}  // namespace postrider::table
