#include "cleanup/recipients.h"

#include <fmt/format.h>

#include "base/casefold.h"
#include "base/text.h"
#include "cleanup/milters.h"
#include "mail/dsn_parameters.h"
#include "queue/envelope.h"

namespace postrider::cleanup {

using mail::Notify;
using queue::RecordType;
namespace names = queue::attribute;

std::string Recipients::mapped(std::string_view address) {
  std::string out = mapper_.standard_form(
      state_, address.empty() ? std::string_view(state_.settings.empty_recipient) : address);
  if (state_.has(proto::kCleanupMap)) out = mapper_.map(state_, std::move(out), Role::envelope_recipient);
  if (state_.has(proto::kCleanupAutoUtf8) && !is_all_ascii(out) && is_valid_utf8(out)) {
    state_.send_options |= queue::kSmtputf8Requested;
  }
  return out;
}

void Recipients::add(std::string_view address, RecipientNotes notes) {
  Final known{.original = std::move(notes.original).value_or(std::string(address)),
              .dsn_original = {},
              .notify = notes.notify};
  std::string final_address = mapped(address);
  if (notes.dsn_original) {
    known.dsn_original = std::move(*notes.dsn_original);
  } else if (!final_address.empty()) {
    known.dsn_original = (is_all_ascii(final_address) ? "rfc822;" : "utf-8;") + final_address;
  }
  expand(final_address, std::move(known));
  state_.recipient = final_address;
  if (state_.milters) state_.milters->recipient(final_address);
  if (!state_.has(proto::kCleanupBcc)) return;
  std::string copy = mapper_.find_bcc(state_, mapper_.tables().recipient_bcc, final_address);
  if (!copy.empty()) add_bcc(copy);
}

void Recipients::add_bcc(std::string_view address) {
  std::string final_address = mapped(address);
  // The sender need not know: no notices, and nothing of the sender's own parameters.
  expand(final_address, {.original = final_address, .dsn_original = {}, .notify = Notify::never.bits()});
}

void Recipients::add_for_filter(std::string_view address, RecipientNotes notes) {
  std::string final_address = mapped(address);
  expand(final_address, {.original = final_address,
                         .dsn_original = std::move(notes.dsn_original).value_or(""),
                         .notify = notes.notify});
}

void Recipients::forget(std::string_view address) {
  std::string folded = casefold(address);
  std::erase_if(seen_, [&](const std::string& key) { return key == folded || key.ends_with("\n" + folded); });
}

void Recipients::add_bcc_of_sender() {
  if (!state_.has(proto::kCleanupBcc) || !state_.sender) return;
  std::string copy = mapper_.find_bcc(state_, mapper_.tables().sender_bcc, *state_.sender);
  if (!copy.empty()) add_bcc(copy);
}

void Recipients::expand(const std::string& address, Final notes) {
  if (!state_.has(proto::kCleanupMap) || !mapper_.has_aliases()) return write(address, notes);
  std::vector<std::string> results = mapper_.expand(state_, address);
  if (results.size() > 1 && (state_.trace_flags & queue::kTraceProbe) != 0)
    return answer_probe(address, notes);
  bool changed = results.size() > 1 || results.front() != address;
  // RFC 3461 section 5.2.7.2: success has been reported with the expansion; the new recipients do not report
  // it again.
  if (changed && (notes.notify & Notify::success.bits()) != 0 && state_.writing()) {
    report_expansion(address, notes);
    notes.notify &= ~Notify::success.bits();
    if (notes.notify == 0) notes.notify = Notify::never.bits();
  }
  for (const std::string& result : results)
    write(result, notes);
}

void Recipients::report_expansion(const std::string& address, const Final& notes) {
  proto::DeliveryRecipient recipient;
  recipient.address = address;
  recipient.original = notes.original;
  recipient.dsn_orcpt = notes.dsn_original;
  recipient.dsn_notify = notes.notify;
  delivery::MessageRef message{.queue_id = state_.id(),
                               .times = {.arrival = state_.arrival_seconds * 1'000'000}};
  reporter_.trace(message, recipient,
                  {.status = "2.0.0", .action = mail::Action::expanded, .reason = "alias expanded"}, {});
  state_.traced = true;
}

/// A probe of a list's address does not go to all who are in the list.
void Recipients::answer_probe(const std::string& address, const Final& notes) {
  if (!state_.writing()) return;
  proto::DeliveryRecipient recipient;
  recipient.address = address;
  recipient.original = notes.original;
  recipient.dsn_orcpt = notes.dsn_original;
  recipient.dsn_notify = notes.notify;
  delivery::MessageRef message{.queue_id = state_.id(),
                               .flags = proto::kDeliverVerifyOnly | proto::kDeliverUpdateVerify,
                               .times = {.arrival = state_.arrival_seconds * 1'000'000}};
  // When it cannot be noted, the address is probed again later.
  (void)reporter_.sent(
      message, recipient,
      {.status = "2.0.0", .action = mail::Action::delivered, .reason = "aliased to multiple recipients"}, {});
  state_.probe_answered = true;
}

/// With original recipients kept, the same address by way of different ones is delivered once for each:
/// X-Original-To and notices differ.
bool Recipients::seen_before(const std::string& address, const Final& notes) {
  std::string key = address;
  if (state_.settings.enable_original_recipient) {
    key = fmt::format("{}\n{}\n{}\n{}", notes.dsn_original, notes.notify, notes.original, address);
  }
  key = casefold(key);
  if (seen_.contains(key)) return true;
  size_t limit = state_.settings.duplicate_filter_limit;
  if (limit == 0 || seen_.size() < limit) seen_.insert(std::move(key));
  return false;
}

void Recipients::write(const std::string& address, const Final& notes) {
  if (!state_.writing() || seen_before(address, notes)) return;
  if (notes.notify != 0) state_.put_attribute(names::kNotify, std::to_string(notes.notify));
  if (!notes.dsn_original.empty()) state_.put_attribute(names::kDsnOriginal, notes.dsn_original);
  state_.put(RecordType::original_recipient, notes.original);
  state_.put(RecordType::recipient, address);
  ++state_.recipients;
}

}  // namespace postrider::cleanup
