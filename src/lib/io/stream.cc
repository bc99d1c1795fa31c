#include "io/stream.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace postrider::io {

namespace {

constexpr size_t kBufferSize = 32 * 1024;
constexpr size_t kFlushAt = 64 * 1024;

/// Input buffers of streams that have input; the others return theirs here.
class BufferPool {
 public:
  std::unique_ptr<char[]> take() {
    if (free_.empty()) return std::make_unique_for_overwrite<char[]>(kBufferSize);
    std::unique_ptr<char[]> buffer = std::move(free_.back());
    free_.pop_back();
    return buffer;
  }
  void give_back(std::unique_ptr<char[]> buffer) {
    if (free_.size() < 64) free_.push_back(std::move(buffer));
  }

 private:
  std::vector<std::unique_ptr<char[]>> free_;
};

BufferPool& buffers() {
  static thread_local BufferPool pool;
  return pool;
}

}  // namespace

struct Stream::State {
  explicit State(sys::Fd descriptor) : fd(std::move(descriptor)), events(fd.get()) {
    struct stat status{};
    announces_end = fstat(fd.get(), &status) == 0 && S_ISSOCK(status.st_mode);
  }
  sys::Fd fd;
  FdEvents events;
  std::unique_ptr<char[]> in;  // Only while it holds something.
  size_t begin = 0, end = 0;
  bool drained = false;      // The last read was short: nothing is left until `events` says so.
  bool wants_write = false;  // It is the transport that has to write before it can read.
  /// Whether `events` tells the end of the input from more input. It does for sockets; a pipe's last bytes
  /// and its end can arrive as one event, so that only another read shows the end.
  bool announces_end = false;
  bool broken = false;
  bool at_end = false;
  bool flushing = false;  // A fiber sends `out`, and whatever else is added meanwhile.
  std::string out;
  std::unique_ptr<Transport> transport;

  ~State() { release_buffer(); }
  void release_buffer() {
    if (in) buffers().give_back(std::move(in));
    begin = end = 0;
  }
  void make_room() {
    if (!in) in = buffers().take();
    if (begin == end) begin = end = 0;
    if (end == kBufferSize && begin > 0) {
      memmove(in.get(), in.get() + begin, end - begin);
      end -= begin;
      begin = 0;
    }
  }
  /// Bytes read; 0 at end of file; ErrorKind::temporary when it would block.
  Result<size_t> read_available();
  Result<size_t> read_descriptor(size_t room);
  Result<size_t> read_transport(size_t room);
  /// Waits for what the last read was missing.
  bool wait_to_read(Deadline deadline, bool parked = false);
  Result<size_t> write_some(std::string_view data, Deadline deadline);
  bool wait_for(Transport::State state, Deadline deadline);
  bool has_unread() { return transport && !drained && (read_available() || at_end || broken); }
};

Result<size_t> Stream::State::read_available() {
  if (broken) return fail(ErrorKind::closed, "connection is broken");
  if (drained && !wants_write && !events.maybe_readable()) return fail(ErrorKind::temporary, "");
  make_room();
  size_t room = kBufferSize - end;
  if (room == 0) return fail(ErrorKind::limit, "input buffer is full");
  size_t count = TRY(transport ? read_transport(room) : read_descriptor(room));
  end += count;
  at_end = count == 0;
  return count;
}

Result<size_t> Stream::State::read_descriptor(size_t room) {
  ssize_t count;
  while ((count = ::read(fd.get(), in.get() + end, room)) < 0 && errno == EINTR) {
  }
  if (count < 0) {
    drained = true;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return fail(ErrorKind::temporary, "");
    broken = true;
    return fail_errno("read");
  }
  drained = announces_end && count > 0 && static_cast<size_t>(count) < room;
  return static_cast<size_t>(count);
}

/// A short read tells nothing here: a transport reads in records.
Result<size_t> Stream::State::read_transport(size_t room) {
  Transport::Outcome outcome = transport->read(in.get() + end, room);
  drained = wants_write = false;
  switch (outcome.state) {
    case Transport::State::done:
      return outcome.count;
    case Transport::State::end:
      return 0;
    case Transport::State::want_write:
      wants_write = true;
      [[fallthrough]];
    case Transport::State::want_read:
      drained = true;
      return fail(ErrorKind::temporary, "");
    case Transport::State::failed:
      break;
  }
  broken = true;
  return fail_errno("read");
}

