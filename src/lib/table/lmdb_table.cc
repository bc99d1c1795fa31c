// lmdb: OpenLDAP's memory-mapped databases.
#include "io/fiber.h"
#include "sys/file.h"
#include "table/index_table.h"
#include "table/lmdb_env.h"

namespace postrider::table {

namespace {

class LmdbTable : public IndexTable {
 public:
  LmdbTable(std::string_view name, const OpenOptions& options) : IndexTable("lmdb", name, ".lmdb", options) {
    set_duplicate_name(spec());
  }
  ~LmdbTable() override {
    (void)commit();
    close_index();
  }

  Result<void> sync() override { return commit(); }

 protected:
  Result<void> try_lock(int fd, bool exclusive, bool wait) override {
    return exclusive ? sys::lock_exclusive(fd, wait) : sys::lock_shared(fd, wait);
  }
  void unlock(int fd) override { (void)sys::unlock(fd); }
  bool sees_changes() const override { return true; }

  Result<int> open_index() override {
    unsigned flags = options().access == Access::read ? MDB_RDONLY : 0;
    env_ = TRY(LmdbEnv::open(index_path(), flags, options().lmdb_map_size));
    return env_.fd();
  }

  void close_index() override {
    txn_ = nullptr;
    env_ = {};
  }

  Result<std::optional<std::string>> get(std::string_view key) override {
    if (!is_possible(key)) return std::nullopt;
    MDB_txn* txn = TRY(reading());
    MDB_val k = to_val(key), v{};
    int error = mdb_get(txn, env_.dbi(), &k, &v);
    std::optional<std::string> out;
    if (error == 0) out = to_text(v);
    done_reading();
    if (error != 0 && error != MDB_NOTFOUND) return failed("reading", error);
    return out;
  }

  Result<bool> set(std::string_view key, std::string_view value, bool replace) override {
    TRY(writing());
    MDB_val k = to_val(key), v = to_val(value);
    int error = mdb_put(txn_.get(), env_.dbi(), &k, &v, replace ? 0 : MDB_NOOVERWRITE);
    if (error == MDB_KEYEXIST) return false;
    if (error != 0) return failed("updating", error);
    TRY(written());
    return true;
  }

  Result<bool> erase(std::string_view key) override {
    if (!is_possible(key)) return false;
    TRY(writing());
    MDB_val k = to_val(key);
    int error = mdb_del(txn_.get(), env_.dbi(), &k, nullptr);
    if (error == MDB_NOTFOUND) return false;
    if (error != 0) return failed("deleting from", error);
    TRY(written());
    return true;
  }

  /// The position is remembered as a key: no transaction stays open when the lock is given up.
  Result<std::optional<Entry>> step(bool first) override {
    MDB_txn* txn = TRY(reading());
    MDB_cursor* cursor = nullptr;
    int error = mdb_cursor_open(txn, env_.dbi(), &cursor);
    if (error != 0) return failed("seeking", error);
    MDB_val k = to_val(position_), v{};
    if (first) {
      error = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    } else {
      error = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
      if (error == 0 && to_text(k) == position_) error = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    std::optional<Entry> out;
    if (error == 0) {
      out = Entry{std::string(to_text(k)), std::string(to_text(v))};
      position_ = out->key;
    }
    mdb_cursor_close(cursor);
    done_reading();
    if (error != 0 && error != MDB_NOTFOUND) return failed("seeking", error);
    return out;
  }

 private:
  // As in the builder.
  static constexpr int kBatch = 1000;
  static constexpr size_t kRoom = size_t{64} << 20;

  std::unexpected<Error> failed(std::string_view doing, int error) const {
    return lmdb_error(fmt::format("error {} {}", doing, spec()), error);
  }

  /// The library refuses other keys, which cannot have been stored either.
  bool is_possible(std::string_view key) const {
    return !key.empty() && key.size() <= static_cast<size_t>(mdb_env_get_maxkeysize(env_.get()));
  }

  /// One state of the file for all that is read. Others commit under the lock that readers have, too: what
  /// they changed before they got it.
  bool stays_in_transaction() const { return holds_lock(); }

  /// A transaction to read in: the one that writes, where there is one.
  Result<MDB_txn*> reading() {
    if (txn_ && !at_rest_) return txn_.get();
    if (!txn_ || mdb_txn_renew(txn_.get()) != 0) {
      txn_ = nullptr;
      txn_ = TRY(env_.begin(!exclusive()));
    }
    at_rest_ = false;
    return txn_.get();
  }
  void done_reading() {
    if (!stays_in_transaction()) end_reading();
  }
  void end_reading() override {
    if (!txn_ || at_rest_) return;
    mdb_txn_reset(txn_.get());
    at_rest_ = true;
  }

  Result<void> writing() {
    if (exclusive() && txn_ && pending_ < kBatch) return {};
    if (exclusive()) TRY(commit());
    txn_ = nullptr;
    TRY(env_.reserve(kRoom));
    txn_ = TRY(env_.begin(false));
    at_rest_ = false;
    return {};
  }
  /// Changes of an exclusive table collect.
  Result<void> written() {
    if (!exclusive()) return LmdbEnv::commit(std::move(txn_));
    ++pending_;
    return {};
  }
  Result<void> commit() {
    pending_ = 0;
    if (!exclusive() || !txn_) return {};
    return LmdbEnv::commit(std::move(txn_));
  }

  LmdbEnv env_;
  bool at_rest_ = false;  // The transaction is to be renewed before it is used.
  LmdbTxn txn_;  // Between calls: of an exclusive table, the one that collects changes; else one to renew.
  int pending_ = 0;
  std::string position_;
};

}  // namespace

OpenResult open_lmdb(std::string_view name, const OpenOptions& options) {
  auto table = std::make_shared<LmdbTable>(name, options);
  TRY(table->open());
  return table;
}

}  // namespace postrider::table
