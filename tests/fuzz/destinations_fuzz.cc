// Aliases, forward files and included files: whoever may write them decides what they say.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "local/destination.h"
#include "local/text_file.h"

using namespace postrider;

namespace {

constexpr size_t kMaxLine = 64;

void check(bool good) {
  if (!good) abort();
}

void check_list(std::string_view text) {
  for (const local::Destination& destination : local::parse_destinations(text)) {
    if (destination.kind == local::Destination::Kind::file) check(destination.text.starts_with('/'));
  }
}

/// Nothing gets lost, and no piece is longer than agreed.
void check_file(std::string_view text) {
  sys::Fd fd(memfd_create("fuzz", MFD_CLOEXEC));
  if (write(fd.get(), text.data(), text.size()) < 0 || lseek(fd.get(), 0, SEEK_SET) < 0) return;
  local::TextFile file(std::move(fd), kMaxLine);
  size_t bytes = 0;
  while (auto line = file.next().value()) {
    check(std::min(line->find('\n'), line->size()) <= kMaxLine);
    check(line->find('\n') == std::string::npos || line->find('\n') + 1 == line->size());
    bytes += line->size();
    check_list(*line);
  }
  check(bytes == text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  check_list(text);
  check_file(text);
  return 0;
}
