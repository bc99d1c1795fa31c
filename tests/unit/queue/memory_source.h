// Bytes in memory as a source of records, and samples of queue files.
#pragma once

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "queue/record.h"

namespace postrider::queue {

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}
  Result<size_t> read_at(uint64_t offset, char* data, size_t size) override {
    ++reads;
    if (offset >= bytes_.size()) return 0;
    return bytes_.copy(data, size, offset);
  }
  size_t reads = 0;

 private:
  std::string bytes_;
};

/// A file of tests/unit/queue/data: queue files as Postfix 3.7 leaves them.
inline std::string sample(const std::string& name) {
  std::ifstream in(std::string(POSTRIDER_QUEUE_TEST_DATA) + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::string record(RecordType type, std::string_view data) {
  std::string out;
  append_record(out, type, data);
  return out;
}

}  // namespace postrider::queue
