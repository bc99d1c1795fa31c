// Who has logged in, and may send as whom.
#include <fmt/format.h>

#include "access/judge.h"
#include "access/reply.h"
#include "base/text.h"
#include "log/log.h"

namespace postrider::access {

namespace {
constexpr std::string_view kSenderLogin = "reject_sender_login_mismatch";
constexpr std::string_view kAuthenticated = "reject_authenticated_sender_login_mismatch";
constexpr std::string_view kUnauthenticated = "reject_unauthenticated_sender_login_mismatch";
constexpr std::string_view kKnown = "reject_known_sender_login_mismatch";

bool lists_login(std::string_view owners, std::string_view login) {
  for (std::string_view owner : split_any(owners, kListSeparators)) {
    if (equals_ignore_case(owner, login)) return true;
  }
  return false;
}
}  // namespace

/// Whether a restriction about logins means anything in this session. XCLIENT can tell of one, too.
bool Judge::knows_logins(std::string_view restriction) const {
  if (policy_.settings.sasl || !facts_.sasl_username.empty()) return true;
  log::warning("restriction `{}' ignored: no SASL support", restriction);
  return false;
}

/// reject_sender_login_mismatch and its kin.
Judge::Verdict Judge::sender_login(std::string_view restriction) {
  bool logged_in = !facts_.sasl_username.empty();
  // The general restriction is both of the special ones.
  if (restriction == kSenderLogin) {
    bool known = knows_logins(kAuthenticated);
    if (!knows_logins(kUnauthenticated) || !known) return Verdict::undecided;
  } else if (!knows_logins(restriction)) {
    return Verdict::undecided;
  }
  if (!facts_.sender || facts_.sender->empty()) return Verdict::undecided;
  if (restriction == (logged_in ? kUnauthenticated : kAuthenticated)) return Verdict::undecided;

  auto resolved = resolve(std::string_view(), *facts_.sender);
  if (!resolved) return lookup_failure(*facts_.sender);
  auto owners = find(policy_.sender_logins, resolved->recipient, {});
  if (!owners) return lookup_failure(*facts_.sender);
  auto reject = [&](std::string_view why) {
    return refuse(553, "5.7.1", fmt::format("<{}>: {} rejected: {}", *facts_.sender, about::kSender, why));
  };
  if (!logged_in) return *owners ? reject("not logged in") : Verdict::undecided;
  if (*owners ? lists_login((*owners)->value, facts_.sasl_username) : restriction == kKnown)
    return Verdict::undecided;
  return reject(fmt::format("not owned by user {}", facts_.sasl_username));
}

}  // namespace postrider::access
