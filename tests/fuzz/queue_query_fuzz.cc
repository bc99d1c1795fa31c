// Queries to postqueue, and the patterns in them.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tools/postqueue/query.h"

using namespace postrider;
using namespace postrider::postqueue;

namespace {

proto::QueueEntry entry(std::string_view text, bool more) {
  proto::QueueEntry out;
  out.queue_id = "4D3F6C2";
  out.queue_name = "deferred";
  out.sender = std::string(text.substr(0, 100));
  proto::QueueRecipient recipient;
  recipient.address = "kim@example.com";
  recipient.delay_reason = std::string(text.substr(text.size() / 2, 100));
  out.recipients.push_back(recipient);
  out.more = more;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  size_t half = size / 2;
  // A pattern matches itself unless it has special characters, and "*" matches all.
  if (text.find_first_of("*?") == std::string_view::npos && !glob_matches(text, text)) __builtin_trap();
  if (!glob_matches("*", text)) __builtin_trap();
  (void)glob_matches(text.substr(0, half), text.substr(half));
  auto query = Query::parse(text);
  if (!query) return 0;
  MessageMatch match(*query, 1'795'688'851);
  if (match.add(entry(text, true)) == MessageMatch::State::open) {
    auto last = entry(text, false);
    if (match.add(last) == MessageMatch::State::open) __builtin_trap();
  }
  return 0;
}
