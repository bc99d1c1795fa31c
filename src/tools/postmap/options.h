// The command line of postmap and postalias.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "table/open.h"

namespace postrider::postmap {

/// The two commands differ in the grammar of their source and in how they print entries.
enum class Command : unsigned char { postmap, postalias };

struct Options {
  Command command = Command::postmap;
  std::vector<std::string> tables;                         ///< "type:name", or "name" for the default type.
  std::string config_directory;                            ///< -c
  std::optional<std::string> query;                        ///< -q: a key, "-" for standard input.
  std::optional<std::string> removal;                      ///< -d: likewise.
  bool sequence = false;                                   ///< -s
  bool incremental = false;                                ///< -i
  bool header_keys = false;                                ///< -h
  bool body_keys = false;                                  ///< -b
  bool parse_mime = false;                                 ///< -m
  bool values_are_files = false;                           ///< -F
  bool json = false;                                       ///< -j
  bool fold = true;                                        ///< -f turns it off.
  bool utf8 = true;                                        ///< -u turns it off.
  bool force_utf8 = false;                                 ///< -U
  bool as_owner = true;                                    ///< -o turns it off.
  bool inherit_mode = true;                                ///< -p turns it off.
  table::Duplicates duplicates = table::Duplicates::warn;  ///< -r, -w
  table::Terminator terminator = table::Terminator::automatic;  ///< -N, -n
  int verbose = 0;                                              ///< -v

  bool from_stdin() const { return query == "-"; }
};

/// The error is what the command complains with; getopt() has written its own line before.
Result<Options> parse_options(Command command, int argc, char** argv);

}  // namespace postrider::postmap
