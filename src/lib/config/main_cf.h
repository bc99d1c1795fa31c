// The syntax of main.cf.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postrider::config {

struct MainCfEntry {
  std::string name, value;
  int line = 0;  ///< Where the entry begins, from 1.
};

struct MainCf {
  std::vector<MainCfEntry> entries;   ///< In the order of the file; of two with one name the last counts.
  std::vector<std::string> warnings;  ///< Lines for the log, in Postfix's words.
};

/// Largest main.cf or master.cf.
inline constexpr size_t kMaxConfigFile = 16 << 20;

/// The warning about an indented line that continues nothing.
std::string misplaced_line(std::string_view path, std::string_view line);

/// Reads the text of main.cf; `path` is for messages. The error is Postfix's, with path and line.
Result<MainCf> parse_main_cf(std::string_view text, std::string_view path);

}  // namespace postrider::config
