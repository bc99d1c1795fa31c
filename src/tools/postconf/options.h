// The command line of postconf.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/value_text.h"

namespace postrider::postconf {

/// What the command is about; one of them.
enum class Subject : unsigned char {
  main_parameters,   ///< -p, or nothing
  master_entries,    ///< -M
  master_fields,     ///< -F
  master_params,     ///< -P
  server_sasl,       ///< -a
  client_sasl,       ///< -A
  lock_types,        ///< -l
  table_types,       ///< -m
  tls,               ///< -T
  bounce_texts,      ///< -b
  bounce_templates,  ///< -t
  coverage,          ///< --coverage
};
enum class Edit : unsigned char { none, set, remove, comment_out };

struct Options {
  Subject subject = Subject::main_parameters;
  Edit edit = Edit::none;
  bool defaults = false;                             ///< -d
  bool only_set = false;                             ///< -n
  bool expand = false;                               ///< -x
  bool fold = false;                                 ///< -f
  bool hide_name = false;                            ///< -h
  bool hide_value = false;                           ///< -H
  bool json = false;                                 ///< -j
  bool quiet = false;                                ///< -q
  bool all_of_master = false;                        ///< -PP
  bool builtin = true, service = true, user = true;  ///< -C
  std::string directory;                             ///< -c
  std::string tls_topic;                             ///< -T
  std::vector<config::Assignment> overrides;         ///< -o
  std::vector<std::string> arguments;
};

/// Reads the command line. Error texts are those behind "fatal: ".
Result<Options> parse_options(int argc, char** argv);

/// The name of the program as it was called, for messages.
void set_program_name(std::string_view name);
void warn(std::string_view text);
[[noreturn]] void fatal(std::string_view text);

}  // namespace postrider::postconf
