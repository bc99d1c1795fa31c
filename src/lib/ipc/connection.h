// Framed connections between Postrider's processes.
//
// A frame is u32 length | u16 type | u16 flags | u32 request id | fields; the length counts what follows it.
// The first frame each side sends is Hello. docs/ipc.md describes the protocol.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "io/stream.h"
#include "ipc/codec.h"

namespace postrider::ipc {

inline constexpr size_t kMaxFrame = 1 << 20;
inline constexpr uint32_t kProtocolVersion = 1;

struct Hello {
  static constexpr uint16_t kType = 1;
  Text<32> protocol;  ///< "postrider"
  uint32_t version = kProtocolVersion;
  Text<64> service;      ///< Who serves ("cleanup"), or who asks ("smtpd").
  uint32_t credits = 1;  ///< From a server: how many requests it works on at a time.
  void fields(auto& f) { f(protocol, version, service, credits); }
};

/// A request that cannot be served: the answer instead of its reply.
struct Failure {
  static constexpr uint16_t kType = 2;
  uint8_t kind = 0;  ///< An ErrorKind.
  Text<kMaxReason> reason;
  void fields(auto& f) { f(kind, reason); }
};

struct Frame {
  uint16_t type = 0;
  uint16_t flags = 0;
  uint32_t id = 0;
  std::string_view payload;  ///< Valid until the next receive().
};

/// One end of a connection, used by one reading and any number of writing fibers.
class Connection {
 public:
  /// `service` names this side. The own greeting leaves with the first flush; the peer's is read and checked
  /// by the first receive().
  explicit Connection(io::Stream stream, std::string_view service, uint32_t credits = 1);

  /// The peer's greeting, once something has been received.
  const Hello& peer() const { return peer_; }
  /// Reads the peer's greeting now.
  Result<void> receive_hello(Deadline deadline);

  /// Adds a message to the output; fails when a field is longer than its maximum.
  template <typename M>
    requires Message<std::remove_cvref_t<M>>
  Result<void> put(M&& message, uint32_t id = 0, uint16_t flags = 0) {
    size_t start = begin_frame(std::remove_cvref_t<M>::kType, flags, id);
    Encoder encoder(out_);
    message.fields(encoder);
    return end_frame(start, encoder.too_long());
  }
  /// The same for a message whose fields have been encoded already.
  Result<void> put_encoded(uint16_t type, std::string_view payload, uint32_t id);
  /// Sends the output. When another fiber is sending already, that one sends this too.
  Result<void> flush(Deadline deadline);
  template <typename M>
    requires Message<std::remove_cvref_t<M>>
  Result<void> send(M&& message, Deadline deadline, uint32_t id = 0, uint16_t flags = 0) {
    TRY(put(message, id, flags));
    return flush(deadline);
  }
  size_t output_size() const { return out_.size(); }

  /// Until a frame begins to arrive or the peer ends the connection; false when the deadline passed.
  bool wait_frame(Deadline deadline);
  /// The next frame. ErrorKind::closed when the peer has ended the connection between frames.
  Result<Frame> receive(Deadline deadline);
  /// The next frame, which must be an M; a Failure becomes its error.
  template <Message M>
  Result<M> receive_as(Deadline deadline) {
    Frame frame = TRY(receive(deadline));
    return open_frame<M>(frame);
  }
  template <Message M>
  static Result<M> open_frame(const Frame& frame) {
    if (frame.type != M::kType) return std::unexpected(unexpected_frame(frame, M::kType));
    return decode<M>(frame.payload);
  }

  /// Whether the peer has hung up or said something unasked: an idle connection that is of no more use.
  bool is_stale();

  io::Stream& stream() { return stream_; }
  Clock::time_point opened() const { return opened_; }

 private:
  size_t begin_frame(uint16_t type, uint16_t flags, uint32_t id);
  Result<void> end_frame(size_t start, bool too_long);
  Result<Frame> receive_frame(Deadline deadline);
  Result<Frame> read_frame(Deadline deadline);
  void consume_last();
  static Error unexpected_frame(const Frame& frame, uint16_t wanted);

  io::Stream stream_;
  Clock::time_point opened_ = Clock::now();
  std::string out_;
  std::string in_;         // The frame last returned, when it was larger than the stream's buffer.
  size_t to_consume_ = 0;  // The frame last returned is still in the stream's buffer.
  bool sending_ = false;
  bool greeted_ = false;
  Hello peer_;
};

}  // namespace postrider::ipc
