#include "smtp/server_command.h"

#include <algorithm>

#include "base/text.h"

namespace postrider::smtp {

namespace {

constexpr std::array<VerbInfo, kVerbs> kInfo{{
    {.name = "HELO", .ends_group = true, .junk = true},
    {.name = "EHLO", .ends_group = true, .junk = true},
    {.name = "XCLIENT", .ends_group = true},
    {.name = "XFORWARD"},
    {.name = "STARTTLS"},
    {.name = "AUTH"},
    {.name = "MAIL"},
    {.name = "RCPT"},
    {.name = "DATA", .ends_group = true},
    {.name = "BDAT"},
    {.name = "RSET", .junk = true},
    {.name = "NOOP", .ends_group = true, .junk = true},
    {.name = "VRFY", .ends_group = true, .junk = true},
    {.name = "ETRN", .junk = true},
    {.name = "QUIT"},
    {.name = "HELP"},
    {.name = "UNKNOWN"},
}};

}  // namespace

const VerbInfo& info(Verb verb) {
  return kInfo[static_cast<size_t>(verb)];
}

Verb find_verb(std::string_view word) {
  for (size_t i = 0; i < static_cast<size_t>(Verb::unknown); ++i) {
    if (equals_ignore_case(kInfo[i].name, word)) return static_cast<Verb>(i);
  }
  return Verb::unknown;
}

std::string verb_list() {
  std::vector<std::string> names;
  for (size_t i = 0; i < static_cast<size_t>(Verb::unknown); ++i)
    names.emplace_back(kInfo[i].name);
  std::sort(names.begin(), names.end());
  return join(names, " ");
}

CommandLine parse_command_line(std::string_view line) {
  CommandLine out;
  std::string_view rest = line;
  while (out.words.size() < kMaxCommandWords) {
    auto word = mail::next_smtp_word(rest);
    if (!word) break;
    out.words.push_back(*word);
  }
  if (!out.words.empty()) out.verb = find_verb(out.name());
  return out;
}

std::string joined(std::span<const mail::SmtpWord> words) {
  std::string out;
  for (const mail::SmtpWord& word : words) {
    if (!out.empty()) out += ' ';
    out += word.text;
  }
  return out;
}

}  // namespace postrider::smtp
