#include "qmgr/message.h"

#include <algorithm>

#include "base/text.h"
#include "delivery/report.h"
#include "mail/quote.h"
#include "mail/verp.h"

namespace postrider::qmgr {

uint32_t delivery_flags(int trace_flags) {
  uint32_t out = 0;
  if ((trace_flags & queue::kTraceRecord) != 0) out |= proto::kDeliverRecordTrace;
  if ((trace_flags & queue::kTraceVerifyOnly) != 0) out |= proto::kDeliverVerifyOnly;
  if ((trace_flags & queue::kTraceProbe) != 0) out |= proto::kDeliverVerifyOnly | proto::kDeliverUpdateVerify;
  return out;
}

namespace {

/// The address that the sender knows: before aliases and rewriting.
std::string verp_recipient(const proto::DeliveryRecipient& recipient) {
  return mail::unquote_822_local(recipient.original.empty() ? recipient.address : recipient.original);
}

/// What the recipients of this delivery need, beside what cleanup knew of the message. Their addresses are in
/// the senders of VERP, too.
uint32_t utf8_needs(const Entry& entry, bool verp) {
  bool any = std::ranges::any_of(entry.recipients, [](const proto::DeliveryRecipient& recipient) {
    return !is_all_ascii(recipient.address) && is_valid_utf8(recipient.address);
  });
  if (!any) return 0;
  return static_cast<uint32_t>(queue::kSmtputf8Recipient | (verp ? queue::kSmtputf8Sender : 0));
}

}  // namespace

proto::DeliverRequest make_request(const Message& message, const Entry& entry) {
  namespace attribute = queue::attribute;
  const queue::Envelope& e = message.envelope;
  proto::DeliverRequest out;
  out.flags = message.flags | entry.flags;
  out.queue_name = "active";
  out.queue_id = message.id;
  out.data_offset = e.size.offset;
  out.data_size = e.size.content_length > 0 ? e.size.content_length : e.size.size;
  out.nexthop = entry.destination->nexthop;
  out.encoding = e.encoding;
  out.sendopts = static_cast<uint32_t>(e.size.send_options) | utf8_needs(entry, !e.verp.empty());
  out.sender = e.verp.empty() || entry.recipients.empty()
                   ? e.sender
                   : mail::verp_sender(e.verp, e.sender, verp_recipient(entry.recipients.front()));
  out.dsn_envid = e.envelope_id;
  out.dsn_ret = static_cast<uint32_t>(e.return_flags);
  out.times = {e.arrival_seconds * 1'000'000 + e.arrival_microseconds, message.active_since,
               delivery::now_microseconds()};
  out.client_name = e.attribute(attribute::kLogClientName);
  out.client_address = e.attribute(attribute::kLogClientAddress);
  out.client_port = e.attribute(attribute::kLogClientPort);
  out.client_protocol = e.attribute(attribute::kLogProtocolName);
  out.client_helo = e.attribute(attribute::kLogHeloName);
  out.sasl_method = e.attribute(attribute::kSaslMethod);
  out.sasl_username = e.attribute(attribute::kSaslUsername);
  out.sasl_sender = e.attribute(attribute::kSaslSender);
  out.log_ident = e.attribute(attribute::kLogIdent);
  out.rewrite_context = e.attribute(attribute::kRewriteContext);
  out.recipients = entry.recipients;
  return out;
}

}  // namespace postrider::qmgr
