// Paths of MAIL FROM and RCPT TO (RFC 5321 section 4.1.2), with what senders get wrong in practice.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace postrider::mail {

struct SmtpWord {
  std::string_view text;
  bool balanced;  ///< False when a "<" or quote in it is not closed: such a command is refused.
};

/// The first word of a command's arguments; `rest` loses it and the white space around it. White space
/// between
/// "<" and ">", between quotes or behind a backslash does not end a word. "To:" and "From:" end a word where
/// they begin one, so that "FROM:<address>" is two. Nothing when only white space is left.
std::optional<SmtpWord> next_smtp_word(std::string_view& rest);

struct PathOptions {
  bool strict = false;       ///< strict_rfc821_envelopes: "<", an address and ">", nothing else.
  bool allow_empty = false;  ///< The null address is good (MAIL FROM).
};

enum class PathProblem : unsigned char {
  several_addresses,  ///< More than one address.
  not_strict,         ///< Comments, a display name or no brackets, under `strict`.
  empty,              ///< No address where one is needed.
};

/// A text for people.
std::string_view describe(PathProblem problem);

/// The address in a path, in internal form; empty for the null address. A source route is dropped. The domain
/// is not looked at: that is the resolver's job.
std::expected<std::string, PathProblem> parse_smtp_path(std::string_view path, PathOptions options = {});

}  // namespace postrider::mail
