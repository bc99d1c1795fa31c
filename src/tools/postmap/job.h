// What the command does with its tables.
#pragma once

#include <string>

#include "base/result.h"
#include "tools/postmap/options.h"

namespace postrider::postmap {

/// What comes from main.cf.
struct Settings {
  std::string default_type;
  table::OpenOptions tables;  ///< With the log.
  std::string host_name;
};

/// "type:name" with the default type where none is given.
std::string full_spec(std::string_view table, const Settings& settings);
/// How a table is opened for these options.
table::OpenOptions open_options(const Options& options, const Settings& settings, table::Access access);

// All return the exit status, or an error to complain with.

/// Builds the tables from their sources, or adds entries from standard input (-i).
Result<int> build_tables(const Options& options, const Settings& settings);
/// Prints the value of a key; -q.
Result<int> query(const Options& options, const Settings& settings);
/// Prints keys from standard input with their values; -q -.
Result<int> query_stdin(const Options& options, const Settings& settings);
/// Removes keys; -d.
Result<int> remove_keys(const Options& options, const Settings& settings);
/// Prints all entries; -s.
Result<int> list_entries(const Options& options, const Settings& settings);

}  // namespace postrider::postmap
