#include "smtp/introduction.h"

#include <chrono>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "queue/record.h"

namespace postrider::smtp_client {

namespace {

Deadline lookup_deadline() {
  return Deadline::after(seconds(100));
}

/// In the order in which they are logged.
constexpr std::string_view kDisableEsmtp = "disable_esmtp", kDelayDot = "delay_dotcrlf";

}  // namespace

bool Introduction::fail(const smtp::SessionFailure& failure) {
  lose(session_, ledger_, failure);
  return false;
}

bool Introduction::refuse(const smtp::Reply& reply) {
  session_.spent = session_.say_goodbye = true;
  session_.judge(reply);
  ledger_.fail_all(remote_failure(reply, session_.host(),
                                  fmt::format("host {} refused to talk to me: {}",
                                              session_.client.peer().name(), reply.one_line())),
                   Blame::destination);
  return false;
}

bool Introduction::loops() {
  session_.spent = session_.say_goodbye = true;
  ledger_.fail_all(local_failure(session_.best_mx ? "5.4.6" : "4.4.6",
                                 fmt::format("mail for {} loops back to myself", request_.nexthop)),
                   Blame::destination);
  return false;
}

/// False when the table cannot be asked.
bool Introduction::set_pix_workarounds() {
  std::string words = settings_.pix.workarounds;
  if (!tables_.pix_workarounds.empty()) {
    auto found =
        tables_.pix_workarounds.find(session_.client.peer().address, table::Where::all, lookup_deadline());
    // As good as it gets: a firewall that is not coped with shows soon enough.
    if (found && *found) words = (*found)->value;
  }
  bool avoid_esmtp = false, delay = false;
  for (std::string_view word : split_any(words, kListSeparators)) {
    avoid_esmtp = avoid_esmtp || equals_ignore_case(word, kDisableEsmtp);
    delay = delay || equals_ignore_case(word, kDelayDot);
  }
  if (split_any(words, kListSeparators).empty()) return true;
  // The delay is for mail that was tried without it for some time.
  auto waiting = std::chrono::microseconds(delivery::now_microseconds() - request_.times.arrival);
  if (waiting < settings_.pix.threshold) delay = false;
  std::string chosen;
  if (avoid_esmtp) chosen = kDisableEsmtp;
  if (delay) chosen += fmt::format("{}{}", chosen.empty() ? "" : " ", kDelayDot);
  log::info("{}: enabling PIX workarounds: {} for {}", request_.queue_id, chosen, session_.relay());
  if (avoid_esmtp) session_.client.avoid_esmtp();
  session_.delay_dot = delay;
  return true;
}

Result<smtp::KeywordSet> Introduction::discarded_keywords() {
  if (tables_.ehlo_keywords.empty()) return settings_.discarded_keywords;
  const std::string& address = session_.client.peer().address;
  auto found = tables_.ehlo_keywords.find(address, table::Where::all, lookup_deadline());
  if (!found) {
    log::warning("{}: {} map lookup error for {}", request_.queue_id, tables_.ehlo_keywords.parameter(),
                 address);
    return std::unexpected(std::move(found).error());
  }
  return *found ? smtp::parse_keywords((*found)->value) : settings_.discarded_keywords;
}

bool Introduction::greet() {
  auto greeting = session_.client.read_greeting();
  if (!greeting) return fail(greeting.error());
  if (!greeting->positive()) return refuse(*greeting);
  if (session_.client.behind_pix()) set_pix_workarounds();
  return true;
}

bool Introduction::say_hello() {
  auto discarded = discarded_keywords();
  if (!discarded) {
    return fail({smtp::SessionFailure::Kind::local, "4.3.0",
                 fmt::format("local data error while talking to {}", session_.client.peer().name())});
  }
  auto reply = session_.client.hello(*discarded);
  if (!reply) return fail(reply.error());
  if (!reply->positive()) return refuse(*reply);
  if (session_.client.is_myself()) return loops();
  session_.say_goodbye = true;
  return true;
}

/// STARTTLS, as far as it is wanted and offered; what was said before does not count any more after it.
bool Introduction::secure() {
  if (session_.tls != nullptr) return true;
  if (securing_.should_start()) {
    switch (securing_.start()) {
      case Securing::Outcome::failed:
        return false;
      case Securing::Outcome::refused:
        break;
      case Securing::Outcome::started:
        if (!say_hello()) return false;
        if (settings_.tls.block_early_mail_reply) {
          io::Stream& stream = session_.client.stream();
          session_.said_too_much = !stream.buffered().empty() || stream.fill_available();
        }
        return true;
    }
  }
  return securing_.may_stay_plain();
}

bool Introduction::run() {
  if (settings_.tls.wrapper && !securing_.wrap()) return false;
  return greet() && say_hello() && secure() && securing_.satisfies_sender() &&
         offers_smtputf8(session_, request_, ledger_);
}

bool offers_smtputf8(ServerSession& session, const proto::DeliverRequest& request, Ledger& ledger) {
  constexpr auto kWanted = static_cast<uint32_t>(queue::kSmtputf8Requested);
  constexpr auto kNeeded =
      static_cast<uint32_t>(queue::kSmtputf8Header | queue::kSmtputf8Sender | queue::kSmtputf8Recipient);
  bool required = (request.sendopts & kWanted) != 0 && (request.sendopts & kNeeded) != 0;
  if (!required || session.client.capabilities().has(smtp::Keyword::smtputf8)) return true;
  ledger.fail_all(local_failure("5.6.7", fmt::format("SMTPUTF8 is required, but was not offered by host {}",
                                                     session.client.peer().name())),
                  Blame::message);
  return false;
}

}  // namespace postrider::smtp_client
