// The sources that tables are built from.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "table/table.h"

namespace postrider::index {

/// What is wrong with a line, as it is logged behind "file, line n: "; of a line without content nothing is
/// said.
struct LineProblem {
  std::string text;
  bool nothing = false;
};

/// "name: value" of aliases(5). The name loses its quotes, the value keeps what quotes it needs.
std::expected<table::Entry, LineProblem> parse_alias_line(std::string_view line, bool utf8);

/// "key value" of postmap(1); see OpenOptions::values_are_files. `remark` is a warning about an entry that
/// stands.
std::expected<table::Entry, LineProblem> parse_map_line(std::string_view line, bool values_are_files,
                                                        bool utf8, std::string& remark);

}  // namespace postrider::index
