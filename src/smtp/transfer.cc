#include "smtp/transfer.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "log/log.h"
#include "mail/quote.h"
#include "queue/content.h"
#include "queue/record.h"
#include "smtp/command.h"
#include "smtp/introduction.h"

namespace postrider::smtp_client {

namespace {

constexpr std::string_view kMail = "MAIL FROM command", kRcpt = "RCPT TO command", kData = "DATA command",
                           kEndOfData = "end of DATA command";

constexpr auto kWantsUtf8 = static_cast<uint32_t>(queue::kSmtputf8Requested);
/// Any of the bits about SMTPUTF8.
constexpr auto kUtf8 = static_cast<uint32_t>(queue::kSmtputf8Requested | queue::kSmtputf8Header |
                                             queue::kSmtputf8Sender | queue::kSmtputf8Recipient);

/// For the look-ups about one address.
Deadline lookup_deadline() {
  return Deadline::after(seconds(100));
}

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

uint64_t size_of(const proto::DeliverRequest& request) {
  return static_cast<uint64_t>(std::max<int64_t>(0, request.data_size));
}

}  // namespace

bool Transfer::probes_only() const {
  return (job_.request.flags & proto::kDeliverVerifyOnly) != 0;
}

bool Transfer::must_downgrade() const {
  return settings_.convert_to_7bit && !session_.client.capabilities().has(smtp::Keyword::eightbitmime) &&
         job_.request.encoding != "7bit";
}

// ---- failures and successes ---------------------------------------------------------------------------

mail::DeliveryStatus Transfer::refusal(const smtp::Reply& reply, std::string_view command) {
  session_.judge(reply);
  return remote_failure(reply, session_.host(),
                        fmt::format("host {} said: {} (in reply to {})", session_.client.peer().name(),
                                    reply.one_line(), command));
}

void Transfer::fail_message(const smtp::Reply& reply, std::string_view command) {
  ledger_.fail_all(refusal(reply, command), Blame::message);
}

void Transfer::fail_session(const smtp::SessionFailure& failure) {
  if (failure.kind == smtp::SessionFailure::Kind::local) session_.trouble.data = true;
  lose(session_, ledger_, failure);
}

/// Something of this system failed in the middle of a session.
void Transfer::fail_data() {
  session_.say_goodbye = false;
  fail_session({smtp::SessionFailure::Kind::local, "4.3.0",
                fmt::format("local data error while talking to {}", session_.client.peer().name())});
}

void Transfer::accept(size_t index, const smtp::Reply& reply) {
  bool reports = session_.client.capabilities().has(smtp::Keyword::dsn);
  bool final = settings_.flags.final && !reports;
  mail::DeliveryStatus how;
  // "354" is as good an answer to a probe.
  auto code = mail::StatusCode::parse(reply.dsn);
  how.status = code && code->is_success() ? *code : mail::StatusCode("2.0.0");
  how.action = final ? mail::Action::delivered : mail::Action::relayed;
  how.reason = reply.one_line();
  how.mta_type = "dns";
  how.mta_name = session_.host();
  how.diagnostic_type = "smtp";
  how.diagnostic_text = reply.text;
  ledger_.sent(index, how, reports);
}

// ---- envelope -----------------------------------------------------------------------------------------

/// Whether the server can take the message at all. This is asked for each message, as a session serves many.
bool Transfer::may_be_sent() {
  const smtp::Capabilities& server = session_.client.capabilities();
  const std::string server_name = session_.client.peer().name();
  if (session_.said_too_much) {
    // Somebody may have sent commands in our name before TLS began (CVE-2009-3555).
    session_.spent = true;
    log::warning("server {} violates {} policy", server_name,
                 settings_.parameter("tls_block_early_mail_reply"));
    ledger_.fail_all(local_failure("4.7.0", "unexpected server message"), Blame::destination);
    return false;
  }
  if (!offers_smtputf8(session_, job_.request, ledger_)) return false;
  if (server.size_limit && size_of(job_.request) > *server.size_limit) {
    ledger_.fail_all(
        local_failure("5.3.4", fmt::format("message size {} exceeds size limit {} of server {}",
                                           size_of(job_.request), *server.size_limit, server_name)),
        Blame::message);
    return false;
  }
  return true;
}

Result<std::string> Transfer::envelope_address(const std::string& address) {
  if (address.empty()) return address;
  std::string mapped = TRY(agent_.generic().map(address, lookup_deadline()));
  return settings_.quote_addresses ? mail::quote_821_local(mapped) : mapped;
}

Result<std::string> Transfer::rcpt_command(const proto::DeliveryRecipient& recipient) {
  const smtp::Capabilities& server = session_.client.capabilities();
  std::string address = TRY(envelope_address(recipient.address));
  smtp::RcptCommand command{.recipient = address, .original = {}, .notify = {}};
  if (server.has(smtp::Keyword::dsn)) {
    command.original = original_recipient(recipient, (job_.request.sendopts & kUtf8) != 0);
    command.notify = mail::Notify::from_bits(recipient.dsn_notify).value_or(mail::Notify());
  }
  return command.text(server);
}

void Transfer::add_xforward(smtp::Envelope& envelope) const {
  const proto::DeliverRequest& request = job_.request;
  smtp::ClientFacts facts;
  auto set = [&](smtp::XforwardAttribute attribute, std::string_view value) {
    facts[static_cast<size_t>(attribute)] = value;
  };
  set(smtp::XforwardAttribute::name, request.client_name);
  set(smtp::XforwardAttribute::address, request.client_address);
  set(smtp::XforwardAttribute::port, request.client_port);
  set(smtp::XforwardAttribute::protocol, request.client_protocol);
  set(smtp::XforwardAttribute::helo, request.client_helo);
  set(smtp::XforwardAttribute::ident, request.log_ident);
  if (!request.rewrite_context.empty()) {
    set(smtp::XforwardAttribute::source, request.rewrite_context == "local" ? "LOCAL" : "REMOTE");
  }
  envelope.xforward = smtp::xforward_commands(facts, session_.client.capabilities());
}

Result<smtp::Envelope> Transfer::make_envelope() {
  const proto::DeliverRequest& request = job_.request;
  smtp::Envelope out;
  out.probe_first = session_.uses > 1;
  if (settings_.send_xforward) add_xforward(out);
  std::string sender = TRY(envelope_address(request.sender));
  std::string envelope_id = xtext_encode(request.dsn_envid);
  smtp::MailCommand mail{.sender = sender,
                         .size = must_downgrade() ? 0 : size_of(request),
                         .body = body_type(request.encoding),
                         .ret = static_cast<mail::Ret>(request.dsn_ret & 3U),
                         .envelope_id = envelope_id};
  mail.null_auth = session_.logged_in && settings_.sasl.dummy_auth;
  mail.smtputf8 = (request.sendopts & kWantsUtf8) != 0;
  mail.requiretls = session_.policy.require != RequireTls::off && session_.tls != nullptr;
  out.mail = mail.text(session_.client.capabilities());
  out.recipients.reserve(ledger_.size());
  for (size_t i = 0; i < ledger_.size(); ++i)
    out.recipients.push_back(TRY(rcpt_command(ledger_.recipient(i))));
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
  if (replies.data && replies.data->first_digit() != 3 && replies.accepted > 0) {
    fail_message(*replies.data, kData);
  }
  return replies.ready_for_content;
}

// ---- content ------------------------------------------------------------------------------------------

bool Transfer::content_failed(const ContentTrouble& trouble) {
  switch (trouble.kind) {
    case ContentTrouble::Kind::session:
      fail_session(*trouble.session);
      break;
    case ContentTrouble::Kind::data:
      fail_data();
      break;
    case ContentTrouble::Kind::message: {
      auto [status, text] = mail::describe(*trouble.mime);
      session_.spent = true;
      session_.say_goodbye = false;
      ledger_.fail_all(local_failure(status.text(), std::string(text)), Blame::message);
      break;
    }
  }
  return false;
}

bool Transfer::send_plain(std::string_view text, bool ends_line) {
  auto sent = session_.client.send_content(text, ends_line);
  if (!sent) fail_session(sent.error());
  return sent.has_value();
}

/// The headers that flags= in master.cf asks for.
bool Transfer::send_added_headers(Outgoing* outgoing) {
  auto add = [&](std::string_view name, const std::string& address, bool brackets) {
    auto mapped = agent_.generic().map(address, lookup_deadline());
    if (!mapped) {
      log::warning("{}: {}", job_.request.queue_id, mapped.error().text);
      fail_data();
      return false;
    }
    std::string quoted = mail::quote_822_local(*mapped);
    std::string line = brackets ? fmt::format("{}: <{}>", name, quoted) : fmt::format("{}: {}", name, quoted);
    if (outgoing == nullptr) return send_plain(line, true);
    return outgoing->line(line, true) || content_failed(*outgoing->trouble());
  };
  const proto::DeliveryRecipient& recipient = ledger_.recipient(0);
  const ServiceFlags& flags = settings_.flags;
  return (!flags.return_path || add("Return-Path", job_.request.sender, true)) &&
         (!flags.original_to || add("X-Original-To", recipient.original, false)) &&
         (!flags.delivered_to || add("Delivered-To", recipient.address, false));
}

/// The queue file cannot be read.
void Transfer::fail_content(const Error& error) {
  log::warning("{}: {}", job_.request.queue_id, error.text);
  session_.spent = true;
  session_.say_goodbye = false;
  bool damaged = error.kind == ErrorKind::invalid;
  ledger_.fail_all(local_failure(damaged ? "5.3.0" : "4.3.0", "unreadable mail queue entry"), Blame::message);
  if (!damaged) return;
  // Nothing is returned to anybody: the file is put aside.
  delivery::mark_corrupt(job_);
  ledger_.drop_all(true);
}

bool Transfer::send_content() {
  Outgoing::Work work;
  if (!agent_.tables().checks.empty()) work.checks = &agent_.tables().checks;
  if (!agent_.generic().empty()) work.generic = &agent_.generic();
  work.downgrade = must_downgrade();
  std::optional<Outgoing> outgoing;
  if (work.any()) outgoing.emplace(session_.client, job_.request.queue_id, work, settings_.mime);
  if (settings_.flags.adds_headers() && !send_added_headers(outgoing ? &*outgoing : nullptr)) return false;

  queue::SizeRecord where;
  where.offset = job_.request.data_offset;
  queue::ContentReader reader(*job_.file, where);
  for (;;) {
    auto piece = reader.next();
    if (!piece) {
      fail_content(piece.error());
      return false;
    }
    if (!*piece) break;
    if (!outgoing) {
      if (!send_plain((*piece)->text, (*piece)->ends_line)) return false;
    } else if (!outgoing->line((*piece)->text, (*piece)->ends_line)) {
      return content_failed(*outgoing->trouble());
    }
  }
  return !outgoing || outgoing->finish() || content_failed(*outgoing->trouble());
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

/// The server would take the content; that is all that was to be found out. In the middle of a message the
/// only way out is to hang up.
void Transfer::finish_probe(const smtp::Reply& data_reply) {
  for (size_t i = 0; i < ledger_.size(); ++i) {
    if (!ledger_.decided(i)) accept(i, data_reply);
  }
  session_.spent = true;
  session_.say_goodbye = false;
}

void Transfer::run(bool keep) {
  session_.client.set_queue_id(job_.request.queue_id);
  session_.say_goodbye = false;
  if (!may_be_sent()) return;
  ledger_.mark_connected();
  auto envelope = make_envelope();
  if (!envelope) {
    log::warning("{}: {}", job_.request.queue_id, envelope.error().text);
    return fail_data();
  }
  smtp::EnvelopeReplies replies = session_.client.send_envelope(*envelope);
  session_.stale = replies.stale;
  if (replies.stale) return;
  session_.say_goodbye = true;
  if (!take_envelope_replies(replies)) {
    if (!replies.failure) ledger_.mark_complete_session();
    if (!session_.spent && !session_.client.reset()) session_.spent = true;
    return;
  }
  if (probes_only()) return finish_probe(*replies.data);
  if (!send_content()) return;
  Clock::duration pause = session_.delay_dot ? settings_.pix.delay : Clock::duration::zero();
  smtp::ContentReplies end = session_.client.end_content(!keep, pause);
  take_content_replies(end);
  if (!end.failure) ledger_.mark_complete_session();
}

}  // namespace postrider::smtp_client
