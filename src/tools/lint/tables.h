// The tables that the configuration names, and their content as far as it is in files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "table/open.h"
#include "tools/lint/model.h"

namespace postrider::lint {

/// What a parameter does with its tables.
enum class TableRole : unsigned char {
  maps,          ///< Every word is a table.
  list,          ///< Words, files and tables.
  restrictions,  ///< A list of restrictions.
  cache,         ///< A table that a service makes for itself.
};
/// Nothing for parameters that name no tables.
std::optional<TableRole> table_role(const Model& model, std::string_view parameter, const Service* service);

struct TableUse {
  std::string type, name;  ///< "hash", "/etc/postfix/x"
  std::string parameter;
  TableRole role = TableRole::maps;
  Place place;
  const Service* service = nullptr;
  bool proxied = false;

  std::string spec() const { return type + ":" + name; }
};
/// What main.cf and overrides name, also inside of "unionmap:{...}". For plain words in a list of tables
/// `type` is empty;
/// "/file" in lists has the type "file".
std::vector<TableUse> table_uses(const Model& model);
/// The tables of one value.
std::vector<TableUse> tables_in(std::string_view value, TableRole role);

/// Where an index of this type is, ".db"; empty for other types.
std::string_view index_suffix(std::string_view type);
/// Tables that are text: their whole content is in the file.
bool is_text_type(std::string_view type);
/// Tables that other systems have.
bool is_elsewhere(std::string_view type);
/// The path of a table; names that do not begin with "/" count from the queue directory, where daemons run.
std::string table_path(const Model& model, std::string_view name);

struct TableEntry {
  std::string key, value;
  int line = 0;  ///< Of the source; 0 where only the index is there.
};
/// The entries of a table in a file or in the configuration itself; keys of regexp and pcre tables are
/// patterns with their delimiters. Nothing for tables that other systems have, and where there are too many.
std::vector<TableEntry> entries_of(const Model& model, std::string_view type, std::string_view name);

/// From here on tables that other systems have are asked, in the whole process; else they know nothing.
void ask_tables_elsewhere();
bool asks_tables_elsewhere();
/// A table that does not answer is not asked again.
void give_up_table(const std::string& spec);

/// For opening tables here: those that need another system are empty, those behind "proxy:" are opened
/// directly.
table::OpenOptions offline_options(const config::Config& config, table::LogSink log);

}  // namespace postrider::lint
