// A client's bytes as records: however they are divided into frames, the same records come out.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "cleanup/record_stream.h"

using namespace postrider;

namespace {

void check(bool good) {
  if (!good) abort();
}

struct Read {
  std::vector<std::string> records;
  bool failed = false;
  friend bool operator==(const Read&, const Read&) = default;
};

Read read(std::string_view bytes, size_t frame) {
  Read out;
  cleanup::RecordStream stream;
  while (!bytes.empty() && !out.failed) {
    // Each frame has memory of its own, as those of a connection have.
    const std::string piece(bytes.substr(0, frame));
    bytes.remove_prefix(piece.size());
    stream.add(piece);
    size_t ahead = 0;
    stream.peek([&](const queue::Record&) { return ++ahead < 1000; });
    size_t found = 0;
    for (;;) {
      auto record = stream.next();
      if (!record) out.failed = true;
      if (!record || !*record) break;
      out.records.push_back(static_cast<char>((*record)->type) + std::string((*record)->data));
      ++found;
    }
    check(ahead == 1000 ? found >= ahead : found == ahead);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t frame = data[0] % 16 + 1U;
  std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  check(read(bytes, frame) == read(bytes, bytes.size() + 1));
  return 0;
}
