// Expansion of $name, ${name?{text}:{text}} and their relatives, as main.cf, mailbox_command, bounce
// templates and reply texts have them.
//
//   $name ${name} $(name)           the value of name
//   $$                              a dollar sign
//   ${name?text} ${name:text}       text if name has a value that is not empty; text if it has not
//   ${name?{a}:{b}}                 either; white space around the braces is ignored
//   ${{a} == {b} ? {x} : {y}}       == != < <= > >=: numbers when both sides are digits only, else text;
//                                   <level <=level ==level !=level >=level >level: compatibility levels
//   ${domain_to_ascii{name}}        a function; also domain_to_utf8
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::config {

/// The value of a name, or nothing when there is no such name.
using MacroLookup = std::function<std::optional<std::string>(std::string_view name)>;

struct MacroOptions {
  /// Values are expanded in their turn.
  bool recursive = false;
  /// Characters that may stand in a value; others become `replacement`. Text that the template itself has is
  /// not touched. Nothing: all characters.
  std::optional<std::string_view> allowed;
  char replacement = '_';
  /// Largest result and intermediate text, in bytes.
  size_t max_size = 1 << 20;
};

struct Expansion {
  std::string text;
  /// Some name was used that has no value at all (being asked by '?' or ':' does not count).
  bool undefined = false;
};

/// Expands `text`. The error text is the line that Postfix logs for it.
Result<Expansion> expand_macros(std::string_view text, const MacroLookup& lookup,
                                const MacroOptions& options = {});

/// The names that `text` refers to, in their order, whatever condition they stand under: for warnings about
/// parameters that nobody uses. The same errors as expand_macros().
Result<void> visit_macros(std::string_view text, const std::function<void(std::string_view name)>& visit);

}  // namespace postrider::config
