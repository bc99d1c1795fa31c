#include "queue/header_start.h"

#include <algorithm>
#include <utility>

namespace postrider::queue {

HeaderStart::Change HeaderStart::look_at(const ContentRecord& record) {
  std::string_view text = record.text;
  bool goes_on = std::exchange(in_long_line_, record.type == RecordType::text_part);
  if (goes_on) return {};
  // The separator lines of mailbox files, which some programs leave at the top.
  if (text.substr(std::min(text.find_first_not_of('>'), text.size())).starts_with("From ")) {
    return {.prefix = "X-Mailbox-Line: "};
  }
  done_ = true;
  // Continuing the header that this system has put in front is not what the sender had in mind.
  return {.empty_line_before = text.starts_with(' ') || text.starts_with('\t')};
}

}  // namespace postrider::queue
