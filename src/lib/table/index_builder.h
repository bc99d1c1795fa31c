// Collecting the entries of a new index.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "table/index_file.h"
#include "table/internal.h"
#include "table/string_map.h"

namespace postrider::table {

/// Writes entries in the format of one kind of index. Keys and values come with their terminators.
class IndexWriter {
 public:
  virtual ~IndexWriter() = default;
  /// Called first, once: many entries with different keys, in any order.
  virtual Result<void> write_all(const StringMap& entries) = 0;
  /// Adds one more entry; false when the key exists, which is replaced or left as it is.
  virtual Result<bool> write(std::string_view key, std::string_view value, bool replace) = 0;
  /// Closes the file.
  virtual Result<void> finish() = 0;
};

/// The indexes in the order in which a tree of keys is filled fastest.
std::vector<uint32_t> sorted_by_key(const StringMap& entries);

/// Entries collect in memory, so that the index can be written in its own order, which is several times
/// faster than in that of the source. What does not fit goes to the index one by one.
class IndexBuilder : public Builder {
 public:
  /// `duplicate_name` is how a warning about a duplicate names the table.
  IndexBuilder(std::string log_name, std::string duplicate_name, const OpenOptions& options, IndexFile file,
               std::unique_ptr<IndexWriter> writer, IndexFile::Overwrite overwrite = {})
      : Builder(std::move(log_name), options),
        duplicate_name_(std::move(duplicate_name)),
        file_(std::move(file)),
        writer_(std::move(writer)),
        overwrite_(std::move(overwrite)) {}

  Result<void> commit() override;

 protected:
  Result<void> do_add(std::string_view key, std::string_view value, bool terminated) override;

 private:
  static constexpr size_t kCollect = size_t{256} << 20;

  /// True when the entry was added or replaced an older one.
  Result<bool> store();

  std::string duplicate_name_;
  IndexFile file_;
  std::unique_ptr<IndexWriter> writer_;
  IndexFile::Overwrite overwrite_;
  StringMap entries_;
  bool writing_ = false;  // The entries collected have been written, others follow one by one.
  std::string key_, value_;
};

}  // namespace postrider::table
