#include "cleanup/bouncer.h"

#include "base/text.h"
#include "config/params/system.h"
#include "log/log.h"
#include "mail/dsn_parameters.h"
#include "queue/envelope.h"
#include "queue/record.h"

namespace postrider::cleanup {

using queue::RecordType;
namespace names = queue::attribute;

namespace {

/// Goes through the recipients of a queue file that is not complete.
class Bouncer {
 public:
  Bouncer(MessageState& state, delivery::Reporter& reporter) : state_(state), reporter_(reporter) {
    std::string reason = state.reason;
    if (reason.empty()) {
      auto [status, text] = proto::problem_text(state.problems);
      reason = std::string(status) + " " + std::string(text);
    }
    auto [code, text] = mail::split_status_text("5.0.0", reason);
    status_ = {.status = code, .action = mail::Action::failed, .reason = std::string(text)};
  }

  void run() {
    read_recipients();
    if (count_ == 0 && !given_up()) {
      proto::DeliveryRecipient unknown;
      unknown.address = unknown.original = state_.recipient.value_or("unknown");
      bounce(unknown);
    }
    if (!given_up()) send_notice();
  }

 private:
  bool given_up() const { return (state_.problems & proto::kProblemWrite) != 0; }

  void read_recipients() {
    if (!state_.writer.flush()) return state_.fail(proto::kProblemWrite);
    queue::RecordReader reader(state_.writer.file());
    proto::DeliveryRecipient recipient;
    while (!given_up()) {
      auto record = reader.next();
      // What was not written completely cannot be read; its recipients are the sender's to guess.
      if (!record || !*record || (*record)->is(RecordType::end)) return;
      take(**record, recipient);
    }
  }

  void take(const queue::Record& record, proto::DeliveryRecipient& recipient) {
    if (record.is(RecordType::attribute)) {
      auto attribute = queue::parse_attribute(record.data);
      if (!attribute) return;
      if (attribute->name == names::kDsnOriginal) recipient.dsn_orcpt = attribute->value;
      if (attribute->name == names::kNotify) {
        recipient.dsn_notify = static_cast<uint32_t>(parse_unsigned(attribute->value).value_or(0));
      }
    } else if (record.is(RecordType::original_recipient)) {
      recipient.original = record.data;
    } else if (record.is(RecordType::recipient)) {
      recipient.address = record.data;
      recipient.offset = static_cast<int64_t>(record.offset);
      if (recipient.original.empty()) recipient.original = recipient.address;
      bounce(recipient);
      recipient = {};
      ++count_;
    }
  }

  void bounce(const proto::DeliveryRecipient& recipient) {
    const queue::CreationTime created = state_.writer.created();
    delivery::MessageRef message{
        .queue_id = state_.id(),
        .times = {.arrival = state_.arrival_seconds * 1'000'000 + state_.arrival_microseconds,
                  .active = created.seconds * 1'000'000 + created.microseconds}};
    if (reporter_.bounce(message, recipient, status_, {}) == delivery::Disposition::deferred) {
      state_.fail(proto::kProblemWrite);
    }
  }

  void send_notice() {
    // Content that was refused, or is too large, is not returned.
    bool headers_only = (state_.problems & (proto::kProblemContent | proto::kProblemSize)) != 0;
    proto::SendNotice notice;
    notice.queue_name = queue::queue_name(queue::QueueName::incoming);
    notice.queue_id = state_.id();
    notice.encoding = state_.encoding;
    notice.sendopts = static_cast<uint32_t>(state_.send_options);
    notice.sender = state_.sender.value_or("");
    notice.dsn_envid = state_.envelope_id;
    notice.dsn_ret = static_cast<uint32_t>(headers_only ? queue::kReturnHeaders : state_.return_flags);
    notice.verp_delimiters = state_.verp;
    auto sent = reporter_.services().flush_bounce(notice, state_.service_deadline());
    if (sent) return;
    log::warning("{}: bounce message failure", state_.id());
    state_.fail(proto::kProblemWrite);
  }

  MessageState& state_;
  delivery::Reporter& reporter_;
  mail::DeliveryStatus status_;
  size_t count_ = 0;
};

}  // namespace

void bounce(MessageState& state, delivery::Reporter& reporter) {
  if (state.settings.config.get(config::params::soft_bounce)) {
    // The message stays with whoever submits it, and comes again.
    state.problems = proto::kProblemWrite;
    return;
  }
  Bouncer(state, reporter).run();
  state.problems &= proto::kProblemWrite;
  if (state.problems == 0) state.flags |= proto::kCleanupDiscard;
}

}  // namespace postrider::cleanup
