// hash and btree: Berkeley DB files, as postmap builds them.
#include <ctime>

#include "base/text.h"
#include "io/fiber.h"
#include "sys/file.h"
#include "table/berkeley_db.h"
#include "table/index_table.h"

namespace postrider::table {

namespace {

class BerkeleyTable : public IndexTable {
 public:
  BerkeleyTable(std::string_view type, DBTYPE kind, std::string_view name, const OpenOptions& options)
      : IndexTable(type, name, ".db", options), kind_(kind) {
    set_log_name(index_path());
  }
  ~BerkeleyTable() override { close_index(); }

  Result<void> sync() override {
    if (int error = file_->sync(file_.get(), 0)) return berkeley_error("sync " + index_path(), error);
    return {};
  }

 protected:
  Result<void> try_lock(int fd, bool exclusive, bool wait) override {
    return exclusive ? sys::flock_exclusive(fd, wait) : sys::flock_shared(fd, wait);
  }
  void unlock(int fd) override { (void)sys::flock_release(fd); }

  Result<int> open_index() override {
    u_int32_t flags = options().access == Access::read ? DB_RDONLY : 0;
    // A file that was created just now. The library complains about it, unless told that it is to be so.
    if (TRY(sys::stat_file(index_path())).st_size == 0) {
      if (!options().create_mode)
        return std::unexpected(Error::from_errno("open database " + index_path(), EINVAL));
      flags = DB_CREATE | DB_TRUNCATE;
    }
    file_ = TRY(BerkeleyFile::open(index_path(), kind_, flags, options().berkeley_db_read_buffer_size));
    return file_.fd();
  }

  void close_index() override {
    cursor_ = nullptr;  // Closed with the file.
    file_ = {};
  }

  Result<std::optional<std::string>> get(std::string_view key) override {
    DBT k = to_dbt(key), v{};
    int error = file_->get(file_.get(), nullptr, &k, &v, 0);
    if (error == DB_NOTFOUND) return std::nullopt;
    if (error != 0) return failed("seeking", error);
    return std::string(to_text(v));
  }

  Result<bool> set(std::string_view key, std::string_view value, bool replace) override {
    DBT k = to_dbt(key), v = to_dbt(value);
    int error = file_->put(file_.get(), nullptr, &k, &v, replace ? 0 : DB_NOOVERWRITE);
    if (error == DB_KEYEXIST) return false;
    if (error != 0) return failed("writing", error);
    return true;
  }

  Result<bool> erase(std::string_view key) override {
    DBT k = to_dbt(key);
    int error = file_->del(file_.get(), nullptr, &k, 0);
    if (error == DB_NOTFOUND) return false;
    if (error != 0) return failed("deleting from", error);
    return true;
  }

  Result<std::optional<Entry>> step(bool first) override {
    if (cursor_ == nullptr) {
      if (!first) return fail(ErrorKind::temporary, fmt::format("{} changed", index_path()));
      if (int error = file_->cursor(file_.get(), nullptr, &cursor_, 0)) return failed("seeking", error);
    }
    DBT k{}, v{};
    int error = cursor_->get(cursor_, &k, &v, first ? DB_FIRST : DB_NEXT);
    if (error == DB_NOTFOUND) return std::nullopt;
    if (error != 0) return failed("seeking", error);
    return Entry{std::string(to_text(k)), std::string(to_text(v))};
  }

 private:
  std::unexpected<Error> failed(std::string_view doing, int error) const {
    auto out = berkeley_error(fmt::format("error {} {}", doing, index_path()), error);
    out.error().kind = ErrorKind::temporary;
    return out;
  }

  DBTYPE kind_;
  BerkeleyFile file_;
  DBC* cursor_ = nullptr;
};

OpenResult open_berkeley(std::string_view type, DBTYPE kind, std::string_view name,
                         const OpenOptions& options) {
  auto table = std::make_shared<BerkeleyTable>(type, kind, name, options);
  TRY(table->open());
  return table;
}

}  // namespace

OpenResult open_berkeley_hash(std::string_view name, const OpenOptions& options) {
  return open_berkeley("hash", DB_HASH, name, options);
}

OpenResult open_berkeley_btree(std::string_view name, const OpenOptions& options) {
  return open_berkeley("btree", DB_BTREE, name, options);
}

}  // namespace postrider::table
