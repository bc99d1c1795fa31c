// An ordered list of tables, as in "virtual_alias_maps = hash:/etc/postfix/virtual, regexp:/etc/postfix/re".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "table/catalog.h"

namespace postrider::table {

/// Which tables of a list a key is looked up in.
enum class Where : unsigned char {
  all,
  /// Those with fixed keys only: for a part of an address or a parent domain, which patterns would take for
  /// the whole.
  fixed_keys,
};

class Maps {
 public:
  /// No tables.
  Maps() = default;
  /// Opens the tables of a parameter value; the catalog must outlive the object. An error only where an item
  /// is not of the form "type:name".
  static Result<Maps> create(Catalog& catalog, std::string_view parameter, std::string_view value,
                             Use use = {});

  struct Found {
    std::string value;
    Provenance origin;
  };
  /// The value in the first table that has the key; nothing for an empty key. The search ends with an error,
  /// after a warning, when a table cannot answer, or has an empty or malformed value (ErrorKind::invalid).
  Result<std::optional<Found>> find(std::string_view key, Where where, Deadline deadline) const;
  /// As find(), for tables whose values are files in base64 (postmap -F, Use::values_are_files).
  Result<std::optional<Found>> find_file(std::string_view key, Where where, Deadline deadline) const;

  /// From now on an empty value is one like any other.
  void allow_empty_values() { allows_empty_ = true; }

  bool empty() const { return tables_.empty(); }
  const std::string& parameter() const { return parameter_; }
  const std::vector<std::shared_ptr<Table>>& tables() const { return tables_; }

 private:
  Result<std::optional<Found>> failed(const Table& table, std::string_view key, const Error& error) const;

  Catalog* catalog_ = nullptr;
  std::string parameter_;
  std::vector<std::shared_ptr<Table>> tables_;
  bool allows_empty_ = false;
};

}  // namespace postrider::table