bool Stream::State::wait_to_read(Deadline deadline, bool parked) {
  bool ready = wants_write ? events.wait_writable(deadline)
               : parked    ? events.wait_readable_parked(deadline)
                           : events.wait_readable(deadline);
  if (ready) drained = wants_write = false;
  return ready;
}

bool Stream::State::wait_for(Transport::State state, Deadline deadline) {
  return state == Transport::State::want_read ? events.wait_readable(deadline)
                                              : events.wait_writable(deadline);
}

/// How much was written, after a wait 0. The stream is broken once this has failed.
Result<size_t> Stream::State::write_some(std::string_view data, Deadline deadline) {
  Transport::Outcome outcome;
  if (transport) {
    outcome = transport->write(data);
  } else {
    ssize_t count = ::write(fd.get(), data.data(), data.size());
    if (count >= 0) {
      outcome = {Transport::State::done, static_cast<size_t>(count)};
    } else if (errno == EINTR) {
      return 0;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      outcome.state = Transport::State::want_write;
    }
  }
  if (outcome.state == Transport::State::done) return outcome.count;
  if (outcome.state == Transport::State::want_read || outcome.state == Transport::State::want_write) {
    if (wait_for(outcome.state, deadline)) return 0;
    broken = true;
    return fail(ErrorKind::timeout, "timed out");
  }
  if (outcome.state == Transport::State::end) errno = EPIPE;
  broken = true;
  return fail_errno("write");
}

Stream::Stream(sys::Fd fd) {
  (void)sys::set_nonblocking(fd.get());
  state_ = std::make_unique<State>(std::move(fd));
}
Stream::~Stream() = default;
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;

int Stream::fd() const {
  return state_->fd.get();
}
FdEvents& Stream::events() {
  return state_->events;
}
bool Stream::at_end() const {
  return state_->at_end;
}
bool Stream::broken() const {
  return state_->broken;
}
bool Stream::has_output() const {
  return !state_->out.empty();
}

std::string_view Stream::buffered() const {
  return state_->in ? std::string_view(state_->in.get() + state_->begin, state_->end - state_->begin)
                    : std::string_view();
}

void Stream::consume(size_t count) {
  state_->begin += count;
}

Result<bool> Stream::fill(Deadline deadline) {
  State& s = *state_;
  for (;;) {
    auto count = s.read_available();
    // Who has sent everything at once may still read the replies.
    if (count && *count == 0) (void)flush(deadline);
    if (count) return *count > 0;
    if (count.error().kind != ErrorKind::temporary) return std::unexpected(std::move(count).error());
    if (s.begin == s.end) s.release_buffer();
    TRY(flush(deadline));
    if (!s.wait_to_read(deadline)) return fail(ErrorKind::timeout, "timed out");
  }
}

bool Stream::fill_available() {
  auto count = state_->read_available();
  if (state_->begin == state_->end) state_->release_buffer();
  return count && *count > 0;
}

Result<std::string> Stream::peek(size_t known, size_t max, Deadline deadline) {
  State& s = *state_;
  std::string out(max, '\0');
  for (;;) {
    ssize_t count = ::recv(s.fd.get(), out.data(), out.size(), MSG_PEEK);
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return fail_errno("read");
    if (count == 0) return fail(ErrorKind::closed, "end of file");
    if (count > static_cast<ssize_t>(known)) {
      out.resize(static_cast<size_t>(count));
      return out;
    }
    if (!s.events.wait_readable(deadline)) return fail(ErrorKind::timeout, "timed out");
  }
}

Result<void> Stream::skip(size_t count) {
  std::string bytes(count, '\0');
  size_t got = TRY(sys::read_some(state_->fd.get(), bytes.data(), count));
  if (got != count) return fail(ErrorKind::closed, "end of file");
  return {};
}

bool Stream::wait_input(Deadline deadline) {
  State& s = *state_;
  if (s.begin != s.end || s.broken || s.has_unread()) return true;
  s.release_buffer();
  return s.wait_to_read(deadline);
}

