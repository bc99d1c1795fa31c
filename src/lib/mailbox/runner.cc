#include "mailbox/runner.h"

#include <sys/socket.h>

#include <cstring>

#include "mailbox/runner_frame.h"
#include "sys/child.h"
#include "sys/socket.h"

namespace postrider::mailbox {

namespace {

/// How much later than the command itself its input is given up: something else may hold the pipe open.
constexpr seconds kInputGrace(5);

int helper_body(int socket, void* argument) {
  return serve_commands(socket, *static_cast<const Runner::Options*>(argument));
}

}  // namespace

Result<std::unique_ptr<Runner>> Runner::start(const Options& options) {
  sys::SocketPair pair = TRY(sys::make_socket_pair(SOCK_STREAM));
  Options copy = options;
  pid_t helper = TRY(sys::fork_helper(pair.second.get(), helper_body, &copy));
  return std::unique_ptr<Runner>(new Runner(std::move(pair.first), helper));
}

Runner::~Runner() {
  // The helper sees the end of the connection and leaves.
  control_.reset();
  socket_.reset();
  (void)sys::wait_ended(helper_);
}

Result<void> Runner::send(RunRequest& request, int input) {
  std::string payload = TRY(encode_frame(request));
  if (!control_) control_.emplace(std::move(socket_));
  // The descriptor travels with the length; nothing else is in the socket then, so this never waits.
  std::string length = frame_length(payload.size());
  TRY(sys::send_with_fd(control_->fd(), length, input));
  control_->write(payload);
  return control_->flush(Deadline::never());
}

Result<RunReply> Runner::receive() {
  std::string length = TRY(control_->read_exact(kFrameLengthSize, Deadline::never()));
  size_t size = TRY(parse_frame_length(length));
  return ipc::decode<RunReply>(TRY(control_->read_exact(size, Deadline::never())));
}

Result<RunReply> Runner::run_connected(RunRequest request, int connection) {
  request.connected = true;
  TRY(sys::set_nonblocking(connection, false));
  TRY(send(request, connection));
  return receive();
}

Result<RunResult> Runner::run(RunRequest request, const Feed& feed) {
  sys::Pipe input = TRY(sys::make_pipe());
  Deadline give_up =
      request.time_limit > 0 ? Deadline::after(seconds(request.time_limit) + kInputGrace) : Deadline::never();
  TRY(send(request, input.read.get()));
  input.read.reset();
  RunResult out;
  {
    io::Stream stream(std::move(input.write));
    auto fed = feed([&](std::string_view text) { return stream.write_through(text, give_up); });
    if (fed) {
      if (auto flushed = stream.flush(give_up); !flushed) {
        fed = std::unexpected(CopyFailure{CopyStep::write, std::move(flushed).error()});
      }
    }
    if (!fed) out.input = std::move(fed).error();
  }
  out.reply = TRY(receive());
  // The command was killed while input was left: that shows as a broken pipe here.
  out.input_timed_out = out.input && out.reply.end == RunEnd::timed_out;
  return out;
}

}  // namespace postrider::mailbox
