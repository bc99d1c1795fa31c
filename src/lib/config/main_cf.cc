#include "config/main_cf.h"

#include <unordered_map>

#include <fmt/format.h>

#include "base/logical_lines.h"
#include "base/text.h"
#include "config/value_text.h"

namespace postrider::config {

std::string misplaced_line(std::string_view path, std::string_view line) {
  constexpr size_t kShown = 30;
  return fmt::format("{}: logical line must not start with whitespace: \"{}{}\"", path,
                     line.substr(0, kShown), line.size() > kShown ? "..." : "");
}

Result<MainCf> parse_main_cf(std::string_view text, std::string_view path) {
  MainCf file;
  std::unordered_map<std::string, size_t> latest;
  LogicalLines lines(text);
  while (auto line = lines.next()) {
    if (line->indented) {
      file.warnings.push_back(misplaced_line(path, line->text));
      continue;
    }
    auto assignment = parse_assignment(line->text);
    if (!assignment)
      return fail(ErrorKind::invalid,
                  fmt::format("{}, line {}: {}", path, line->first, assignment.error().text));
    auto [before, is_new] = latest.try_emplace(assignment->name, file.entries.size());
    if (!is_new) {
      const MainCfEntry& old = file.entries[before->second];
      if (old.value != assignment->value)
        file.warnings.push_back(fmt::format("{}, line {}: overriding earlier entry: {}={}", path, line->first,
                                            old.name, old.value));
      before->second = file.entries.size();
    }
    file.entries.push_back({std::move(assignment->name), std::move(assignment->value), line->first});
  }
  return file;
}

}  // namespace postrider::config
