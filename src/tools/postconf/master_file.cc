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

/// The argument as the daemon gets it. What is broken stays as much as possible as it is.
std::string argument_of(const std::string& word, std::vector<std::string>& warnings) {
  auto argument = config::unbrace(word);
  if (argument) return std::move(*argument);
  warnings.push_back("master.cf: " + argument.error().text);
  // Up to the brace that closes the first one, or to the end when none does.
  size_t end = 1;
  for (int depth = 1; end < word.size(); ++end) {
    if (word[end] == '{') ++depth;
    if (word[end] == '}' && --depth == 0) break;
  }
  return std::string(trim(std::string_view(word).substr(1, end - 1)));
}

/// "name=value" without the spaces that "{ name = value }" had.
std::string tidy(const std::string& assignment, std::vector<std::string>& warnings) {
  auto parsed = config::parse_assignment(assignment);
  if (parsed) return fmt::format("{}={}", parsed->name, parsed->value);
  // A word without '=' is the daemon's to complain about; only text in braces is worth a line here.
  if (assignment.find_first_of(" \t") != std::string::npos)
    warnings.push_back("master.cf: " + parsed.error().text);
  return assignment;
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
      valid = value == "-" || is_number(value.ends_with('?') ? value.substr(0, value.size() - 1) : value);
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
  for (size_t i = kMasterCommand + 1; i < words.size(); ++i)
    entry.arguments.push_back(argument_of(words[i], warnings));
  separate_options(entry.arguments);
  for (size_t i = 0; i + 1 < entry.arguments.size() && is_option(entry.arguments[i]); ++i)
    if (entry.arguments[i] == "-o") {
      ++i;
      entry.arguments[i] = tidy(entry.arguments[i], warnings);
    }
  for (const OverrideAt& found : overrides_in(entry.arguments)) {
    auto parsed = config::parse_assignment(entry.arguments[found.value]);
    entry.overrides[parsed->name] = parsed->value;
  }
  return entry;
}

namespace {

/// Entries of one name and type are one service, as far as their parameters go.
void share_overrides(std::vector<MasterEntry>& entries) {
  std::map<std::string, std::map<std::string, std::string, std::less<>>> services;
  for (const MasterEntry& entry : entries)
    for (const auto& [name, value] : entry.overrides)
      services[entry.id()].insert_or_assign(name, value);
  // As in Postfix, entries before the first one with parameters have none.
  std::set<std::string> begun;
  for (MasterEntry& entry : entries) {
    if (entry.overrides.empty() && !begun.contains(entry.id())) continue;
    begun.insert(entry.id());
    entry.overrides = services[entry.id()];
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

std::string MasterEntry::command_line(bool fold, size_t length) const {
  std::string out = command();
  length += out.size();
  bool options = true;  // -v and the like stay beside the command,
  bool wrap = false;    // but what follows an -o option begins a new line.
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string word = config::embrace(arguments[i]);
    options = options && is_option(word);
    bool takes_value = options && word == "-o" && i + 1 < arguments.size();
    if (takes_value) word += ' ' + config::embrace(arguments[++i]);
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

std::string entry_text(const MasterEntry& entry, bool fold) {
  std::string out;
  for (size_t i = 0; i < kMasterCommand; ++i) {
    out += entry.fields[i];
    out.append(std::max<size_t>(out.size() + 1, kColumns[i + 1]) - out.size(), ' ');
  }
  return out + entry.command_line(fold, out.size());
}

}  // namespace postrider::postconf
