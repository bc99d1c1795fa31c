// Records out of the data frames of a client; a record may be split between two frames.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "queue/record.h"

namespace postrider::cleanup {

class RecordStream {
 public:
  void add(std::string_view bytes);
  /// The next complete record; its data is valid until the next call. Nothing when more bytes are needed.
  Result<std::optional<queue::Record>> next();

 private:
  std::string bytes_;
  size_t used_ = 0;
};

}  // namespace postrider::cleanup
