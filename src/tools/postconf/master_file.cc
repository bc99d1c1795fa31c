#include "tools/postconf/master_file.h"

#include <algorithm>

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
  size_t close = word.rfind('}');
  return std::string(trim(std::string_view(word).substr(1, close == std::string::npos ? close : close - 1)));
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

bool is_number(std::string_view text) {
  return is_all_digits(text);
}

}  // namespace

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
  for (size_t i = 0; i < arguments.size() && arguments[i].starts_with('-'); ++i) {
    bool joined = arguments[i].starts_with("-o") && arguments[i].size() > 2;
    if (arguments[i] != "-o" && !joined) continue;
    if (!joined && ++i == arguments.size()) break;
    auto parsed = config::parse_assignment(std::string_view(arguments[i]).substr(joined ? 2 : 0));
    if (parsed) out.push_back({i, joined, parsed->name});
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
  for (size_t i = 0; i + 1 < entry.arguments.size() && entry.arguments[i].starts_with('-'); ++i)
    if (entry.arguments[i] == "-o") {
      ++i;
      entry.arguments[i] = tidy(entry.arguments[i], warnings);
    }
  for (const OverrideAt& found : overrides_in(entry.arguments)) {
    auto parsed =
        config::parse_assignment(std::string_view(entry.arguments[found.value]).substr(found.joined ? 2 : 0));
    entry.overrides[parsed->name] = parsed->value;
  }
  return entry;
}

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
  return out;
}

std::string MasterEntry::command_line() const {
  std::string out = command();
  for (const std::string& argument : arguments)
    out += ' ' + config::embrace(argument);
  return out;
}

std::string entry_text(const MasterEntry& entry, bool fold) {
  std::string out;
  for (size_t i = 0; i <= kMasterCommand; ++i) {
    if (i > 0) out.append(std::max<size_t>(out.size() + 1, kColumns[i]) - out.size(), ' ');
    out += entry.fields[i];
  }
  size_t length = out.size();
  bool options = true;  // -v and the like stay beside the command,
  bool wrap = false;    // but what follows an -o option begins a new line.
  for (size_t i = 0; i < entry.arguments.size(); ++i) {
    std::string word = config::embrace(entry.arguments[i]);
    options = options && word.starts_with('-');
    bool takes_value = options && word == "-o" && i + 1 < entry.arguments.size();
    if (takes_value) word += ' ' + config::embrace(entry.arguments[++i]);
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

}  // namespace postrider::postconf
