// The text of master.cf.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/master_cf.h"

using namespace postrider;
using namespace postrider::config;

namespace {

void check(bool good) {
  if (!good) abort();
}

bool braces_match(std::string_view word) {
  int depth = 0;
  for (char c : word) {
    if (c == '{') ++depth;
    if (c == '}' && --depth < 0) return false;
  }
  return depth == 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  MasterLines lines = split_master_cf(text, "master.cf");
  for (const MasterLine& line : lines.lines) {
    check(line.line > 0);
    for (const std::string& word : line.words)
      check(!word.empty());
  }
  auto file = parse_master_cf(text, "master.cf");
  if (!file) return 0;
  check(file->services.size() == lines.lines.size());
  for (const MasterService& service : file->services) {
    check(!service.name.empty() && !service.command.empty());
    check(service.wakeup_seconds >= 0 && service.process_limit.value_or(0) >= 0);
    (void)parse_inet_endpoint(service.name);
    // An argument is read again as it was when it is written.
    for (const std::string& argument : service.arguments) {
      if (!braces_match(argument)) continue;
      auto again = unbrace(embrace(argument));
      check(again.has_value() && *again == argument);
    }
  }
  return 0;
}
