// Constant databases (tinycdb): written once, then only read. A file holds at most 4 GB.
#pragma once

#include <cdb.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::table {

/// A file that is open for lookups. Nothing in a damaged file leads out of it.
class CdbFile {
 public:
  CdbFile() = default;
  CdbFile(const CdbFile&) = delete;
  CdbFile& operator=(const CdbFile&) = delete;
  ~CdbFile() { close(); }

  /// Maps the file; `fd` stays the caller's. `path` is for error texts.
  Result<void> open(int fd, const std::string& path);
  void close();

  Result<std::optional<std::string>> find(std::string_view key);

  struct Record {
    std::string key, value;
  };
  /// The records in their order in the file; nothing at the end. Of equal keys only the first comes, which is
  /// the one that find() finds.
  Result<std::optional<Record>> first();
  Result<std::optional<Record>> next();

 private:
  std::unexpected<Error> failed() const;

  bool open_ = false;
  std::string path_;
  ::cdb db_{};
  unsigned position_ = 0;
};

}  // namespace postrider::table
