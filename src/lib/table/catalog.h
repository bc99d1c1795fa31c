// The tables of a process, each opened once.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "table/open.h"

namespace postrider::table {

/// How a parameter uses its tables.
struct Use {
  bool fold_fixed = true;         ///< As Behaviour.
  bool fold_patterns = false;     ///< As Behaviour.
  bool paranoid = false;          ///< As OpenOptions.
  bool no_substitution = false;   ///< As OpenOptions.
  bool values_are_files = false;  ///< As OpenOptions.
  bool any_bytes = false;         ///< Keys are content, and need not be UTF-8.
  friend auto operator<=>(const Use&, const Use&) = default;
};

/// Opens tables and keeps them for as long as it lives; what several parameters name is opened once. A daemon
/// has one, and opens all its tables while it may still open everything.
class Catalog {
 public:
  /// `options` for all tables; what Use has is taken from there.
  explicit Catalog(OpenOptions options) : options_(std::move(options)) {}
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  /// Never null: a table that cannot be opened is stood in for by one whose lookups fail. An error only where
  /// `spec` is not of the form "type:name".
  Result<std::shared_ptr<Table>> open(std::string_view spec, Use use = {});

  /// The name of a table whose new content this process cannot read; see Table::is_stale(). Empty when all is
  /// well.
  std::string stale_table() const;

  void log(Severity severity, std::string_view text) const {
    if (options_.log) options_.log(severity, text);
  }
  bool utf8() const { return options_.behaviour.utf8; }

 private:
  OpenOptions options_;
  std::map<std::pair<std::string, Use>, std::shared_ptr<Table>> tables_;
};

/// What an answer rests on. The views live as long as the Maps or MatchList that gave it.
struct Provenance {
  std::string_view parameter;  ///< The parameter that lists the table or pattern.
  std::string_view source;     ///< The table, "hash:/etc/postfix/x", or the pattern of a list.
  std::string key;             ///< What was looked up.
};

}  // namespace postrider::table
