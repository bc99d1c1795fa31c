// cdb: constant databases, which are replaced as a whole.
#include "sys/file.h"
#include "table/cdb_file.h"
#include "table/index_table.h"

namespace postrider::table {

namespace {

class CdbTable : public IndexTable {
 public:
  CdbTable(std::string_view name, const OpenOptions& options) : IndexTable("cdb", name, ".cdb", options) {}

 protected:
  // Files are replaced by renaming, never written to.
  Result<void> try_lock(int, bool, bool) override { return {}; }
  void unlock(int) override {}

  Result<int> open_index() override {
    fd_ = TRY(sys::open_file(index_path(), O_RDONLY));
    TRY(file_.open(fd_.get(), index_path()));
    return fd_.get();
  }
  void close_index() override {
    file_.close();
    fd_.reset();
  }

  Result<std::optional<std::string>> get(std::string_view key) override { return file_.find(key); }
  Result<bool> set(std::string_view, std::string_view, bool) override { return not_supported("update"); }
  Result<bool> erase(std::string_view) override { return not_supported("delete"); }

  Result<std::optional<Entry>> step(bool first) override {
    auto record = TRY(first ? file_.first() : file_.next());
    if (!record) return std::nullopt;
    return Entry{std::move(record->key), std::move(record->value)};
  }

 private:
  sys::Fd fd_;
  CdbFile file_;
};

}  // namespace

OpenResult open_cdb(std::string_view name, const OpenOptions& options) {
  if (options.access != Access::read)
    return fail(ErrorKind::denied,
                "dict_cdb_open: inappropriate open flags for cdb database - specify O_RDONLY or "
                "O_WRONLY|O_CREAT|O_TRUNC");
  auto table = std::make_shared<CdbTable>(name, options);
  TRY(table->open());
  return table;
}

}  // namespace postrider::table
