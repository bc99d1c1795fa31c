// The message's content: it comes before the envelope, and has to wait for it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "queue/header_start.h"
#include "queue/spill_file.h"

namespace postrider::qmqpd {

/// Bytes in memory, and on disk where they are many.
class Content {
 public:
  Result<void> add(std::string_view bytes, Deadline deadline);
  /// The next piece from the start on, when all has been added; empty at the end.
  Result<std::string> next(Deadline deadline);

 private:
  std::string memory_;
  std::optional<queue::SpillFile> file_;
};

/// Lines out of pieces. A line feed ends a line, and nothing else; lines above the limit (line_length_limit)
/// become several records.
class LineSplitter {
 public:
  using Take = std::function<void(const queue::ContentRecord&)>;
  LineSplitter(size_t limit, Take take) : limit_(limit), take_(std::move(take)) {}

  void add(std::string_view bytes);
  /// After the last piece: a last line needs no end.
  void finish();

 private:
  size_t limit_;
  Take take_;
  std::string line_;
};

}  // namespace postrider::qmqpd
