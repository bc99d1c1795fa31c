#include "table/syntax.h"

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::table {

namespace {

/// The length of the brace-delimited text at the start of `text`, 0 when it is not closed.
size_t balanced(std::string_view text) {
  int level = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') ++level;
    if (text[i] == '}' && --level == 0) return i + 1;
  }
  return 0;
}

/// The end of a word in which double quotes protect `stop` characters and a backslash the character behind
/// it; nothing when a quote is not closed.
template <typename Stop>
std::optional<size_t> quoted_word_end(std::string_view text, Stop stop) {
  bool quoted = false;
  size_t at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '\\') {
      if (++at == text.size()) break;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (!quoted && stop(text[at])) {
      break;
    }
  }
  if (quoted) return std::nullopt;
  return at;
}

}  // namespace

std::optional<std::string_view> next_item(std::string_view& rest) {
  size_t begin = rest.find_first_not_of(kListSeparators);
  if (begin == std::string_view::npos) {
    rest = {};
    return std::nullopt;
  }
  int level = 0;
  size_t end = begin;
  for (; end < rest.size(); ++end) {
    char c = rest[end];
    if (c == '{') ++level;
    if (level > 0 && c == '}') --level;
    if (level == 0 && kListSeparators.find(c) != std::string_view::npos) break;
  }
  std::string_view item = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return item;
}

Result<std::string_view> in_braces(std::string_view text) {
  if (!text.starts_with('{')) {
    return fail(ErrorKind::invalid, fmt::format("no '{{' at start of text in \"{}\"", text));
  }
  size_t length = balanced(text);
  if (length == 0) return fail(ErrorKind::invalid, fmt::format("missing '}}' in \"{}\"", text));
  if (!trim(text.substr(length)).empty()) {
    return fail(ErrorKind::invalid, fmt::format("syntax error after '}}' in \"{}\"", text));
  }
  return trim(text.substr(1, length - 2));
}

Result<NameValue> parse_name_value(std::string_view text) {
  text = trim_left(text);
  if (text.empty()) return fail(ErrorKind::invalid, "no key found; expected format: key = value");
  auto end = quoted_word_end(text, [](char c) { return is_space(c) || c == '='; });
  if (!end) return fail(ErrorKind::invalid, "unbalanced '\"'");
  std::string_view name = text.substr(0, *end);
  std::string_view rest = trim_left(text.substr(*end));
  if (!rest.starts_with('=')) return fail(ErrorKind::invalid, "missing '=' after attribute name");
  return NameValue{name, trim(rest.substr(1))};
}

std::string indented_line_warning(std::string_view path, std::string_view line) {
  constexpr size_t kShown = 30;
  return fmt::format("{}: logical line must not start with whitespace: \"{}{}\"", path,
                     printable(line.substr(0, kShown)), line.size() > kShown ? "..." : "");
}

std::expected<KeyValue, LineFault> parse_entry(std::string_view line, bool utf8) {
  if (utf8 && !is_all_ascii(line) && !is_valid_utf8(line)) return std::unexpected(LineFault::not_utf8);
  auto end = quoted_word_end(line, is_space);
  if (!end) return std::unexpected(LineFault::unbalanced_quote);
  KeyValue entry{line.substr(0, *end), trim(line.substr(*end))};
  if (entry.key.empty() || entry.value.empty()) return std::unexpected(LineFault::no_value);
  return entry;
}

std::string fault_text(LineFault fault, std::string_view line, bool ignoring) {
  switch (fault) {
    case LineFault::not_utf8:
      return fmt::format("non-UTF-8 input \"{}\" -- ignoring this line", printable(line));
    case LineFault::unbalanced_quote:
      return fmt::format("unbalanced '\"' in '{}' -- ignoring this line", printable(line));
    case LineFault::no_value:
      break;
  }
  return fmt::format("expected format: key whitespace value{}", ignoring ? " -- ignoring this line" : "");
}

bool looks_like_alias(const KeyValue& entry) {
  return entry.key.ends_with(':');
}

}  // namespace postrider::table
