// Text helpers for ASCII protocols. Letters are those of US-ASCII; other bytes pass unchanged.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postrider {

/// White space as the C locale has it: space, \t, \n, \v, \f, \r.
constexpr bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_alnum(char c) {
  return is_alpha(c) || is_digit(c);
}
constexpr bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}
constexpr bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}
constexpr bool is_printable(char c) {
  return c >= 0x20 && c < 0x7f;
}
constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
constexpr char to_upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

std::string lowercase(std::string_view text);
std::string uppercase(std::string_view text);
bool equals_ignore_case(std::string_view a, std::string_view b);
bool starts_with_ignore_case(std::string_view text, std::string_view prefix);
bool ends_with_ignore_case(std::string_view text, std::string_view suffix);
bool is_all_digits(std::string_view text);  ///< False for the empty string.
bool is_all_ascii(std::string_view text);

/// Without white space (as is_space() has it) at both ends.
std::string_view trim(std::string_view text);
std::string_view trim_left(std::string_view text);
std::string_view trim_right(std::string_view text);

/// The pieces between runs of any of `separators`; empty pieces are dropped.
std::vector<std::string_view> split_any(std::string_view text, std::string_view separators);
/// The pieces between single `separator`s; empty pieces are kept ("" gives one empty piece).
std::vector<std::string_view> split_each(std::string_view text, char separator);
/// The pieces of a temporary would be gone before they are used.
std::vector<std::string_view> split_any(std::same_as<std::string> auto&& text,
                                        std::string_view separators) = delete;
std::vector<std::string_view> split_each(std::same_as<std::string> auto&& text, char separator) = delete;
/// The first piece before any of `separators`; `rest` loses it and the separators around it.
/// Nothing when only separators are left.
std::optional<std::string_view> next_token(std::string_view& rest, std::string_view separators);
/// As split_any(), but separators between '{' and its matching '}' belong to the piece, wherever in the piece
/// that is: "inline:{a=b, c=d}" is one. The braces are kept. An unbalanced '{' runs to the end of the text.
std::vector<std::string_view> split_braced(std::string_view text, std::string_view separators);
std::vector<std::string_view> split_braced(std::same_as<std::string> auto&& text,
                                           std::string_view separators) = delete;
/// The separators of lists in main.cf: comma and white space.
inline constexpr std::string_view kListSeparators = ", \t\r\n";

/// A decimal number that fills the whole text and fits; a sign is accepted.
std::optional<int64_t> parse_int(std::string_view text);
std::optional<uint64_t> parse_unsigned(std::string_view text, int base = 10);

/// Control characters and bytes that are not well-formed UTF-8 become `replacement`. For text that a peer
/// sent and that goes into a log line or a reply.
std::string printable(std::string_view text, char replacement = '?');
/// As printable(), and all bytes outside US-ASCII become `replacement` too.
std::string printable_ascii(std::string_view text, char replacement = '?');
/// C-style escapes (\r, \n, \t, \ooo) for control and non-ASCII bytes and the backslash.
std::string escaped(std::string_view text);
/// The same backwards: \a \b \f \n \r \t \v, and up to three octal digits. A backslash in front of anything
/// else goes.
std::string unescaped(std::string_view text);
/// Well-formed UTF-8 without surrogates and overlong forms (RFC 3629).
bool is_valid_utf8(std::string_view text);

/// All occurrences of `from` replaced.
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);
/// `items` with `separator` between them.
std::string join(const std::vector<std::string>& items, std::string_view separator);

/// Lets std::unordered_map<std::string, ...> be asked with a std::string_view.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

}  // namespace postrider
