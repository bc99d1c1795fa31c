#include "smtp/transfer.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "log/log.h"
#include "mail/quote.h"
#include "queue/content.h"
#include "smtp/command.h"

namespace postrider::smtp_client {

namespace {

constexpr std::string_view kMail = "MAIL FROM command", kRcpt = "RCPT TO command", kData = "DATA command",
                           kEndOfData = "end of DATA command";

smtp::BodyType body_type(std::string_view encoding) {
  if (encoding == "8bit") return smtp::BodyType::eight_bit;
  return encoding == "7bit" ? smtp::BodyType::seven_bit : smtp::BodyType::unspecified;
}

/// ORCPT as it was given, or else the recipient as it was before this system rewrote it.
std::optional<mail::OriginalRecipient> original_recipient(const proto::DeliveryRecipient& recipient,
                                                          bool utf8) {
  if (size_t end = recipient.dsn_orcpt.find(';'); end != std::string::npos) {
    return mail::OriginalRecipient{recipient.dsn_orcpt.substr(0, end), recipient.dsn_orcpt.substr(end + 1)};
  }
  if (recipient.original.empty()) return std::nullopt;
  std::string address = mail::quote_822_local(recipient.original);
  return mail::OriginalRecipient{utf8 && !is_all_ascii(address) ? "utf-8" : "rfc822", std::move(address)};
}

}  // namespace

bool Transfer::probes_only() const {
  return (job_.request.flags & proto::kDeliverVerifyOnly) != 0;
}

mail::DeliveryStatus Transfer::refusal(const smtp::Reply& reply, std::string_view command) const {
  return remote_failure(reply, session_.host(),
                        fmt::format("host {} said: {} (in reply to {})", session_.client.peer().name(),
                                    reply.one_line(), command));
}

void Transfer::fail_message(const smtp::Reply& reply, std::string_view command) {
  ledger_.fail_all(refusal(reply, command), Blame::message);
}

void Transfer::fail_session(const smtp::SessionFailure& failure) {
  session_.spent = true;
  ledger_.fail_all(local_failure(failure.dsn, failure.text), Blame::destination);
}

void Transfer::accept(size_t index, const smtp::Reply& reply) {
  mail::DeliveryStatus how;
  how.status = mail::StatusCode::parse(reply.dsn).value_or(mail::StatusCode("2.0.0"));
  how.action = mail::Action::relayed;
  how.reason = reply.one_line();
  how.mta_type = "dns";
  how.mta_name = session_.host();
  how.diagnostic_type = "smtp";
  how.diagnostic_text = reply.text;
  ledger_.sent(index, how, session_.client.capabilities().has(smtp::Keyword::dsn));
}

/// Whether the server can take the message at all. This is asked for each message, as a session serves many.
bool Transfer::may_be_sent() {
  const smtp::Capabilities& server = session_.client.capabilities();
  auto size = static_cast<uint64_t>(std::max<int64_t>(0, job_.request.data_size));
  if (server.size_limit && size > *server.size_limit) {
    ledger_.fail_all(
        local_failure("5.3.4", fmt::format("message size {} exceeds size limit {} of server {}", size,
                                           *server.size_limit, session_.client.peer().name())),
        Blame::message);
    return false;
  }
  return true;
}

smtp::Envelope Transfer::make_envelope() const {
  const proto::DeliverRequest& request = job_.request;
  const smtp::Capabilities& server = session_.client.capabilities();
  auto quoted = [&](const std::string& address) {
    return address.empty() || !settings_.quote_addresses ? address : mail::quote_821_local(address);
  };
  smtp::Envelope out;
  std::string sender = quoted(request.sender);
  std::string envelope_id = xtext_encode(request.dsn_envid);
  smtp::MailCommand mail{.sender = sender,
                         .size = static_cast<uint64_t>(std::max<int64_t>(0, request.data_size)),
                         .body = body_type(request.encoding),
                         .ret = static_cast<mail::Ret>(request.dsn_ret),
                         .envelope_id = envelope_id};
  mail.smtputf8 = (request.sendopts & ~static_cast<uint32_t>(queue::kSmtputf8Requested)) != 0;
  out.mail = mail.text(server);
  for (size_t i = 0; i < ledger_.size(); ++i) {
    const proto::DeliveryRecipient& recipient = ledger_.recipient(i);
    std::string address = quoted(recipient.address);
    smtp::RcptCommand command{.recipient = address, .original = {}, .notify = {}};
    if (server.has(smtp::Keyword::dsn)) {
      command.original = original_recipient(recipient, request.sendopts != 0);
      command.notify = mail::Notify::from_bits(recipient.dsn_notify).value_or(mail::Notify());
    }
    out.recipients.push_back(command.text(server));
  }
  out.want_data = !probes_only() || settings_.probe_target == ProbeTarget::data;
  return out;
}

/// False when there is nobody to send the content for, or no way to send it.
bool Transfer::take_envelope_replies(const smtp::EnvelopeReplies& replies) {
  bool sender_refused = replies.mail && !replies.mail->positive();
  if (sender_refused) fail_message(*replies.mail, kMail);
  for (size_t i = 0; i < replies.recipients.size() && !sender_refused; ++i) {
    const auto& reply = replies.recipients[i];
    if (!reply) continue;
    if (!reply->positive()) {
      ledger_.fail_one(i, refusal(*reply, kRcpt));
    } else if (probes_only() && settings_.probe_target == ProbeTarget::rcpt) {
      accept(i, *reply);
    }
  }
  if (replies.failure) {
    fail_session(*replies.failure);
    return false;
  }
  if (replies.data && replies.data->first_digit() != 3 && replies.accepted > 0)
    fail_message(*replies.data, kData);
  return replies.ready_for_content;
}

bool Transfer::send_content() {
  queue::SizeRecord where;
  where.offset = job_.request.data_offset;
  queue::ContentReader reader(*job_.file, where);
  for (;;) {
    auto piece = reader.next();
    if (!piece) {
      log::warning("{}: {}", job_.request.queue_id, piece.error().text);
      session_.spent = true;
      ledger_.fail_all(local_failure("5.3.0", "unreadable mail queue entry"), Blame::message);
      return false;
    }
    if (!*piece) return true;
    auto sent = session_.client.send_content((*piece)->text, (*piece)->ends_line);
    if (!sent) {
      fail_session(sent.error());
      return false;
    }
  }
}

void Transfer::take_content_replies(const smtp::ContentReplies& replies) {
  size_t next = 0;
  for (size_t i = 0; i < ledger_.size(); ++i) {
    if (ledger_.decided(i)) continue;
    if (next >= replies.replies.size()) break;
    const smtp::Reply& reply = replies.replies[next];
    if (settings_.lmtp()) {
      ++next;  // One for each recipient that was accepted.
    } else if (!reply.positive()) {
      fail_message(reply, kEndOfData);
      break;
    }
    if (reply.positive()) {
      accept(i, reply);
    } else {
      ledger_.fail_one(i, refusal(reply, kEndOfData));
    }
  }
  if (replies.failure) fail_session(*replies.failure);
}

void Transfer::run(bool keep) {
  session_.client.set_queue_id(job_.request.queue_id);
  if (!may_be_sent()) return;
  ledger_.mark_connected();
  smtp::EnvelopeReplies replies = session_.client.send_envelope(make_envelope());
  session_.say_goodbye = true;
  if (!take_envelope_replies(replies)) {
    if (!replies.failure) ledger_.mark_complete_session();
    if (!session_.spent && !session_.client.reset()) session_.spent = true;
    return;
  }
  if (probes_only()) {
    for (size_t i = 0; i < ledger_.size(); ++i) {
      if (!ledger_.decided(i)) accept(i, *replies.data);
    }
    session_.spent = true;  // In the middle of a message there is no way back.
    session_.say_goodbye = false;
    return;
  }
  if (!send_content()) return;
  smtp::ContentReplies end = session_.client.end_content(!keep);
  take_content_replies(end);
  if (!end.failure) ledger_.mark_complete_session();
}

}  // namespace postrider::smtp_client
