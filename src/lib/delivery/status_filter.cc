#include "delivery/status_filter.h"

#include <fmt/format.h>

#include "log/log.h"

namespace postrider::delivery {

void StatusFilter::apply(mail::DeliveryStatus& status, Deadline deadline) const {
  if (maps_.empty()) return;
  auto found =
      maps_.find(fmt::format("{} {}", status.status.text(), status.reason), table::Where::all, deadline);
  if (!found || !*found) return;
  std::string_view value = (*found)->value;
  auto code = mail::StatusCode::parse_prefix(value);
  bool succeeded = status.status.status_class() == '2';
  if (!code || (code->status_class() == '2') != succeeded) {
    return log::warning("{}: bad status code: {}", maps_.parameter(), value);
  }
  status.status = *code;
  // A code alone leaves the text as it is.
  std::string text(mail::split_status_text(*code, value).text);
  if (!text.empty()) status.reason = std::move(text);
  if (!succeeded) status.action = code->status_class() == '5' ? mail::Action::failed : mail::Action::delayed;
}

}  // namespace postrider::delivery
