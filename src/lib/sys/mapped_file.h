// A file's content as memory.
#pragma once

#include <string_view>
#include <utility>

#include "base/result.h"

namespace postrider::sys {

/// A read-only mapping of a whole file. The file must not become shorter while it is mapped: reading what is
/// not there any more ends the process.
class MappedFile {
 public:
  MappedFile() = default;
  /// The descriptor may be closed afterwards. An empty file is mapped to no bytes.
  static Result<MappedFile> map(int fd);
  MappedFile(MappedFile&& other) noexcept : text_(std::exchange(other.text_, {})) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(text_, other.text_);
    return *this;
  }
  ~MappedFile();

  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

}  // namespace postrider::sys
