#include "tools/postconf/master_file.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/logical_lines.h"
#include "base/text.h"
#include "config/main_cf.h"
#include "config/value_text.h"
#include "tools/postconf/print.h"

namespace postrider::postconf {
namespace {

using config::kMasterCommand;
using config::kMasterFields;

std::unexpected<Error> refuse(std::string text) {
  return fail(ErrorKind::invalid, std::move(text));
}

// Where the columns begin when the fields are not too long.
constexpr size_t kColumns[] = {0, 11, 17, 25, 33, 41, 49, 57};

/// The argument as the daemon gets it.
std::string argument_of(std::string_view word, std::vector<std::string>& warnings) {
  std::vector<std::string> problems;
  std::string argument = open_braces(word, problems);
  for (const std::string& problem : problems)
    warnings.push_back("master.cf: " + problem);
  return argument;
}

/// What an -o option sets, without braces, and without the spaces that "{ name = value }" had. A word without
/// '=' is the daemon's to complain about; only text in braces is worth a line here.
std::string override_of(const std::string& word, std::vector<std::string>& warnings) {
  if (!word.starts_with('{')) return word;
  std::string text = argument_of(word, warnings);
  auto parsed = config::parse_assignment(text);
  if (parsed) return fmt::format("{}={}", parsed->name, parsed->value);
  warnings.push_back("master.cf: " + parsed.error().text);
  return text;
}

/// "-vvoname=value" becomes "-vv", "-o" and "name=value".
void separate_options(std::vector<std::string>& arguments) {
  for (size_t i = 0; i < arguments.size() && is_option(arguments[i]); ++i) {
    size_t letter = arguments[i].find('o', 1);
    if (letter == std::string::npos) continue;
    std::string value = arguments[i].substr(letter + 1);
    auto at = arguments.begin() + static_cast<ptrdiff_t>(i);
    if (letter > 1) {
      at->resize(letter);
      at = arguments.insert(at + 1, "-o");
      ++i;
    } else {
      *at = "-o";
    }
    if (!value.empty()) arguments.insert(at + 1, std::move(value));
    ++i;
  }
}

bool is_number(std::string_view text) {
  return is_all_digits(text);
}

}  // namespace

bool is_option(std::string_view argument) {
  return argument.starts_with('-') && argument != "--";
}

Result<void> check_field(size_t column, std::string_view value, std::string_view context) {
  bool valid = !value.empty() && value.find_first_of(" \t\r\n") == std::string_view::npos;
  switch (column) {
    case 1:
      valid = config::parse_service_type(value).has_value();
      break;
    case 2:
    case 3:
    case 4:
      valid = value == "y" || value == "n" || value == "-";
      break;
    case 5:
      valid = value == "?" || value == "-?" || value == "-" ||
              is_number(value.ends_with('?') ? value.substr(0, value.size() - 1) : value);
      break;
    case 6:
      valid = value == "-" || is_number(value);
      break;
    default:
      break;
  }
  if (valid) return {};
  return refuse(fmt::format("invalid {} field \"{}\" in \"{}\"", kMasterFields[column], value, context));
}

std::vector<OverrideAt> overrides_in(const std::vector<std::string>& arguments) {
  std::vector<OverrideAt> out;
  for (size_t i = 0; i < arguments.size() && is_option(arguments[i]); ++i) {
    if (arguments[i] != "-o") continue;
    if (++i == arguments.size()) break;
    auto parsed = config::parse_assignment(arguments[i]);
    if (parsed) out.push_back({i, parsed->name});
  }
  return out;
}

Result<MasterEntry> parse_entry(std::string_view text, std::vector<std::string>& warnings) {
  std::vector<std::string> words = config::split_master_entry(text);
  if (words.size() <= kMasterCommand) return refuse("bad field count");
  for (size_t column = 1; column < kMasterCommand; ++column)
    TRY(check_field(column, words[column], text));
  MasterEntry entry;
  entry.fields.assign(words.begin(), words.begin() + kMasterCommand + 1);
  entry.arguments.assign(words.begin() + kMasterCommand + 1, words.end());
  separate_options(entry.arguments);
  bool options = true;
  for (size_t i = 0; i < entry.arguments.size(); ++i) {
    options = options && is_option(entry.arguments[i]);
    if (!options)
      entry.arguments[i] = argument_of(entry.arguments[i], warnings);
    else if (entry.arguments[i] == "-o" && ++i < entry.arguments.size())
      entry.arguments[i] = override_of(entry.arguments[i], warnings);
  }
  for (const OverrideAt& found : overrides_in(entry.arguments)) {
    auto parsed = config::parse_assignment(entry.arguments[found.value]);
    auto [at, is_new] = entry.overrides.insert_or_assign(parsed->name, parsed->value);
    if (is_new) entry.override_names.push_back(parsed->name);
  }
  return entry;
}

namespace {

/// Entries of one name and type are one service, as far as their parameters go.
void share_overrides(std::vector<MasterEntry>& entries) {
  std::map<std::string, MasterEntry> services;
  for (const MasterEntry& entry : entries) {
    MasterEntry& service = services[entry.id()];
    for (const std::string& name : entry.override_names) {
      auto [at, is_new] = service.overrides.insert_or_assign(name, entry.overrides.at(name));
      if (is_new) service.override_names.push_back(name);
    }
  }
  // As in Postfix, entries before the first one with parameters have none.
  std::set<std::string> begun;
  for (MasterEntry& entry : entries) {
    if (entry.overrides.empty() && !begun.contains(entry.id())) continue;
    begun.insert(entry.id());
    entry.overrides = services[entry.id()].overrides;
    entry.override_names = services[entry.id()].override_names;
  }
}

}  // namespace

Result<std::vector<MasterEntry>> parse_entries(std::string_view text, std::string_view path,
                                               std::vector<std::string>& warnings) {
  std::vector<MasterEntry> out;
  LogicalLines lines(text);
  while (auto line = lines.next()) {
    if (line->indented) {
      warnings.push_back(config::misplaced_line(path, line->text));
      continue;
    }
    auto entry = parse_entry(line->text, warnings);
    if (!entry && entry.error().text == "bad field count")
      return refuse(fmt::format("file {}: line {}: bad field count", path, line->first));
    if (!entry) return std::unexpected(std::move(entry).error());
    out.push_back(std::move(*entry));
  }
  share_overrides(out);
  return out;
}

std::string MasterEntry::command_line(bool fold, size_t length, Braces braces) const {
  std::string out = command();
  length += out.size();
  auto embraced = [braces](const std::string& argument) {
    bool blank = argument.find_first_of(" \t\r\n") != std::string::npos;
    if (braces == Braces::as_postfix && !blank) return argument;
    return config::embrace(argument);
  };
  bool options = true;  // -v and the like stay beside the command,
  bool wrap = false;    // but what follows an -o option begins a new line.
  for (size_t i = 0; i < arguments.size(); ++i) {
    bool first = options && !is_option(arguments[i]);
    options = options && !first;
    std::string word = first && braces == Braces::as_postfix ? arguments[i] : embraced(arguments[i]);
    bool takes_value = options && word == "-o" && i + 1 < arguments.size();
    if (takes_value) word += ' ' + embraced(arguments[++i]);
    if (fold && (wrap || takes_value || length + 1 + word.size() >= kLineLimit)) {
      out += "\n    " + word;
      length = 4 + word.size();
    } else {
      out += ' ' + word;
      length += 1 + word.size();
    }
    wrap = takes_value;
  }
  return out;
}

std::string entry_text(const MasterEntry& entry, bool fold, Braces braces) {
  std::string out;
  for (size_t i = 0; i < kMasterCommand; ++i) {
    out += entry.fields[i];
    out.append(std::max<size_t>(out.size() + 1, kColumns[i + 1]) - out.size(), ' ');
  }
  return out + entry.command_line(fold, out.size(), braces);
}

std::string open_braces(std::string_view word, std::vector<std::string>& problems) {
  auto opened = config::unbrace(word);
  if (opened) return std::move(*opened);
  problems.push_back(opened.error().text);
  // Up to the brace that closes the first one, or to the end when none does.
  size_t end = 1;
  for (int depth = 1; end < word.size(); ++end) {
    if (word[end] == '{') ++depth;
    if (word[end] == '}' && --depth == 0) break;
  }
  return std::string(trim(word.substr(1, end - 1)));
}

}  // namespace postrider::postconf
