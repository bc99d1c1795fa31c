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

/// The warning for a line with LogicalLine::indented.
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
