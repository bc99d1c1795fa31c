#include "ipc/connection.h"

#include <cerrno>

#include <fmt/format.h>

#include "io/fiber.h"
#include "log/log.h"

namespace postrider::ipc {

namespace {

constexpr size_t kHeader = 12;

template <typename T>
void append(std::string& out, T value) {
  for (size_t i = 0; i < sizeof value; ++i)
    out += static_cast<char>(value >> (8 * i));
}

template <typename T>
T number_at(std::string_view bytes, size_t at) {
  T value = 0;
  for (size_t i = 0; i < sizeof value; ++i) {
    value = static_cast<T>(
        value | static_cast<T>(static_cast<T>(static_cast<unsigned char>(bytes[at + i])) << (8 * i)));
  }
  return value;
}

}  // namespace

Connection::Connection(io::Stream stream, std::string_view service, uint32_t credits)
    : stream_(std::move(stream)) {
  Hello hello;
  hello.protocol = "postrider";
  hello.service = service;
  hello.credits = credits;
  (void)put(hello);
}

Result<void> Connection::receive_hello(Deadline deadline) {
  if (greeted_) return {};
  Frame frame = TRY(receive_frame(deadline));
  auto hello = open_frame<Hello>(frame);
  if (!hello || hello->protocol != "postrider") {
    return fail(ErrorKind::invalid, "the peer does not speak the internal protocol");
  }
  if (hello->version != kProtocolVersion) {
    return fail(ErrorKind::invalid,
                fmt::format("the peer speaks version {} of the internal protocol, this process "
                            "version {}: restart the mail system after an upgrade",
                            hello->version, kProtocolVersion));
  }
  peer_ = std::move(*hello);
  greeted_ = true;
  return {};
}

size_t Connection::begin_frame(uint16_t type, uint16_t flags, uint32_t id) {
  size_t start = out_.size();
  append<uint32_t>(out_, 0);
  append(out_, type);
  append(out_, flags);
  append(out_, id);
  return start;
}

Result<void> Connection::end_frame(size_t start, bool too_long) {
  size_t length = out_.size() - start - 4;
  if (too_long || length > kMaxFrame) {
    out_.resize(start);
    return fail(ErrorKind::limit, "a field is longer than the internal protocol allows");
  }
  for (size_t i = 0; i < 4; ++i)
    out_[start + i] = static_cast<char>(length >> (8 * i));
  return {};
}

Result<void> Connection::put_encoded(uint16_t type, std::string_view payload, uint32_t id) {
  size_t start = begin_frame(type, 0, id);
  out_ += payload;
  return end_frame(start, false);
}

Result<void> Connection::flush(Deadline deadline) {
  if (sending_)
    return stream_.broken() ? Result<void>(fail(ErrorKind::closed, "connection is broken")) : Result<void>();
  sending_ = true;
  // Other fibers that are ready may have something for the same connection: it leaves with one write.
  if (io::in_fiber()) io::yield();
  Result<void> result;
  while (result && !out_.empty()) {
    // What the log says of the time before a message stands before what the receiver says because of it.
    log::flush();
    // What other fibers add while this one waits goes with the next round.
    std::string batch = std::exchange(out_, {});
    stream_.write(batch);
    result = stream_.flush(deadline);
  }
  sending_ = false;
  return result;
}

void Connection::consume_last() {
  stream_.consume(std::exchange(to_consume_, 0));
}

bool Connection::wait_frame(Deadline deadline) {
  consume_last();
  return stream_.wait_input(deadline);
}

bool Connection::is_stale() {
  consume_last();
  return stream_.broken() || !stream_.buffered().empty() || stream_.fill_available() || stream_.at_end();
}

Result<Frame> Connection::receive(Deadline deadline) {
  TRY(receive_hello(deadline));
  return receive_frame(deadline);
}

Result<Frame> Connection::receive_frame(Deadline deadline) {
  auto frame = read_frame(deadline);
  // A process that ends with unread input resets its connections.
  if (!frame && frame.error().code == ECONNRESET)
    return fail(ErrorKind::closed, "the peer closed the connection");
  return frame;
}

Result<Frame> Connection::read_frame(Deadline deadline) {
  consume_last();
  while (stream_.buffered().size() < kHeader) {
    if (!TRY(stream_.fill(deadline))) {
      return stream_.buffered().empty() ? fail(ErrorKind::closed, "the peer closed the connection")
                                        : fail(ErrorKind::invalid, "the connection ended inside a message");
    }
  }
  std::string_view header = stream_.buffered();
  auto length = number_at<uint32_t>(header, 0);
  Frame frame{
      number_at<uint16_t>(header, 4), number_at<uint16_t>(header, 6), number_at<uint32_t>(header, 8), {}};
  if (length < kHeader - 4 || length > kMaxFrame) {
    return fail(ErrorKind::invalid, fmt::format("garbage instead of a message (length {})", length));
  }
  size_t size = length - (kHeader - 4);
  // Small frames are used where they lie; larger ones are collected.
  if (kHeader + size <= 16 * 1024) {
    while (stream_.buffered().size() < kHeader + size) {
      if (!TRY(stream_.fill(deadline))) return fail(ErrorKind::invalid, "the connection ended inside a message");
    }
    frame.payload = stream_.buffered().substr(kHeader, size);
    to_consume_ = kHeader + size;
    return frame;
  }
  stream_.consume(kHeader);
  auto body = stream_.read_exact(size, deadline);
  if (!body) {
    if (body.error().kind == ErrorKind::closed)
      return fail(ErrorKind::invalid, "the connection ended inside a message");
    return std::unexpected(std::move(body).error());
  }
  in_ = std::move(*body);
  frame.payload = in_;
  return frame;
}

Error Connection::unexpected_frame(const Frame& frame, uint16_t wanted) {
  if (frame.type == Failure::kType) {
    if (auto failure = decode<Failure>(frame.payload)) {
      return Error(static_cast<ErrorKind>(failure->kind), std::move(failure->reason));
    }
  }
  return Error(ErrorKind::invalid,
               fmt::format("unexpected message of type {} instead of {}", frame.type, wanted));
}

}  // namespace postrider::ipc
