#include "config/edit.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "config/main_cf.h"
#include "config/value_text.h"
#include "sys/file.h"

namespace postrider::config {
namespace {

constexpr bool ends_name(char c) {
  return is_space(c) || c == '=';
}

/// Appends the lines of one entry as `edit` has it.
void append_entry(std::string_view lines, const EntryEdit& edit, std::string& out) {
  using Action = EntryEdit::Action;
  if (edit.action == Action::replace) out += edit.text + '\n';
  while (!lines.empty()) {
    size_t length = std::min(lines.find('\n'), lines.size() - 1) + 1;
    std::string_view line = lines.substr(0, length);
    lines.remove_prefix(length);
    std::string_view content = trim_left(line);
    bool comment = content.empty() || content[0] == '#';
    if (!comment && edit.action == Action::comment_out) out += '#';
    if (comment || edit.action == Action::keep || edit.action == Action::comment_out) out += line;
  }
}

}  // namespace

std::string edit_entries(std::string_view text, const std::function<EntryEdit(const LogicalLine&)>& decide,
                         const std::vector<std::string>& appended) {
  std::string out;
  size_t at = 0;
  LogicalLines lines(text);
  while (auto line = lines.next()) {
    out += text.substr(at, line->begin - at);
    append_entry(text.substr(line->begin, line->end - line->begin), decide(*line), out);
    at = line->end;
  }
  out += text.substr(at);
  for (const std::string& entry : appended) {
    if (!out.empty() && out.back() != '\n') out += '\n';
    out += entry + '\n';
  }
  return out;
}

Result<std::string> edit_main_cf(std::string_view text, std::string_view path, MainCfAction action,
                                 const std::vector<MainCfChange>& changes,
                                 std::vector<std::string>& warnings) {
  struct Wanted {
    const MainCfChange* change;
    int seen = 0;
  };
  std::map<std::string_view, Wanted> wanted;
  for (const MainCfChange& change : changes)
    wanted[change.name] = {&change, 0};
  auto entry_text = [](const MainCfChange& change) {
    return fmt::format("{} = {}", change.name, change.value);
  };

  auto decide = [&](const LogicalLine& line) -> EntryEdit {
    // Also a line that lacks its '=' is the entry of its name, so that it can be corrected.
    std::string_view name = line.text;
    name = name.substr(0, static_cast<size_t>(std::ranges::find_if(name, ends_name) - name.begin()));
    auto found = line.indented ? wanted.end() : wanted.find(name);
    if (found == wanted.end()) return {};
    if (++found->second.seen == 2)
      warnings.push_back(fmt::format("{}: multiple entries for \"{}\"", path, name));
    if (action == MainCfAction::remove) return {EntryEdit::Action::remove, ""};
    if (action == MainCfAction::comment_out) return {EntryEdit::Action::comment_out, ""};
    return {EntryEdit::Action::replace, entry_text(*found->second.change)};
  };
  // A first pass tells which names are new, so that the order of the request is that of the file.
  edit_entries(text, decide, {});
  warnings.clear();
  std::vector<std::string> appended;
  for (const MainCfChange& change : changes) {
    Wanted& asked = wanted[change.name];
    if (action == MainCfAction::set && asked.seen == 0 && asked.change == &change)
      appended.push_back(entry_text(change));
  }
  for (auto& [name, asked] : wanted)
    asked.seen = 0;
  return edit_entries(text, decide, appended);
}

Result<void> edit_file(const std::string& path,
                       const std::function<Result<std::string>(std::string_view content)>& change) {
  std::string temporary = path + ".tmp";
  sys::Fd lock;
  for (;;) {
    lock = TRY(sys::open_file(temporary, O_RDWR | O_CREAT, 0600));
    TRY(sys::lock_exclusive(lock.get(), true));
    // Whoever held the lock before has renamed this file away or removed it; then there is another one to
    // lock.
    auto named = sys::stat_file(temporary);
    auto opened = sys::stat_fd(lock.get());
    if (named && opened && named->st_dev == opened->st_dev && named->st_ino == opened->st_ino) break;
  }
  auto edited = [&]() -> Result<void> {
    auto content = sys::read_file(path, kMaxConfigFile);
    if (!content && content.error().code == ENOENT)
      return fail(ErrorKind::not_found, fmt::format("open {} for reading: {}", path, std::strerror(ENOENT)));
    if (!content) return std::unexpected(std::move(content).error());
    auto info = TRY(sys::stat_file(path));
    std::string result = TRY(change(*content));
    TRY(sys::truncate_fd(lock.get(), 0));
    TRY(sys::copy_ownership(lock.get(), info));
    TRY(sys::write_all(lock.get(), result));
    TRY(sys::sync_fd(lock.get()));
    TRY(sys::rename_file(temporary, path));
    return sys::sync_directory(sys::directory_of(path));
  }();
  if (!edited) (void)sys::unlink_file(temporary);
  return edited;
}

}  // namespace postrider::config
