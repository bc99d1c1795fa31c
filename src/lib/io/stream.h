// Buffered byte streams for fibers.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "io/loop.h"
#include "io/transport.h"
#include "sys/fd.h"
#include "sys/socket.h"

namespace postrider::io {

/// How a line ended.
enum class LineEnd : unsigned char {
  crlf,
  lf,       ///< A line feed without a carriage return before it.
  partial,  ///< Longer than the limit: the next read goes on in the same line.
  eof,      ///< The stream ended in the middle of the line.
};

struct Line {
  std::string_view text;  ///< Without its terminator; valid until the next call on the stream.
  LineEnd end = LineEnd::crlf;
};

/// A non-blocking socket or pipe with buffers for both directions. Output collects until flush(), or until
/// the next read has to wait: so replies to pipelined commands leave together. An idle stream holds no input
/// buffer. One fiber may read while another one writes.
class Stream {
 public:
  /// Makes the descriptor non-blocking.
  explicit Stream(sys::Fd fd);
  ~Stream();
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;

  int fd() const;

  /// Input that has been read and not consumed.
  std::string_view buffered() const;
  void consume(size_t count);
  /// Waits for more input behind what is buffered; flushes output first. False at end of file.
  Result<bool> fill(Deadline deadline);
  /// Reads what has already arrived, without waiting and without flushing output; false when that is nothing.
  bool fill_available();
  /// What has arrived at the descriptor: more than `known` bytes, at most `max`. It stays there; for those
  /// who must not read more than is theirs. Nothing may be buffered.
  Result<std::string> peek(size_t known, size_t max, Deadline deadline);
  /// Reads so many bytes of what peek() has shown, and forgets them.
  Result<void> skip(size_t count);
  /// Whether the last read found the end of the input.
  bool at_end() const;
  /// One line. After `max` bytes (terminator not counted) it is partial, even if nothing but its end is left.
  /// ErrorKind::closed at end of file when nothing is left.
  Result<Line> read_line(size_t max, Deadline deadline);
  /// Exactly `size` bytes.
  Result<std::string> read_exact(size_t size, Deadline deadline);
  /// Waits until input arrives or the peer hangs up; true at once when some is buffered.
  bool wait_input(Deadline deadline);
  /// The same for a peer that may be idle for long: after a moment the fiber costs no more memory than it
  /// must; see suspend_parked(). Flushes output first.
  bool wait_input_parked(Deadline deadline);

  /// Adds to the output; never suspends. For bounded replies; content goes through write_through().
  void write(std::string_view data);
  /// write(), and flush() whenever 64 kB have collected.
  Result<void> write_through(std::string_view data, Deadline deadline);
  Result<void> flush(Deadline deadline);
  bool has_output() const;

  /// After an I/O error everything else on the stream fails at once.
  bool broken() const;
  /// Half-closes the output side after a flush.
  void shutdown_write();
  FdEvents& events();

  /// From now on bytes go through `transport`. Input that is buffered has not come through it and must not
  /// seem so: it is dropped. Output is flushed by the caller before the peers agree on the change.
  void set_transport(std::unique_ptr<Transport> transport);
  /// Null: the stream reads and writes the descriptor itself.
  Transport* transport() const;
  /// Tells the peer that no more will come through the transport. With `wait` it has to confirm that; what it
  /// sends until then is dropped. Does nothing without a transport, or when the stream is broken.
  void end_transport(Deadline deadline, bool wait);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Connects within the deadline. The error text is the reason alone ("Connection refused").
Result<Stream> connect(const sys::Address& to, const std::optional<sys::Address>& local, Deadline deadline);

}  // namespace postrider::io
