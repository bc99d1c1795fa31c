// What tables that ask databases have in common: which keys they ask for, and the text of their results.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "table/catalog.h"
#include "table/database_config.h"
#include "table/key_template.h"
#include "table/match_list.h"

namespace postrider::table {

/// The parameters domain, result_format and expansion_limit.
class DatabaseResults {
 public:
  /// `name` is the table's, for messages; `format` the value of result_format.
  static Result<DatabaseResults> create(std::string_view type, std::string_view name,
                                        const DatabaseConfig& config, const std::string& format,
                                        const OpenOptions& options);

  /// Whether the database is to be asked: `domain` lists the key's.
  Result<bool> wants(std::string_view key, Deadline deadline) const;

  /// Collects the results for one key, with commas between them.
  class Collector {
   public:
    Collector(const DatabaseResults& results, std::string_view key) : results_(results), key_(key) {}
    /// False when there are more than expansion_limit.
    bool add(std::string_view value);
    /// Nothing when no result was of use.
    std::optional<std::string> take();

   private:
    const DatabaseResults& results_;
    std::string_view key_;
    std::optional<std::string> text_;
    int count_ = 0;
  };

  int expansion_limit() const { return limit_; }
  /// The most values that are of use; asked for as the limit of rows.
  size_t most_values() const { return limit_ > 0 ? static_cast<size_t>(limit_) : kMostValues; }

 private:
  /// Of a database without expansion_limit: more is a mistake in the query.
  static constexpr size_t kMostValues = 100'000;

  std::string spec_;
  KeyTemplate format_;
  int limit_ = 0;
  bool filtered_ = false;
  std::shared_ptr<Catalog> catalog_;  // Of the tables in `domain`.
  MatchList domains_;
  LogSink log_;
};

}  // namespace postrider::table
