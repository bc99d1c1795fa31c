#include "cleanup/record_stream.h"

#include <utility>

namespace postrider::cleanup {

void RecordStream::add(std::string_view bytes) {
  if (rest_.empty()) {
    rest_ = bytes;
    return;
  }
  std::string joined(rest_);
  joined += bytes;
  kept_ = std::move(joined);
  rest_ = kept_;
}

Result<std::optional<queue::Record>> RecordStream::next() {
  auto record = parse(rest_);
  // What is left of the frame is kept, as the frame will be gone.
  if (record && !*record && !rest_.empty()) {
    kept_ = std::string(rest_);
    rest_ = kept_;
  }
  return record;
}

Result<std::optional<queue::Record>> RecordStream::parse(std::string_view& bytes) {
  size_t length = 0, at = 1;
  for (int shift = 0;; shift += 7, ++at) {
    if (at >= bytes.size()) return std::nullopt;
    if (shift > 28) return fail(ErrorKind::invalid, "bad record length");
    auto byte = static_cast<unsigned char>(bytes[at]);
    length |= static_cast<size_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  if (length > queue::kMaxRecord) return fail(ErrorKind::limit, "record too long");
  ++at;
  if (bytes.size() - at < length) return std::nullopt;
  queue::Record record{static_cast<queue::RecordType>(bytes[0]), bytes.substr(at, length), 0};
  bytes.remove_prefix(at + length);
  return record;
}

}  // namespace postrider::cleanup
