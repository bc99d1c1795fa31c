// What is said with a server, and shown.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "io/stream.h"
#include "smtp/reply.h"

namespace postrider::posttls_finger {

class Dialogue {
 public:
  Dialogue(io::Stream stream, size_t line_limit) : stream_(std::move(stream)), line_limit_(line_limit) {}

  /// Whether lines are shown from now on.
  void show(bool on) { shows_ = on; }
  /// Sends a command.
  void say(std::string_view command);
  /// The reply. An error: "timeout" or "lost connection". What is no reply has the code 0.
  Result<smtp::Reply> read_reply(seconds timeout);
  /// Called whenever something has come.
  void on_input(std::function<void()> call) { on_input_ = std::move(call); }
  io::Stream& stream() { return stream_; }
  /// From now on another one is talked with, by way of which the same peer is met.
  void set_stream(io::Stream stream) { stream_ = std::move(stream); }

 private:
  io::Stream stream_;
  size_t line_limit_;
  bool shows_ = true;
  std::function<void()> on_input_;
};

}  // namespace postrider::posttls_finger
