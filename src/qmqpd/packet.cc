#include "qmqpd/packet.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace postrider::qmqpd {

std::string_view describe(Part part) {
  switch (part) {
    case Part::header:
      return "QMQP packet header";
    case Part::content:
      return "message content";
    case Part::sender:
      return "sender address";
    case Part::recipient:
      break;
  }
  return "recipient address";
}

namespace {

uint64_t limit_of(Part part, const PacketReader::Limits& limits) {
  // The length of the whole is not made use of: what counts is that of each part.
  if (part == Part::header) return std::numeric_limits<int64_t>::max();
  return part == Part::content ? limits.content : limits.address;
}

}  // namespace

PacketReader::PacketReader(const Limits& limits) : limits_(limits), length_(limit_of(Part::header, limits)) {}

void PacketReader::begin(Part part) {
  part_ = part;
  place_ = Place::length;
  length_ = NetstringLength(limit_of(part, limits_));
  at_start_ = true;
}

PacketReader::Event PacketReader::next(std::string_view& input) {
  while (!input.empty()) {
    std::optional<Event> event = place_ == Place::length ? take_length(input)
                                 : place_ == Place::body ? take_body(input)
                                                         : take_comma(input);
    if (event) return *event;
  }
  return Event::more;
}

std::optional<PacketReader::Event> PacketReader::take_length(std::string_view& input) {
  char c = input.front();
  input.remove_prefix(1);
  if (std::exchange(at_start_, false) && part_ == Part::recipient && c == ',') return Event::end;
  switch (length_.take(c)) {
    case NetstringLength::Step::more:
      break;
    case NetstringLength::Step::malformed:
      return Event::malformed;
    case NetstringLength::Step::too_long:
      return Event::too_long;
    case NetstringLength::Step::done:
      if (part_ == Part::header) {
        begin(Part::content);
      } else {
        address_.clear();
        left_ = length_.value();
        place_ = left_ > 0 ? Place::body : Place::comma;
      }
  }
  return std::nullopt;
}

std::optional<PacketReader::Event> PacketReader::take_body(std::string_view& input) {
  std::string_view piece = input.substr(0, std::min<uint64_t>(left_, input.size()));
  input.remove_prefix(piece.size());
  left_ -= piece.size();
  if (left_ == 0) place_ = Place::comma;
  if (part_ == Part::content) {
    text_ = piece;
    return Event::content;
  }
  // What programs in C make of such an address is another one.
  if (piece.find('\0') != std::string_view::npos) return Event::malformed;
  address_ += piece;
  return std::nullopt;
}

std::optional<PacketReader::Event> PacketReader::take_comma(std::string_view& input) {
  if (input.front() != ',') return Event::malformed;
  input.remove_prefix(1);
  Part complete = part_;
  if (complete == Part::content) {
    begin(Part::sender);
    return std::nullopt;
  }
  begin(Part::recipient);
  text_ = address_;
  return complete == Part::sender ? Event::sender : Event::recipient;
}

}  // namespace postrider::qmqpd
