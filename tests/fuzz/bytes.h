// The fuzzer's input as the file that a reader reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "queue/files.h"

namespace postrider::fuzz {

class Bytes final : public queue::ByteSource {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  Result<size_t> read_at(uint64_t offset, char* data, size_t size) override {
    return offset >= bytes_.size() ? 0 : bytes_.copy(data, size, offset);
  }

 private:
  std::string_view bytes_;
};

}  // namespace postrider::fuzz
