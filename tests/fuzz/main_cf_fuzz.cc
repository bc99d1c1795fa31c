// The text of main.cf, read and edited.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "config/edit.h"
#include "config/main_cf.h"

using namespace postrider;
using namespace postrider::config;

namespace {

void check(bool good) {
  if (!good) abort();
}

using Settings = std::map<std::string, std::string>;

/// What the file sets; of two entries with one name the last counts.
Settings settings_of(const MainCf& file) {
  Settings out;
  for (const MainCfEntry& entry : file.entries) {
    check(!entry.name.empty() && entry.name.find_first_of(" \t\r\n=") == std::string::npos);
    check(entry.line > 0);
    out[entry.name] = entry.value;
  }
  return out;
}

/// An edit changes the settings that it names and no other.
void check_edit(std::string_view text, const Settings& before, const std::string& name, MainCfAction action) {
  std::vector<std::string> warnings;
  auto edited = edit_main_cf(text, "main.cf", action, {{name, "new value"}}, warnings);
  check(edited.has_value());
  auto file = parse_main_cf(*edited, "main.cf");
  check(file.has_value());
  Settings expected = before;
  if (action == MainCfAction::set)
    expected[name] = "new value";
  else
    expected.erase(name);
  check(settings_of(*file) == expected);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto file = parse_main_cf(text, "main.cf");
  if (!file) return 0;
  Settings settings = settings_of(*file);
  // What is indented at the start of the file continues nothing, until an edit puts an entry in front of it.
  if (settings.empty() || !file->warnings.empty()) return 0;
  for (MainCfAction action : {MainCfAction::set, MainCfAction::remove, MainCfAction::comment_out}) {
    check_edit(text, settings, settings.begin()->first, action);
    check_edit(text, settings, "another_name", action);
  }
  return 0;
}
