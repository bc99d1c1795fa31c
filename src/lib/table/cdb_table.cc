// cdb: constant databases, which are replaced as a whole.
#include "sys/file.h"
#include "sys/mapped_file.h"
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
    file_ = TRY(sys::MappedFile::map(fd_.get()));
    auto view = CdbView::over(file_.text());
    if (!view)
      return fail(ErrorKind::invalid, fmt::format("open database {}: {}", index_path(), view.error().text));
    view_ = *view;
    return fd_.get();
  }
  void close_index() override {
    view_ = {};
    file_ = {};
    fd_.reset();
  }

  Result<std::optional<std::string>> get(std::string_view key) override {
    auto value = view_.find(key);
    if (!value) return std::nullopt;
    return std::string(*value);
  }
  Result<bool> set(std::string_view, std::string_view, bool) override { return not_supported("update"); }
  Result<bool> erase(std::string_view) override { return not_supported("delete"); }

  Result<std::optional<Entry>> step(bool first) override {
    if (first) position_ = kCdbHeader;
    for (auto record = view_.record_at(position_); record; record = view_.record_at(position_)) {
      position_ = record->next;
      // Of a key that comes twice, lookups find the first only.
      auto found = view_.find(record->key);
      if (!found || found->data() != record->value.data()) continue;
      return Entry{std::string(record->key), std::string(record->value)};
    }
    return std::nullopt;
  }

 private:
  sys::Fd fd_;
  sys::MappedFile file_;
  CdbView view_;
  uint32_t position_ = kCdbHeader;
};

}  // namespace

OpenResult open_cdb(std::string_view name, const OpenOptions& options) {
  TRY(refuse_write("cdb", name, options));
  auto table = std::make_shared<CdbTable>(name, options);
  TRY(table->open());
  return table;
}

}  // namespace postrider::table
