// Telling requests of one letter, by which master wakes services up, from frames on the same socket.
#pragma once

#include <string_view>

namespace postrider::ipc {

/// Whether the bytes are the start of a frame: its length is small, so that its upper bytes are null, which
/// no request letter is.
inline bool is_frame_start(std::string_view bytes) {
  return bytes.size() >= 4 && bytes.substr(1, 3) == std::string_view("\0\0\0", 3);
}

}  // namespace postrider::ipc
