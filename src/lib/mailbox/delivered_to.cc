#include "mailbox/delivered_to.h"

#include "base/casefold.h"
#include "base/text.h"
#include "mail/quote.h"
#include "queue/content.h"

namespace postrider::mailbox {

namespace {

constexpr std::string_view kName = "delivered-to";
/// A message with more hops than this is refused when it arrives.
constexpr size_t kMaxAddresses = 10'000;

/// Whether a line can stand in a header: a name and a colon, or the continuation of a line.
bool is_header_line(std::string_view line) {
  if (line.empty()) return false;
  if (is_space(line.front())) return true;
  size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  std::string_view name = trim_right(line.substr(0, colon));
  for (char c : name) {
    if (is_control(c) || c == ' ') return false;
  }
  return true;
}

}  // namespace

void DeliveredTo::add(std::string_view line) {
  size_t colon = line.find(':');
  if (colon == std::string_view::npos || !equals_ignore_case(trim_right(line.substr(0, colon)), kName))
    return;
  if (addresses_.size() >= kMaxAddresses) return;
  addresses_.insert(casefold(mail::unquote_822_local(trim_left(line.substr(colon + 1)))));
}

Result<DeliveredTo> DeliveredTo::read(queue::ByteSource& file, int64_t data_offset) {
  DeliveredTo out;
  queue::ContentReader reader(file, queue::SizeRecord{.offset = data_offset});
  bool at_line_start = true;
  for (;;) {
    auto next = reader.next();
    // Damage is for those to find who need the rest.
    if (!next && next.error().kind == ErrorKind::invalid) return out;
    auto piece = TRY(std::move(next));
    if (!piece) return out;
    bool whole_start = std::exchange(at_line_start, piece->ends_line);
    if (!whole_start) continue;
    if (!is_header_line(piece->text)) return out;
    out.add(piece->text);
  }
}

bool DeliveredTo::contains(std::string_view address) const {
  return !addresses_.empty() && addresses_.contains(casefold(address));
}

}  // namespace postrider::mailbox
