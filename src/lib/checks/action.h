// What a header_checks(5) table says about a line.
#pragma once

#include <string>
#include <string_view>

namespace postrider::checks {

enum class Verb : unsigned char {
  dunno,  ///< Nothing; also for OK, and in place of an action that is not usable.
  // What any program can do with a line:
  info,
  warn,
  ignore,  ///< The line goes.
  strip,   ///< The same, with a log line.
  prepend,
  replace,
  // What needs the whole message:
  reject,
  discard,
  hold,
  pass,  ///< No more checks for this message.
  filter,
  redirect,
  bcc,
};

/// What is looked at.
enum class Place : unsigned char { header, body };
std::string_view to_text(Place place);  ///< "header", "body", as in log lines.

/// Which actions a program knows.
enum class Repertoire : unsigned char {
  lines,    ///< Up to `replace`; others are "unsupported".
  messages  ///< All.
};

struct Action {
  Verb verb = Verb::dunno;
  /// What follows the verb. For `reject` a status code and a text, "5.7.1 No thanks"; that of `ignore` and
  /// `dunno` means nothing.
  std::string text;

  /// The word in log lines: "warning", "replace".
  std::string_view log_word() const;
};

/// Reads the right-hand side of a table entry. What is malformed is logged as a warning that names
/// `parameter`, and counts as `dunno`.
Action parse_action(std::string_view value, Place place, std::string_view parameter, Repertoire repertoire);

}  // namespace postrider::checks
