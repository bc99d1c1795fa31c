#include "access/judge.h"

#include <fmt/format.h>

#include "access/reply.h"
#include "base/text.h"
#include "io/fiber.h"
#include "log/log.h"

namespace postrider::access {

namespace {
constexpr size_t kMaxLevels = 101;
}  // namespace

// --- stages ---

void Judge::start_stage(Memory::Kept before) {
  memory_.defer_if_permit = std::move(before);
  memory_.defer_if_reject.reset();
  levels_.clear();
  warn_level_ = 0;
  refusal_.reset();
}

Judge::Answer Judge::answer(Verdict verdict) {
  return verdict == Verdict::reject ? std::exchange(refusal_, std::nullopt) : std::nullopt;
}

Judge::Answer Judge::client() {
  start_stage({});
  Verdict verdict = run(policy_.client, {facts_.client, about::kClient, Subject::client});
  memory_.after_client = memory_.defer_if_permit;
  return answer(verdict);
}

Judge::Answer Judge::helo() {
  start_stage(memory_.after_client);
  memory_.after_helo = memory_.after_client;
  if (!facts_.helo_name) return std::nullopt;
  Verdict verdict = run(policy_.helo, {*facts_.helo_name, about::kHelo, Subject::helo});
  memory_.after_helo = memory_.defer_if_permit;
  return answer(verdict);
}

Judge::Answer Judge::mail() {
  start_stage(memory_.after_helo);
  memory_.sender_looked_up = false;
  memory_.after_sender = memory_.after_helo;
  if (!facts_.sender) return std::nullopt;  // VRFY
  Verdict verdict = run(policy_.sender, {sender(), about::kSender, Subject::sender});
  memory_.after_sender = memory_.defer_if_permit;
  if (verdict != Verdict::reject && policy_.settings.reject_unlisted_sender && !memory_.sender_looked_up &&
      !memory_.effects.discard && !sender().empty()) {
    parameter_ = "smtpd_reject_unlisted_sender";
    verdict = unlisted(sender(), about::kSender);
  }
  return answer(verdict);
}

Judge::Answer Judge::rcpt() {
  std::string_view recipient = facts_.recipient.value_or(std::string_view());
  // RFC 5321 section 4.5.1.
  if (equals_ignore_case(recipient, "postmaster")) return std::nullopt;
  memory_.recipient_looked_up = false;
  if (policy_.settings.delay_reject) {
    if (Answer refusal = client()) return refusal;
    if (Answer refusal = helo()) return refusal;
    if (Answer refusal = mail()) return refusal;
  }
  const RestrictionList* lists[] = {&policy_.relay, &policy_.recipient};
  if (!policy_.settings.relay_before_recipient) std::swap(lists[0], lists[1]);
  start_stage(memory_.after_sender);
  Verdict verdict = Verdict::undecided;
  for (const RestrictionList* list : lists) {
    memory_.defer_if_reject.reset();
    verdict = run(*list, {recipient, about::kRecipient, Subject::recipient});
    if (verdict == Verdict::reject) return answer(verdict);
  }
  if (memory_.defer_if_permit) return answer(refuse(*memory_.defer_if_permit));
  if (policy_.settings.reject_unlisted_recipient && !memory_.recipient_looked_up &&
      !memory_.effects.discard) {
    parameter_ = "smtpd_reject_unlisted_recipient";
    verdict = unlisted(recipient, about::kRecipient);
  }
  return answer(verdict);
}

Judge::Answer Judge::data() {
  start_stage({});
  Verdict verdict = run(policy_.data, {"DATA", about::kData});
  if (verdict != Verdict::reject && memory_.defer_if_permit) verdict = refuse(*memory_.defer_if_permit);
  return answer(verdict);
}

Judge::Answer Judge::end_of_data() {
  start_stage({});
  Verdict verdict = run(policy_.end_of_data, {"END-OF-MESSAGE", about::kEndOfData});
  if (verdict != Verdict::reject && memory_.defer_if_permit) verdict = refuse(*memory_.defer_if_permit);
  return answer(verdict);
}

Judge::Answer Judge::etrn(std::string_view domain) {
  etrn_domain_ = domain;
  if (policy_.settings.delay_reject) {
    if (Answer refusal = client()) return refusal;
    if (Answer refusal = helo()) return refusal;
  }
  start_stage(memory_.after_helo);
  Verdict verdict = run(policy_.etrn, {etrn_domain_, about::kEtrn, Subject::etrn});
  if (verdict != Verdict::reject && memory_.defer_if_permit) verdict = refuse(*memory_.defer_if_permit);
  return answer(verdict);
}

Judge::Answer Judge::size(int64_t size) {
  start_stage(memory_.defer_if_permit);
  int64_t limit = policy_.settings.message_size_limit;
  if (limit <= 0 || size <= limit) return std::nullopt;
  parameter_ = "message_size_limit";
  return answer(refuse(552, "5.3.4", "Message size exceeds fixed limit"));
}

Judge::Answer Judge::no_space() {
  start_stage(memory_.defer_if_permit);
  parameter_ = "queue_minfree";
  return answer(refuse(452, "4.3.1", "Insufficient system storage", ErrorClass::resource));
}

Result<bool> Judge::rewrites_headers() {
  const Policy::RewriteClients& clients = policy_.rewrite_clients;
  if (clients.interfaces && policy_.is_own_address(facts_.socket_address)) return true;
  if (clients.networks &&
      TRY(policy_.mynetworks.match(facts_.client_name, facts_.client_address, deadline_)).matched) {
    return true;
  }
  if (clients.logins && !facts_.sasl_username.empty()) return true;
  if (facts_.tls && facts_.tls->peer.present) {
    if (clients.all_certificates && facts_.tls->peer.trusted) return true;
    if (clients.certificates && TRY(certificate_is_listed(policy_.relay_certificates))) return true;
  }
  for (const table::Maps& maps : clients.tables) {
    if (TRY(maps.find(facts_.client_address, table::Where::all, deadline_))) return true;
  }
  return false;
}

Judge::Answer Judge::rewriting_unknown() {
  start_stage(memory_.defer_if_permit);
  parameter_ = "local_header_rewrite_clients";
  return answer(refuse(451, "4.3.0", "Temporary lookup error", ErrorClass::resource));
}

// --- lists ---

Judge::Verdict Judge::enter(const RestrictionList& list, std::unique_ptr<RestrictionList> owned,
                            const Target& target) {
  levels_.push_back({&list, std::move(owned), target, 0, {}});
  return Verdict::nested;
}

Judge::Verdict Judge::run(const RestrictionList& list, const Target& target) {
  levels_.clear();
  warn_level_ = 0;
  enter(list, nullptr, target);
  Verdict verdict = run_levels();
  levels_.clear();
  warn_level_ = 0;
  current_ = nullptr;
  return verdict;
}

Judge::Verdict Judge::run_levels() {
  while (!levels_.empty()) {
    Level& level = levels_.back();
    Verdict verdict = Verdict::undecided;
    // A message that is to be discarded is not looked at any more.
    if (level.next < level.list->items.size() && !memory_.effects.discard) {
      const Restriction& restriction = level.list->items[level.next++];
      if (restriction.action == Action::warn_if_reject) {
        if (warn_level_ == 0) warn_level_ = levels_.size();
        continue;
      }
      current_ = &restriction;
      table_.clear();
      key_.clear();
      // The target is copied: the levels may move.
      verdict = apply(restriction, Target(level.target));
      if (verdict == Verdict::nested) continue;
    } else {
      levels_.pop_back();
      if (levels_.empty()) break;
    }
    if (warn_level_ >= levels_.size()) warn_level_ = 0;
    verdict = unwind(verdict);
    if (verdict != Verdict::undecided) return verdict;
    // Whatever comes now, the request is put off.
    if (memory_.defer_if_permit && memory_.defer_if_reject) return Verdict::undecided;
  }
  return Verdict::undecided;
}

/// A decision ends all lists, unless one of them may not permit.
Judge::Verdict Judge::unwind(Verdict verdict) {
  if (verdict != Verdict::permit) return verdict;
  while (!levels_.empty() && levels_.back().cannot_permit.empty())
    levels_.pop_back();
  if (levels_.empty()) return verdict;
  std::string cannot_permit = std::move(levels_.back().cannot_permit);
  levels_.pop_back();
  if (warn_level_ >= levels_.size()) warn_level_ = 0;
  return permit_does_not_count(cannot_permit);
}

void Judge::warn_if_followed(std::string_view name) const {
  const Level& level = levels_.back();
  if (level.next >= level.list->items.size() || warn_level_ != 0) return;
  log::warning("restriction `{}' after `{}' is ignored", level.list->items[level.next].name, name);
}

Judge::Verdict Judge::apply(const Restriction& r, const Target& target) {
  const Settings::Codes& code = policy_.settings.code;
  auto rejected = [&](std::string_view why) {
    return fmt::format("<{}>: {} rejected: {}", target.name, target.about, why);
  };
  switch (r.action) {
    case Action::permit:
      warn_if_followed(r.name);
      return permit(r.name, target);
    case Action::reject:
      warn_if_followed(r.name);
      return refuse(code.reject, "5.7.1", rejected("Access denied"));
    case Action::defer:
      warn_if_followed(r.name);
      return refuse(code.defer, "4.3.2", rejected("Try again later"));
    case Action::warn_if_reject:
      return Verdict::undecided;  // run() sees to it.
    case Action::defer_if_permit:
      return defer_if_permit(TempFail::defer_if_permit, 450, "4.7.0", rejected("defer_if_permit requested"));
    case Action::defer_if_reject:
      return defer_if_reject(450, "4.7.0", rejected("defer_if_reject requested"));
    case Action::sleep:
      io::sleep_until(Deadline::after(r.pause).or_sooner(deadline_));
      return Verdict::undecided;
    case Action::check_access:
      return check_access(r, r.subject, target);
    case Action::bare_table:
      if (target.default_subject != Subject::none) return check_access(r, target.default_subject, target);
      log::warning(
          "specify one of (check_client_access, check_reverse_client_hostname_access, check_helo_access, "
          "check_sender_access, check_recipient_access, check_etrn_access) before {} restriction \"{}\"",
          target.about, r.name);
      return configuration_error();
    case Action::restriction_class:
      if (levels_.size() >= kMaxLevels) {
        log::warning("restriction class {} causes unreasonable recursion", r.name);
        return configuration_error();
      }
      return enter(*r.members, nullptr, target);
    case Action::permit_mynetworks:
      return permit_mynetworks(target);
    case Action::permit_inet_interfaces:
      return permit_inet_interfaces();
    case Action::permit_by_login:
      if (r.subject == Subject::certificate) return permit_by_certificate(r);
      if (r.subject != Subject::login || facts_.sasl_username.empty()) return Verdict::undecided;
      return permit(r.name, {facts_.client, about::kClient});
    case Action::reject_unauth_pipelining:
      if (!facts_.improper_pipelining) return Verdict::undecided;
      return refuse(503, "5.5.0", rejected("Improper use of SMTP command pipelining"), ErrorClass::protocol);
    case Action::reject_plaintext_session:
      if (facts_.tls) return Verdict::undecided;
      return refuse(code.plaintext, "4.7.1", "Session encryption is required");
    case Action::reject_unknown_client:
      return unknown_client();
    case Action::reject_unknown_reverse_client:
      return unknown_reverse_client();
    case Action::reject_invalid_helo:
    case Action::reject_non_fqdn_helo:
    case Action::reject_unknown_helo:
      return helo_restriction(r);
    case Action::reject_multi_recipient_bounce: {
      // At RCPT the recipient in question is not counted yet.
      size_t others = facts_.where == "RCPT" ? 0 : 1;
      if (!facts_.sender || !facts_.sender->empty() || facts_.recipients <= others) return Verdict::undecided;
      return refuse(code.multi_recipient_bounce, "5.5.3", rejected("Multi-recipient bounce"));
    }
    case Action::permit_auth_destination:
    case Action::reject_unauth_destination:
    case Action::defer_unauth_destination:
    case Action::reject_non_fqdn_address:
    case Action::reject_unknown_domain:
    case Action::reject_unlisted:
      return address_restriction(r, target);
    case Action::reject_listed:
    case Action::permit_listed:
      return dns_list(r);
    case Action::policy_service:
      return ask_policy_service(r, target);
    case Action::permit_mx_backup:
      return facts_.recipient ? mx_backup(*facts_.recipient, target) : Verdict::undecided;
    case Action::ignored:
      log::warning("{}", r.problem);
      return Verdict::undecided;
    case Action::sender_login:
      return sender_login(r.name);
    case Action::reject_unverified:
      return unverified(r);
    case Action::removed:
      log::warning("support for restriction \"{}\" has been removed in Postfix 3.9; instead, specify \"{}\"",
                   r.name, r.advice);
      return configuration_error();
    case Action::unknown:
      log::warning("unknown smtpd restriction: \"{}\"", r.name);
      return configuration_error();
    case Action::misused:
      log::warning("{}", r.problem);
      return configuration_error();
  }
  return Verdict::undecided;
}

// --- decisions ---

Because Judge::because() const {
  Because out;
  if (!levels_.empty()) {
    out.parameter = levels_.front().list->parameter;
    out.source = levels_.front().list->source;
  } else {
    out.parameter = parameter_;
  }
  if (current_) out.restriction = current_->name;
  out.table = table_;
  out.key = key_;
  return out;
}

Judge::Verdict Judge::permit(std::string_view action, const Target& target, std::string_view table) {
  if (!policy_.logged_permits.empty()) {
    auto listed = policy_.logged_permits.match(action, deadline_);
    if (listed && listed->matched) {
      event("permit", fmt::format("action={} for {}={} {}{}", action, target.about, target.name,
                                  table.empty() ? "" : "from ", table));
    }
  }
  return Verdict::permit;
}

Judge::Verdict Judge::refuse(int code, std::string_view status, std::string text, ErrorClass error) {
  return refuse(Complaint{error, code, std::string(status), std::move(text), because()});
}

Judge::Verdict Judge::refuse(Complaint complaint) {
  // What is wrong with this system cannot be turned into a warning about the client.
  bool own_fault = complaint.error == ErrorClass::software || complaint.error == ErrorClass::resource ||
                   complaint.error == ErrorClass::data;
  bool only_warn = warn_level_ != 0 && !own_fault;
  std::string reply = reply_line(complaint, false);
  if (!only_warn && reply[0] == '5' && memory_.defer_if_reject) {
    // Something could not be found out before that might have led to another reply.
    Memory::Kept earlier = std::exchange(memory_.defer_if_reject, {});
    warn_level_ = 0;
    return refuse(*earlier);
  }
  if (policy_.settings.soft_bounce) reply = reply_line(complaint, true);
  journal_.event(only_warn ? "reject_warning" : "reject", reply, facts_, complaint.because);
  if (only_warn) return Verdict::undecided;
  refusal_ = Refusal{std::move(reply), complaint.error, std::move(complaint.because)};
  return Verdict::reject;
}

Judge::Verdict Judge::configuration_error() {
  return refuse(451, "4.3.5", "Server configuration error", ErrorClass::software);
}

Judge::Verdict Judge::lookup_failure(std::string_view subject) {
  return refuse(451, "4.3.0", fmt::format("<{}>: Temporary lookup failure", subject), ErrorClass::data);
}

Judge::Verdict Judge::defer_if_permit(TempFail mode, int code, std::string_view status, std::string text) {
  if (warn_level_ != 0 || mode == TempFail::defer) return refuse(code, status, std::move(text));
  if (!memory_.defer_if_permit) {
    memory_.defer_if_permit = std::make_shared<const Complaint>(
        Complaint{ErrorClass::policy, code, std::string(status), std::move(text), because()});
  }
  return Verdict::undecided;
}

Judge::Verdict Judge::defer_if_reject(int code, std::string_view status, std::string text) {
  if (!memory_.defer_if_reject) {
    memory_.defer_if_reject = std::make_shared<const Complaint>(
        Complaint{ErrorClass::policy, code, std::string(status), std::move(text), because()});
  }
  return Verdict::undecided;
}

}  // namespace postrider::access
