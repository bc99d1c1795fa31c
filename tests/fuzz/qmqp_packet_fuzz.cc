// What a QMQP client sends: netstrings within netstrings, in pieces of any size.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "qmqpd/packet.h"
#include "qmqpd/verp.h"

using namespace postrider;
using Event = qmqpd::PacketReader::Event;

namespace {

constexpr qmqpd::PacketReader::Limits kLimits{.content = 1000, .address = 100};

void check_address(std::string_view address) {
  if (address.size() > kLimits.address || address.find('\0') != std::string_view::npos) abort();
  if (auto verp = qmqpd::parse_verp_sender(address)) {
    if (verp->delimiters.size() != 2 || verp->sender.size() + 5 != address.size()) abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  // The first byte says in which pieces the rest comes.
  size_t piece = data[0] == 0 ? std::max<size_t>(input.size(), 1) : data[0];
  qmqpd::PacketReader reader(kLimits);
  uint64_t content = 0;
  bool has_sender = false;
  for (; !input.empty(); input.remove_prefix(std::min(piece, input.size()))) {
    std::string_view part = input.substr(0, piece);
    for (Event event = reader.next(part); event != Event::more; event = reader.next(part)) {
      if (event == Event::content) {
        content += reader.text().size();
        if (content > kLimits.content || has_sender) abort();
      } else if (event == Event::sender || event == Event::recipient) {
        if ((event == Event::sender) == has_sender) abort();
        has_sender = true;
        check_address(reader.text());
      } else {
        return 0;
      }
    }
    if (!part.empty()) abort();
  }
  return 0;
}
