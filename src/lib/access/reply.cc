#include "access/reply.h"

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"

namespace postrider::access {

namespace {

/// RFC 5321 section 4.5.3.1.5, without the line's end.
constexpr size_t kMaxReplyLine = 510;

struct AddressStatus {
  std::string_view detail, for_sender, for_recipient;
};
// RFC 3463 section 3.2. What other details say fits neither.
constexpr AddressStatus kAddressStatus[] = {
    {"0", "0", "0"}, {"1", "7", "1"}, {"2", "8", "2"}, {"3", "7", "3"}, {"4", "7", "4"},
    {"5", "0", "5"}, {"6", "7", "6"}, {"7", "7", "3"}, {"8", "8", "2"},
};

std::string_view address_detail(std::string_view detail, bool sender) {
  for (const AddressStatus& known : kAddressStatus) {
    if (known.detail == detail) return sender ? known.for_sender : known.for_recipient;
  }
  return "0";
}

}  // namespace

std::string fitting_status(std::string_view status, std::string_view about) {
  std::string out(status);
  if (status.size() < 5 || status.substr(1, 3) != ".1.") return out;
  bool sender = about == about::kSender;
  if (!sender && about != about::kRecipient) {
    out = fmt::format("{}.0.0", status[0]);
  } else {
    out = fmt::format("{}.1.{}", status[0], address_detail(status.substr(4), sender));
  }
  if (out != status) log::info("mapping DSN status {} into {} status {}", status, about, out);
  return out;
}

std::string reply_line(const Complaint& complaint, bool soft) {
  std::string out = fmt::format("{} {} {}", complaint.code, complaint.status, complaint.text);
  if (complaint.code < 400 || complaint.code > 599) {
    log::warning("response code configuration error: {}", out);
    out = "450 4.7.1 Service unavailable";
  }
  if (out.size() > kMaxReplyLine) out.resize(kMaxReplyLine);
  out = printable(out, ' ');
  if (soft && out[0] == '5') out[0] = '4';
  if (out.size() > 4) out[4] = out[0];
  return out;
}

}  // namespace postrider::access
