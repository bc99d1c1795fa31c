#include "config/master_cf.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "base/logical_lines.h"
#include "base/text.h"
#include "config/main_cf.h"

namespace postrider::config {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kTypeNames[] = {"inet", "unix", "fifo", "pass", "unix-dgram"};
// What the master calls the columns in its messages.
constexpr std::string_view kMasterNames[] = {"service", "transport type", "private",  "unprivileged",
                                             "chroot",  "wakeup_time",    "max_proc", "command"};

std::unexpected<Error> invalid(std::string text) {
  return fail(ErrorKind::invalid, std::move(text));
}

std::unexpected<Error> bad_value(size_t column, std::string_view value) {
  return invalid(fmt::format("field \"{}\": bad value: \"{}\"", kMasterNames[column], value));
}

/// The next word and what follows it. With braces, those that are open keep white space inside the word.
std::string_view next_word(std::string_view& rest, bool braces) {
  size_t begin = rest.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) {
    rest = {};
    return {};
  }
  size_t end = begin;
  for (int depth = 0; end < rest.size(); ++end) {
    char c = rest[end];
    if (braces && c == '{')
      ++depth;
    else if (depth > 0 && c == '}')
      --depth;
    else if (depth == 0 && kBlanks.find(c) != std::string_view::npos)
      break;
  }
  std::string_view word = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return word;
}

/// y, n or - ; nothing for "-".
Result<std::optional<bool>> flag(const std::vector<std::string>& words, size_t column) {
  const std::string& text = words[column];
  if (text == "-") return std::nullopt;
  if (text == "y") return true;
  if (text == "n") return false;
  return bad_value(column, text);
}

/// A number that is not negative; what follows its digits does not matter, as for the master.
Result<std::optional<int>> number(std::string_view text, size_t column) {
  if (text == "-") return std::nullopt;
  size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  auto value = parse_int(text.substr(0, digits));
  if (!value || *value > std::numeric_limits<int>::max()) return bad_value(column, text);
  return static_cast<int>(*value);
}

Result<MasterService> to_service(const MasterLine& entry) {
  const std::vector<std::string>& words = entry.words;
  MasterService service;
  service.line = entry.line;
  auto have = [&](size_t column) -> Result<void> {
    if (words.size() > column) return {};
    return invalid(fmt::format("missing \"{}\" field", kMasterNames[column]));
  };
  TRY(have(0));
  service.name = words[0];
  TRY(have(1));
  auto type = parse_service_type(words[1]);
  if (!type) return invalid(fmt::format("bad transport type: {}", words[1]));
  service.type = *type;
  TRY(have(2));
  service.is_private = TRY(flag(words, 2)).value_or(true);
  if (service.type == ServiceType::inet && words[2] != "n") return invalid("inet service cannot be private");
  TRY(have(3));
  service.unprivileged = TRY(flag(words, 3)).value_or(true);
  TRY(have(4));
  service.chroot = TRY(flag(words, 4));
  TRY(have(5));
  std::string_view wakeup = words[5];
  service.wakeup_only_if_used = wakeup.ends_with('?');
  if (service.wakeup_only_if_used) wakeup.remove_suffix(1);
  service.wakeup_seconds = TRY(number(wakeup, 5)).value_or(0);
  TRY(have(6));
  service.process_limit = TRY(number(words[6], 6));
  TRY(have(7));
  service.command = words[7];
  for (size_t i = 8; i < words.size(); ++i)
    service.arguments.push_back(TRY(unbrace(words[i])));
  return service;
}

}  // namespace

std::optional<ServiceType> parse_service_type(std::string_view text) {
  auto found = std::ranges::find(kTypeNames, text);
  if (found == std::end(kTypeNames)) return std::nullopt;
  return static_cast<ServiceType>(found - kTypeNames);
}

std::string_view service_type_name(ServiceType type) {
  return kTypeNames[static_cast<size_t>(type)];
}

std::string MasterService::id() const {
  return fmt::format("{}/{}", name, service_type_name(type));
}

std::vector<std::string> split_master_entry(std::string_view entry) {
  std::vector<std::string> words;
  for (;;) {
    std::string_view word = next_word(entry, words.empty() || words.size() > kMasterCommand);
    if (word.empty()) return words;
    words.emplace_back(word);
  }
}

MasterLines split_master_cf(std::string_view text, std::string_view path) {
  MasterLines file;
  LogicalLines lines(text);
  while (auto line = lines.next()) {
    if (line->indented)
      file.warnings.push_back(misplaced_line(path, line->text));
    else
      file.lines.push_back({split_master_entry(line->text), line->first});
  }
  return file;
}

Result<std::string> unbrace(std::string_view word) {
  if (!word.starts_with('{')) return std::string(word);
  int depth = 0;
  size_t end = 0;
  while (end < word.size()) {
    char c = word[end++];
    if (c == '{') ++depth;
    if (c == '}' && --depth == 0) break;
  }
  if (depth > 0) return invalid(fmt::format("missing '}}' in \"{}\"", word));
  if (end < word.size()) return invalid(fmt::format("syntax error after '}}' in \"{}\"", word));
  return std::string(trim(word.substr(1, end - 2)));
}

std::string embrace(std::string_view word) {
  // White space inside braces within the word does not end it.
  std::string_view rest = word;
  bool plain = !word.empty() && word[0] != '{' && next_word(rest, true) == word;
  return plain ? std::string(word) : fmt::format("{{{}}}", word);
}

Result<MasterCf> parse_master_cf(std::string_view text, std::string_view path) {
  MasterLines file = split_master_cf(text, path);
  MasterCf out{{}, std::move(file.warnings)};
  for (const MasterLine& entry : file.lines) {
    auto service = to_service(entry);
    if (!service) return invalid(fmt::format("{}: line {}: {}", path, entry.line, service.error().text));
    out.services.push_back(std::move(*service));
  }
  return out;
}

Result<InetEndpoint> parse_inet_endpoint(std::string_view name) {
  InetEndpoint endpoint;
  if (name.starts_with('[')) {
    size_t close = name.find(']');
    if (close == std::string_view::npos) return invalid(fmt::format("missing \"]\" in \"{}\"", name));
    if (!name.substr(close + 1).starts_with(':'))
      return invalid(fmt::format("missing \":service\" after host in \"{}\"", name));
    endpoint = {std::string(name.substr(1, close - 1)), std::string(name.substr(close + 2))};
  } else if (size_t colon = name.find(':'); colon != std::string_view::npos) {
    if (name.find(':', colon + 1) != std::string_view::npos)
      return invalid(fmt::format("an IPv6 address needs [] around it: \"{}\"", name));
    endpoint = {std::string(name.substr(0, colon)), std::string(name.substr(colon + 1))};
  } else {
    endpoint.port = name;
  }
  bool numeric = !endpoint.port.empty() && is_digit(endpoint.port[0]);
  if (endpoint.port.empty()) return invalid(fmt::format("missing service name in \"{}\"", name));
  if (numeric && !is_all_digits(endpoint.port))
    return invalid(fmt::format("garbage after numerical service in \"{}\"", endpoint.port));
  if (auto port = parse_unsigned(endpoint.port); numeric && (!port || *port > 65535))
    return invalid(fmt::format("service number out of range: \"{}\"", endpoint.port));
  return endpoint;
}

}  // namespace postrider::config
