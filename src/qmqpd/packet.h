// The packet of the QMQP protocol (https://cr.yp.to/proto/qmqp.html): a netstring that holds the message, the
// sender and the recipients, each a netstring, too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/netstring.h"

namespace postrider::qmqpd {

enum class Part : unsigned char { header, content, sender, recipient };

/// "message content" and so on, as log lines and replies have it.
std::string_view describe(Part part);

/// Reads a packet as its bytes arrive. As with Postfix the packet ends with the comma behind the last
/// recipient, whatever length the client has announced for the whole.
class PacketReader {
 public:
  struct Limits {
    uint64_t content;  ///< Bytes of the message.
    uint64_t address;  ///< Of the sender, and of each recipient.
  };
  explicit PacketReader(const Limits& limits);

  enum class Event : unsigned char {
    more,       ///< The input is used up, and the packet goes on.
    content,    ///< text() is the next piece of the message.
    sender,     ///< text() is the whole address.
    recipient,  ///< Likewise.
    end,        ///< The packet is complete.
    malformed,
    too_long,  ///< A length is above its limit.
  };
  /// Takes input up to the next event, which what is left of `input` comes after. After `end`, `malformed`
  /// and `too_long` there is nothing more to read.
  Event next(std::string_view& input);
  /// Valid until the next call, or as long as the input is.
  std::string_view text() const { return text_; }
  /// What is being received.
  Part part() const { return part_; }

 private:
  enum class Place : unsigned char { length, body, comma };
  std::optional<Event> take_length(std::string_view& input);
  std::optional<Event> take_body(std::string_view& input);
  std::optional<Event> take_comma(std::string_view& input);
  void begin(Part part);

  Limits limits_;
  Part part_ = Part::header;
  Place place_ = Place::length;
  NetstringLength length_;
  bool at_start_ = true;  // Of a length.
  uint64_t left_ = 0;     // Of the body.
  std::string address_;
  std::string_view text_;
};

}  // namespace postrider::qmqpd
