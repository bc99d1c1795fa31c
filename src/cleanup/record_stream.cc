#include "cleanup/record_stream.h"

namespace postrider::cleanup {

void RecordStream::add(std::string_view bytes) {
  bytes_.erase(0, used_);
  used_ = 0;
  bytes_ += bytes;
}

Result<std::optional<queue::Record>> RecordStream::next() {
  std::string_view rest = std::string_view(bytes_).substr(used_);
  size_t length = 0, at = 1;
  for (int shift = 0;; shift += 7, ++at) {
    if (at >= rest.size()) return std::nullopt;
    if (shift > 28) return fail(ErrorKind::invalid, "bad record length");
    auto byte = static_cast<unsigned char>(rest[at]);
    length |= static_cast<size_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  if (length > queue::kMaxRecord) return fail(ErrorKind::limit, "record too long");
  ++at;
  if (rest.size() - at < length) return std::nullopt;
  used_ += at + length;
  return queue::Record{static_cast<queue::RecordType>(rest[0]), rest.substr(at, length), 0};
}

}  // namespace postrider::cleanup
