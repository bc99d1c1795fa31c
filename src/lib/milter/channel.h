// The way packets go to a filter and come back: a connection, or another process that has one.
#pragma once

#include <memory>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "io/stream.h"
#include "milter/protocol.h"

namespace postrider::milter {

class Channel {
 public:
  virtual ~Channel() = default;
  /// Adds packets to the output. It leaves when enough has collected, and before receive() waits.
  virtual Result<void> send(std::string_view packets, Deadline deadline) = 0;
  virtual Result<void> flush(Deadline deadline) = 0;
  /// The next packet. ErrorKind::closed: the filter has ended the connection; ErrorKind::invalid: what came
  /// is no packet, and the text is a log line without the filter's name.
  virtual Result<Packet> receive(Deadline deadline) = 0;
  /// The connection will not be used again, by nobody. Never suspends.
  virtual void give_up() {}
};

/// What is left of a connection that another process has given up: whoever uses it hears that it is gone.
class GoneChannel : public Channel {
 public:
  Result<void> send(std::string_view, Deadline) override { return gone(); }
  Result<void> flush(Deadline) override { return gone(); }
  Result<Packet> receive(Deadline) override { return gone(); }

 private:
  static std::unexpected<Error> gone();
};

/// A connection of this process.
class StreamChannel : public Channel {
 public:
  explicit StreamChannel(io::Stream stream) : stream_(std::move(stream)) {}
  Result<void> send(std::string_view packets, Deadline deadline) override {
    return stream_.write_through(packets, deadline);
  }
  Result<void> flush(Deadline deadline) override { return stream_.flush(deadline); }
  Result<Packet> receive(Deadline deadline) override;

 private:
  io::Stream stream_;
};

/// Connects to "inet:host:port" or "unix:path".
Result<std::unique_ptr<Channel>> open_channel(std::string_view endpoint, Deadline deadline);

}  // namespace postrider::milter
