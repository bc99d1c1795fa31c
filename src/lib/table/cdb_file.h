// Constant databases, in D. J. Bernstein's file format: a table of 256 hash tables, the records, the hash
// tables. Numbers are little-endian; a file holds at most 4 GB.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::table {

inline constexpr size_t kCdbTables = 256;
inline constexpr size_t kCdbHeader = kCdbTables * 8;

uint32_t cdb_hash(std::string_view key);

/// Looks into the bytes of such a file. Nothing in a damaged file leads out of it.
class CdbView {
 public:
  CdbView() = default;
  /// An error when the bytes cannot be such a file.
  static Result<CdbView> over(std::string_view bytes);

  std::optional<std::string_view> find(std::string_view key) const;

  struct Record {
    std::string_view key, value;
    uint32_t next = 0;  ///< Where the record behind it is.
  };
  /// The record at a position; the first is at kCdbHeader. Nothing at the end.
  std::optional<Record> record_at(uint32_t position) const;

 private:
  std::optional<uint32_t> number_at(size_t position) const;

  std::string_view bytes_;
  uint32_t records_end_ = 0;
};

}  // namespace postrider::table
