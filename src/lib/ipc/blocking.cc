#include "ipc/blocking.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sys/blocking.h"
#include "sys/local_socket.h"

namespace postrider::ipc {

namespace {

/// What stands in front of a frame's fields.
struct Header {
  static constexpr uint16_t kType = 0;
  static constexpr size_t kSize = 12;
  static constexpr size_t kCounted = kSize - 4;  ///< Of these the length counts so many.
  uint32_t length = 0;
  uint16_t type = 0, flags = 0;
  uint32_t id = 0;
  void fields(auto& f) { f(length, type, flags, id); }
};

void put_frame(std::string& out, uint16_t type, std::string_view payload, uint32_t id) {
  Header header{
      .length = static_cast<uint32_t>(Header::kCounted + payload.size()), .type = type, .flags = 0, .id = id};
  Encoder encoder(out);
  header.fields(encoder);
  out += payload;
}

std::string greeting(const Endpoint& endpoint) {
  Hello hello;
  hello.protocol = "postrider";
  hello.service = endpoint.asker;
  std::string out;
  Encoder encoder(out);
  hello.fields(encoder);
  return out;
}

/// Reads frames from a descriptor.
class Reader {
 public:
  Reader(int fd, Deadline deadline) : fd_(fd), deadline_(deadline) {}

  Result<RawReply> next() {
    std::string bytes = TRY(read(Header::kSize));
    Header header = TRY(decode<Header>(bytes));
    if (header.length < Header::kCounted || header.length > kMaxFrame)
      return fail(ErrorKind::invalid, fmt::format("garbage instead of a message (length {})", header.length));
    return RawReply{header.type, TRY(read(header.length - Header::kCounted))};
  }

 private:
  Result<std::string> read(size_t size) {
    std::string out(size, '\0');
    for (size_t have = 0; have < size;) {
      auto left = std::chrono::ceil<seconds>(deadline_.left());
      if (deadline_.passed() || !TRY(sys::wait_readable(fd_, std::max(left, seconds(1)))))
        return fail(ErrorKind::timeout, "timed out");
      size_t count = TRY(sys::read_some(fd_, out.data() + have, size - have));
      if (count == 0) return fail(ErrorKind::closed, "the peer closed the connection");
      have += count;
    }
    return out;
  }

  int fd_;
  Deadline deadline_;
};

}  // namespace

Result<RawReply> exchange_blocking(const Endpoint& endpoint, uint16_t type, std::string_view payload,
                                   seconds limit) {
  Deadline deadline = Deadline::after(limit);
  sys::Fd fd = TRY(sys::connect_local(endpoint.path, limit));
  std::string out;
  put_frame(out, Hello::kType, greeting(endpoint), 0);
  put_frame(out, type, payload, 1);
  TRY(sys::write_all(fd.get(), out));
  Reader reader(fd.get(), deadline);
  RawReply hello = TRY(reader.next());
  auto peer = Connection::open_frame<Hello>(Frame{hello.type, 0, 0, hello.payload});
  if (!peer || peer->protocol != "postrider" || peer->version != kProtocolVersion)
    return fail(ErrorKind::invalid, "the peer does not speak this version of the internal protocol");
  return reader.next();
}

}  // namespace postrider::ipc
