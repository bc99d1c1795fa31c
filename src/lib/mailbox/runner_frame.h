// The bytes between an agent and its helper: u32 length (little-endian) and an encoded message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ipc/codec.h"

namespace postrider::mailbox {

inline constexpr size_t kFrameLengthSize = 4;
inline constexpr size_t kMaxRunFrame = 4 * 1024 * 1024;

inline std::string frame_length(size_t size) {
  std::string out;
  ipc::Encoder encoder(out);
  auto number = static_cast<uint32_t>(size);
  encoder(number);
  return out;
}

inline Result<size_t> parse_frame_length(std::string_view bytes) {
  uint32_t size = 0;
  ipc::Decoder decoder(bytes);
  decoder(size);
  if (!decoder.complete() || size > kMaxRunFrame) return fail(ErrorKind::invalid, "malformed message");
  return size;
}

template <typename Message>
Result<std::string> encode_frame(Message& message) {
  std::string out;
  ipc::Encoder encoder(out);
  message.fields(encoder);
  if (encoder.too_long() || out.size() > kMaxRunFrame) return fail(ErrorKind::limit, "command is too long");
  return out;
}

}  // namespace postrider::mailbox
