// What may stand between a stream's buffers and its descriptor: TLS.
#pragma once

#include <cstddef>
#include <string_view>

namespace postrider::io {

/// Moves bytes without waiting. The stream does the waiting: it tries, and when an attempt wants the
/// descriptor to become ready, it waits for that and tries again.
class Transport {
 public:
  enum class State : unsigned char {
    done,        ///< `count` bytes were moved, at least one.
    end,         ///< The peer has said that no more will come, or has gone.
    want_read,   ///< Nothing now: the descriptor has to become readable first.
    want_write,  ///< ... writable.
    failed,      ///< errno says why; the transport cannot be used any more.
  };
  struct Outcome {
    State state = State::failed;
    size_t count = 0;
  };

  virtual ~Transport() = default;
  virtual Outcome read(char* to, size_t room) = 0;
  virtual Outcome write(std::string_view data) = 0;
  /// The goodbye; State::done when the peer has heard it, State::want_read while its own is missing.
  virtual Outcome shutdown() = 0;
};

}  // namespace postrider::io
