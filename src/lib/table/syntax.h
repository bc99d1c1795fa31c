// The grammar that table specifications and text tables share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::table {

/// The next item of a list with commas and white space between items; text in braces stays together. `rest`
/// loses the item and the separators before it. Nothing when only separators are left.
std::optional<std::string_view> next_item(std::string_view& rest);

/// What the braces enclose that begin and end `text`, without white space at its ends.
Result<std::string_view> in_braces(std::string_view text);

struct NameValue {
  std::string_view name, value;
};
/// "name = value"; white space in a name is protected by double quotes, which stay part of it.
Result<NameValue> parse_name_value(std::string_view text);

/// Walks over text in logical lines: a line that begins with white space continues the one before. Empty
/// lines, lines of white space, and lines whose first visible character is '#' are left out, also between a
/// line and its continuation. A null byte ends its logical line.
class LogicalLines {
 public:
  /// `text` must outlive the object.
  explicit LogicalLines(std::string_view text) : rest_(text) {}
  /// Reads a file as it goes, so that its size does not matter.
  explicit LogicalLines(int fd) : fd_(fd) {}

  struct Line {
    std::string_view text;  ///< Valid until the next call.
    int number;             ///< Of its first line.
    bool indented;          ///< The very first line began with white space: there is nothing to continue.
  };
  /// Nothing at the end, and after an error.
  std::optional<Line> next();
  /// Why the walk ended before the end of the file.
  const std::optional<Error>& error() const { return error_; }

  /// The longest logical line.
  static constexpr size_t kMaxLine = size_t{16} << 20;

 private:
  /// The next physical line with content; false at the end.
  bool take_content(std::string_view& line);
  bool take_line(std::string_view& line);
  bool refill();

  std::string_view rest_;
  int fd_ = -1;
  std::string buffer_;  // What rest_ refers to, when reading a file.
  std::string line_, pending_;
  bool has_pending_ = false;
  int number_ = 0;  // Of the physical line taken last.
  int pending_number_ = 0;
  std::optional<Error> error_;
};

/// The warning for a line with LogicalLines::Line::indented.
std::string indented_line_warning(std::string_view path, std::string_view line);

/// "key whitespace value": the entry on a logical line of a text table. Double quotes protect white space in
/// a key and stay part of it.
struct KeyValue {
  std::string_view key, value;
};
/// What is wrong with a line; the texts that go with them differ between postmap and texthash.
enum class LineFault : unsigned char { not_utf8, unbalanced_quote, no_value };
std::expected<KeyValue, LineFault> parse_entry(std::string_view line, bool utf8);
/// The warning without its "file, line n: ". `ignoring` adds that the line is ignored.
std::string fault_text(LineFault fault, std::string_view line, bool ignoring);
/// Whether the line rather looks like one of an alias file.
bool looks_like_alias(const KeyValue& entry);
inline constexpr std::string_view kAliasLikeWarning =
    "record is in \"key: value\" format; is this an alias file?";

}  // namespace postrider::table
