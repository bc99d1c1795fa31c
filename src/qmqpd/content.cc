#include "qmqpd/content.h"

#include <algorithm>
#include <utility>

namespace postrider::qmqpd {

using queue::RecordType;

namespace {
/// Beyond this, what a client sends waits on disk: there may be many clients.
constexpr size_t kMaxInMemory = 256 * 1024;
}  // namespace

Result<void> Content::add(std::string_view bytes, Deadline deadline) {
  memory_ += bytes;
  if (memory_.size() < kMaxInMemory) return {};
  if (!file_) file_ = TRY(queue::SpillFile::make());
  return file_->append(std::exchange(memory_, {}), deadline);
}

Result<std::string> Content::next(Deadline deadline) {
  if (file_) {
    std::string piece = TRY(file_->next(deadline));
    if (!piece.empty()) return piece;
  }
  // The end, which was not written any more.
  file_.reset();
  return std::exchange(memory_, {});
}

void LineSplitter::add(std::string_view bytes) {
  while (!bytes.empty()) {
    size_t count = std::min({bytes.find('\n'), bytes.size(), limit_ - line_.size()});
    line_ += bytes.substr(0, count);
    bytes.remove_prefix(count);
    if (bytes.empty()) return;
    bool ends = bytes.front() == '\n';
    if (ends) bytes.remove_prefix(1);
    take_({ends ? RecordType::text : RecordType::text_part, line_});
    line_.clear();
  }
}

void LineSplitter::finish() {
  if (line_.empty()) return;
  // As Postfix has it: the size in the log is that of records.
  take_({RecordType::text_part, std::exchange(line_, {})});
  take_({RecordType::text, {}});
}

}  // namespace postrider::qmqpd
