// Changing main.cf and master.cf in place: comments, order and everything that is not asked for stay.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/logical_lines.h"
#include "base/result.h"

namespace postrider::config {

/// What becomes of one entry (a logical line).
struct EntryEdit {
  enum class Action : unsigned char { keep, replace, remove, comment_out };
  Action action = Action::keep;
  std::string text;  ///< For replace: the new entry, without the last line end.
};

/// Asks `decide` about every entry of `text`. A replacement stands where the entry began; comments and blank
/// lines inside an entry stay. `appended` are further entries for the end; a last line without line end gets
/// one.
std::string edit_entries(std::string_view text, const std::function<EntryEdit(const LogicalLine&)>& decide,
                         const std::vector<std::string>& appended);

enum class MainCfAction : unsigned char { set, remove, comment_out };
struct MainCfChange {
  std::string name;
  std::string value;  ///< For MainCfAction::set.
};
/// The text of main.cf with the changes; every entry of a name is changed. `warnings` gets a line for a name
/// that has several entries.
Result<std::string> edit_main_cf(std::string_view text, std::string_view path, MainCfAction action,
                                 const std::vector<MainCfChange>& changes,
                                 std::vector<std::string>& warnings);

/// Replaces the content of `path` with change(content). Others who do the same wait (they lock PATH.tmp);
/// readers see the old or the new file, also after a crash. Mode and, where permitted, owner stay.
Result<void> edit_file(const std::string& path,
                       const std::function<Result<std::string>(std::string_view content)>& change);

}  // namespace postrider::config
