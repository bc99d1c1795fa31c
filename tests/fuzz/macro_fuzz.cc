// $name, ${name?text} and their relatives. The first lines of the input are values, the last is expanded.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "config/macro.h"

using namespace postrider;
using namespace postrider::config;

namespace {

void check(bool good) {
  if (!good) abort();
}

constexpr size_t kMaxSize = 10'000;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<std::string_view> lines = split_each(input, '\n');
  std::string_view text = lines.back();
  lines.pop_back();
  // Names are a, b, c ... in the order of the lines.
  MacroLookup lookup = [&](std::string_view name) -> std::optional<std::string> {
    size_t index = name.size() == 1 ? static_cast<size_t>(name[0] - 'a') : lines.size();
    return index < lines.size() ? std::optional(std::string(lines[index])) : std::nullopt;
  };
  for (bool recursive : {false, true}) {
    MacroOptions options{.recursive = recursive, .max_size = kMaxSize};
    auto expanded = expand_macros(text, lookup, options);
    if (!expanded) continue;
    check(expanded->text.size() <= kMaxSize + input.size());
    if (text.find('$') == std::string_view::npos) check(expanded->text == text);
    options.allowed = "abc";
    auto filtered = expand_macros(text, lookup, options);
    if (text == "$a" && filtered) check(filtered->text.find_first_not_of("abc_") == std::string::npos);
  }
  size_t names = 0;
  if (visit_macros(text, [&names](std::string_view name) { names += !name.empty(); }))
    check(names <= text.size());
  return 0;
}
