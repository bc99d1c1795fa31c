// Command lines as an SMTP server reads them (RFC 5321 section 4.1).
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mail/smtp_path.h"

namespace postrider::smtp {

/// The commands that the server knows, in the order in which statistics list them.
enum class Verb : unsigned char {
  helo,
  ehlo,
  xclient,
  xforward,
  starttls,
  auth,
  mail,
  rcpt,
  data,
  bdat,
  rset,
  noop,
  vrfy,
  etrn,
  quit,
  help,
  unknown,
};
inline constexpr size_t kVerbs = static_cast<size_t>(Verb::unknown) + 1;

struct VerbInfo {
  std::string_view name;    ///< "EHLO"
  bool ends_group = false;  ///< Must be the last command of a pipelined group (RFC 2920).
  bool junk = false;        ///< Gets a client nowhere: counts for smtpd_junk_command_limit.
};
const VerbInfo& info(Verb verb);
/// In any case; Verb::unknown for a word that is no command.
Verb find_verb(std::string_view word);
/// The commands as HELP lists them: sorted, with blanks between.
std::string verb_list();

/// A command line in words. They are parts of the text, which must outlive this.
struct CommandLine {
  Verb verb = Verb::unknown;
  std::vector<mail::SmtpWord> words;  ///< At least one: the command itself.

  std::string_view name() const { return words.front().text; }
  /// What follows the command.
  std::span<const mail::SmtpWord> arguments() const { return std::span(words).subspan(1); }
};

/// How many words of a line are looked at; no command has as many.
inline constexpr size_t kMaxCommandWords = 100;

/// Nothing to do with the grammar of the single commands. `words` is empty when the line is blank.
CommandLine parse_command_line(std::string_view line);

/// The words with single blanks between them.
std::string joined(std::span<const mail::SmtpWord> words);

}  // namespace postrider::smtp