bool Stream::wait_input_parked(Deadline deadline) {
  constexpr milliseconds kMoment(500);
  State& s = *state_;
  if (s.begin != s.end || s.broken) return true;
  if (!s.out.empty()) {
    // Whoever sends while output waits is served at once.
    if (fill_available() || s.at_end) return true;
    if (!flush(deadline)) return true;
  }
  Deadline soon = Deadline::after(kMoment);
  if (wait_input(soon.or_sooner(deadline))) return true;
  if (deadline <= soon) return false;
  return s.wait_to_read(deadline, true);
}

Result<Line> Stream::read_line(size_t max, Deadline deadline) {
  State& s = *state_;
  max = std::min(max, kBufferSize - 2);
  size_t searched = 0;
  for (;;) {
    std::string_view have = buffered();
    size_t newline = have.find('\n', searched);
    if (newline != std::string_view::npos) {
      bool carriage_return = newline > 0 && have[newline - 1] == '\r';
      size_t length = carriage_return ? newline - 1 : newline;
      if (length < max) {
        consume(newline + 1);
        return Line{have.substr(0, length), carriage_return ? LineEnd::crlf : LineEnd::lf};
      }
    }
    // A carriage return in the last place may be the beginning of the line's end.
    if (have.size() > max || (have.size() == max && have[max - 1] != '\r')) {
      consume(max);
      return Line{have.substr(0, max), LineEnd::partial};
    }
    searched = have.size();
    if (s.in && s.end == kBufferSize) s.make_room();
    if (!TRY(fill(deadline))) {
      have = buffered();
      if (have.empty()) return fail(ErrorKind::closed, "end of file");
      consume(have.size());
      return Line{have, LineEnd::eof};
    }
  }
}

Result<std::string> Stream::read_exact(size_t size, Deadline deadline) {
  std::string out;
  out.reserve(size);
  for (;;) {
    std::string_view have = buffered().substr(0, size - out.size());
    out += have;
    consume(have.size());
    if (out.size() == size) return out;
    if (!TRY(fill(deadline))) return fail(ErrorKind::closed, "end of file");
  }
}

void Stream::write(std::string_view data) {
  state_->out += data;
}

Result<void> Stream::write_through(std::string_view data, Deadline deadline) {
  state_->out += data;
  if (state_->out.size() >= kFlushAt) return flush(deadline);
  return {};
}

Result<void> Stream::flush(Deadline deadline) {
  State& s = *state_;
  if (s.flushing) return {};
  s.flushing = true;
  size_t sent = 0;
  Result<void> result;
  while (sent < s.out.size()) {
    if (s.broken) {
      result = fail(ErrorKind::closed, "connection is broken");
      break;
    }
    auto count = s.write_some(std::string_view(s.out).substr(sent), deadline);
    if (!count) {
      result = std::unexpected(std::move(count).error());
      break;
    }
    sent += *count;
  }
  s.flushing = false;
  s.out.clear();
  if (s.out.capacity() > 4096) s.out.shrink_to_fit();
  return result;
}

void Stream::shutdown_write() {
  ::shutdown(state_->fd.get(), SHUT_WR);
}

void Stream::set_transport(std::unique_ptr<Transport> transport) {
  State& s = *state_;
  s.begin = s.end = 0;
  s.release_buffer();
  s.drained = s.wants_write = false;
  s.transport = std::move(transport);
}

Transport* Stream::transport() const {
  return state_->transport.get();
}

void Stream::end_transport(Deadline deadline, bool wait) {
  State& s = *state_;
  while (s.transport && !s.broken) {
    Transport::State state = s.transport->shutdown().state;
    if (state != Transport::State::want_read && state != Transport::State::want_write) return;
    if (state == Transport::State::want_read && !wait) return;
    if (!s.wait_for(state, deadline)) return;
  }
}

Result<Stream> connect(const sys::Address& to, const std::optional<sys::Address>& local, Deadline deadline) {
  Stream stream(TRY(sys::start_connect(to, local)));
  // The first writability event may come before the outcome is known on no system we run on: an attempt that
  // is under way is not writable.
  if (!stream.events().wait_writable(deadline)) return std::unexpected(Error::from_errno("", ETIMEDOUT));
  TRY(sys::connect_outcome(stream.fd()));
  return stream;
}

}  // namespace postrider::io
