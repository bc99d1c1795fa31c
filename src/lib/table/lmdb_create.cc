// Building LMDB files.
#include "table/index_builder.h"
#include "table/lmdb_env.h"

namespace postrider::table {

namespace {

/// Calls `write` in a transaction of its own; when the file reaches its size limit, doubles that and tries
/// again.
template <typename Write>
Result<void> in_one_transaction(const LmdbEnv& env, std::string_view what, Write write) {
  for (;;) {
    LmdbTxn txn = TRY(env.begin(false));
    int error = write(txn.get());
    if (error == 0) error = mdb_txn_commit(txn.release());
    if (error == 0) return {};
    if (error != MDB_MAP_FULL) return lmdb_error(what, error);
    txn.reset();
    MDB_envinfo info{};
    mdb_env_info(env.get(), &info);
    TRY(env.reserve(info.me_mapsize));
  }
}

class LmdbWriter : public IndexWriter {
 public:
  LmdbWriter(std::string path, std::string name, size_t map_size)
      : path_(std::move(path)), what_(fmt::format("error updating {}", name)), map_size_(map_size) {}

  Result<void> write_all(const StringMap& entries) override {
    // The file is synced when it is complete.
    env_ = TRY(LmdbEnv::open(path_, MDB_NOSYNC, map_size_));
    TRY(env_.reserve(2 * entries.bytes() + 64 * entries.size()));
    std::vector<uint32_t> order = sorted_by_key(entries);
    return in_one_transaction(env_, what_, [&](MDB_txn* txn) {
      for (uint32_t index : order) {
        auto entry = entries.at(index);
        MDB_val key = to_val(entry.key), value = to_val(entry.value);
        if (int error = mdb_put(txn, env_.dbi(), &key, &value, MDB_APPEND)) return error;
      }
      return 0;
    });
  }

  Result<bool> write(std::string_view key, std::string_view value, bool replace) override {
    if (!txn_) {
      TRY(env_.reserve(kRoom));
      txn_ = TRY(env_.begin(false));
    }
    MDB_val k = to_val(key), v = to_val(value);
    int error = mdb_put(txn_.get(), env_.dbi(), &k, &v, replace ? 0 : MDB_NOOVERWRITE);
    if (error == MDB_KEYEXIST) return false;
    if (error != 0) return lmdb_error(what_, error);
    if (++pending_ == kBatch) TRY(commit_pending());
    return true;
  }

  Result<void> finish() override {
    TRY(commit_pending());
    env_ = {};
    return {};
  }

 private:
  // What one transaction may change, and room for it in the worst case: every entry on a page of its own.
  static constexpr int kBatch = 1000;
  static constexpr size_t kRoom = size_t{64} << 20;

  Result<void> commit_pending() {
    pending_ = 0;
    if (!txn_) return {};
    return LmdbEnv::commit(std::move(txn_));
  }

  std::string path_, what_;
  size_t map_size_;
  LmdbEnv env_;
  LmdbTxn txn_;
  int pending_ = 0;
};

/// Readers that have the old file mapped must see it change by transactions only.
Result<void> overwrite(const std::string& from, const std::string& to, size_t map_size) {
  LmdbEnv source = TRY(LmdbEnv::open(from, MDB_RDONLY, map_size));
  LmdbEnv target = TRY(LmdbEnv::open(to, 0, map_size));
  LmdbTxn reading = TRY(source.begin(true));
  return in_one_transaction(target, fmt::format("error updating {}", to), [&](MDB_txn* txn) {
    if (int error = mdb_drop(txn, target.dbi(), 0)) return error;
    MDB_cursor* cursor = nullptr;
    if (int error = mdb_cursor_open(reading.get(), source.dbi(), &cursor)) return error;
    MDB_val key{}, value{};
    int error = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (error == 0) {
      error = mdb_put(txn, target.dbi(), &key, &value, MDB_APPEND);
      if (error == 0) error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return error == MDB_NOTFOUND ? 0 : error;
  });
}

}  // namespace

CreateResult create_lmdb(std::string_view name, mode_t mode, const OpenOptions& options) {
  std::string index = fmt::format("{}.lmdb", name), spec = fmt::format("lmdb:{}", name);
  auto file = IndexFile::begin(index, mode, IndexFile::Lock::fcntl);
  if (!file) return std::unexpected(Error::from_errno("open database " + index, file.error().code));
  auto writer = std::make_unique<LmdbWriter>(file->path(), spec, options.lmdb_map_size);
  auto in_place = [size = options.lmdb_map_size](const std::string& from, const std::string& to, int) {
    return overwrite(from, to, size);
  };
  return std::make_unique<IndexBuilder>(spec, spec, options, std::move(*file), std::move(writer), in_place);
}

}  // namespace postrider::table
