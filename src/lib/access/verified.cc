// reject_unverified_sender and reject_unverified_recipient: addresses that are tried before mail is accepted.
#include <fmt/format.h>

#include "access/judge.h"
#include "access/reply.h"
#include "log/log.h"

namespace postrider::access {

using proto::AddressStatus;

namespace {
/// What servers say may be long; a reply has to fit in a line.
constexpr size_t kMaxReason = 250;
}  // namespace

Judge::Verdict Judge::unverified(const Restriction& restriction) {
  bool is_sender = restriction.subject == Subject::sender;
  const auto& subject = is_sender ? facts_.sender : facts_.recipient;
  if (!subject || subject->empty()) return Verdict::undecided;
  const Settings::Unverified& rules =
      is_sender ? policy_.settings.unverified_sender : policy_.settings.unverified_recipient;
  std::string_view about = is_sender ? about::kSender : about::kRecipient;
  std::string_view status = is_sender ? "4.1.7" : "4.1.1";
  auto rejected = [&](std::string_view what, std::string_view why) {
    return fmt::format("<{}>: {} rejected: {}{}", *subject, about, what, why);
  };

  auto answer = world_.verify(*subject, deadline_);
  if (!answer) {
    log::warning("verify service failure: {}", answer.error().text);
    return defer_if_permit(rules.tempfail, 450, status, rejected("address verification problem", ""));
  }
  if (answer->status == AddressStatus::deliverable) return Verdict::undecided;
  int code = answer->status == AddressStatus::undeliverable ? rules.reject_code : rules.defer_code;
  std::string_view why =
      rules.reason.empty() ? std::string_view(answer->text) : std::string_view(rules.reason);
  switch (code / 100) {
    case 2:
      return Verdict::undecided;
    case 4:
      return defer_if_permit(rules.tempfail, code, status,
                             rejected("unverified address: ", why.substr(0, kMaxReason)));
    default:
      return refuse(code, is_sender ? "5.1.7" : "5.1.1", rejected("undeliverable address: ", why),
                    ErrorClass::policy);
  }
}

}  // namespace postrider::access
