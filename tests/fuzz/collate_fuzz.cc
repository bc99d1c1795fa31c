// Logs that are grouped by message.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/text.h"
#include "tools/postfix/collate.h"

using namespace postrider;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view log(reinterpret_cast<const char*>(data), size);
  for (size_t limit : {size_t{100}, size_t{1} << 20}) {
    postfix::Collator collator([](std::string_view) {}, limit);
    for (std::string_view line : split_each(log, '\n'))
      collator.add(line);
    collator.finish();
  }
  return 0;
}
