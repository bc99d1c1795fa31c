// master.cf as postconf sees it: columns that can be shown and edited.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/master_cf.h"

namespace postrider::postconf {

/// Where an argument gets braces.
enum class Braces : unsigned char {
  needed,      ///< Wherever master.cf needs them.
  as_postfix,  ///< As Postfix shows entries: not around the first argument that is no option, nor around an
               ///< empty one or one that begins with a brace.
};

/// One entry. The first seven fields and the command are words; arguments have no braces.
struct MasterEntry {
  std::vector<std::string> fields;  ///< kMasterCommand + 1 of them: "smtp", "inet", ..., "smtpd"
  std::vector<std::string> arguments;
  /// The parameters of -o options, also those of other entries with this name and type; of two with one name
  /// the last.
  std::map<std::string, std::string, std::less<>> overrides;
  std::vector<std::string> override_names;  ///< The same names as they came.

  const std::string& name() const { return fields[0]; }
  const std::string& type() const { return fields[1]; }
  const std::string& command() const { return fields[config::kMasterCommand]; }
  /// "smtp/inet"
  std::string id() const { return name() + "/" + type(); }
  /// The command with its arguments; in one line, or with every -o option on a line of its own. `length` is
  /// what stands before it on the first line.
  std::string command_line(bool fold, size_t length, Braces braces) const;
};

/// Reads one entry, with "-oname=value" as "-o" and "name=value". Errors are postconf's, without a file name:
/// 'invalid type field "x" in "entry"'. Broken braces and -o options only give warnings.
Result<MasterEntry> parse_entry(std::string_view text, std::vector<std::string>& warnings);
/// Checks one column: "y", "n", "-" and so on. `context` is shown in the error.
Result<void> check_field(size_t column, std::string_view value, std::string_view context);
/// All entries of a file; the error names file and line.
Result<std::vector<MasterEntry>> parse_entries(std::string_view text, std::string_view path,
                                               std::vector<std::string>& warnings);

/// Whether the argument is an option of the daemon; "--" ends them.
bool is_option(std::string_view argument);

/// The -o options among the arguments: the position of each value, and what it sets.
struct OverrideAt {
  size_t value;  ///< Index of the argument "name=value".
  std::string name;
};
std::vector<OverrideAt> overrides_in(const std::vector<std::string>& arguments);

/// The entry as postconf writes it: columns, and every -o option on a line of its own when `fold`.
std::string entry_text(const MasterEntry& entry, bool fold, Braces braces);

/// A word without the braces around it. What is wrong with them becomes a line in `problems`, and of the word
/// stays what can be made out.
std::string open_braces(std::string_view word, std::vector<std::string>& problems);

}  // namespace postrider::postconf
