#include "smtpd/transaction.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "queue/envelope.h"
#include "sys/process.h"

namespace postrider::smtpd {

using queue::RecordType;
namespace names = queue::attribute;

namespace {

/// What a record counts beside its text, as for the line's end.
constexpr int64_t kRecordSize = 2;

/// Values of record 'f' that cleanup takes from access decisions.
std::string flags_text(uint32_t flags) {
  return fmt::format("{}", flags);
}

std::string_view body_name(smtp::BodyType body) {
  switch (body) {
    case smtp::BodyType::seven_bit:
      return "7bit";
    case smtp::BodyType::eight_bit:
      return "8bit";
    case smtp::BodyType::unspecified:
      break;
  }
  return {};
}

}  // namespace

Transaction::Transaction(const Settings& settings, MailSystem& mail, std::string sender,
                         smtp::MailParameters parameters)
    : settings_(settings), mail_(mail), sender_(std::move(sender)), parameters_(std::move(parameters)) {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  arrival_seconds_ = std::chrono::duration_cast<seconds>(now).count();
  arrival_microseconds_ = std::chrono::duration_cast<std::chrono::microseconds>(now).count() % 1'000'000;
  static uint32_t number = 0;
  instance_ =
      fmt::format("{:x}.{:x}.{:x}.{}", sys::process_id(), arrival_seconds_, arrival_microseconds_, number++);
}

void Transaction::put(RecordType type, std::string_view data) {
  if (!sink_ || (problems_ & proto::kProblemWrite) != 0) return;
  if (auto written = sink_->record(type, data, deadline()); !written) {
    log::warning("{}: {}", label(), written.error().text);
    problems_ |= proto::kProblemWrite;
  }
}

void Transaction::put_attribute(std::string_view name, std::string_view value) {
  put(RecordType::attribute, fmt::format("{}={}", name, value));
}

Result<void> Transaction::open(const Origin& origin) {
  uint32_t flags = settings_.cleanup_flags;
  if (!origin.filtered) flags &= ~uint32_t{proto::kCleanupMilter};
  if (parameters_.smtputf8) flags |= proto::kCleanupSmtpUtf8;
  if (parameters_.requiretls) flags |= proto::kCleanupRequireTls;
  sink_ = TRY(mail_.begin(flags, deadline()));
  if (origin.client) {
    put(RecordType::arrival_time, fmt::format("{} {}", arrival_seconds_, arrival_microseconds_));
    if (!settings_.content_filter.empty()) put(RecordType::filter, settings_.content_filter);
    put_attribute(names::kLogIdent, origin.logged.ident.empty() ? queue_id() : origin.logged.ident);
    put_attribute(names::kRewriteContext, origin.local_rewriting ? "local" : "remote");
  }
  if (origin.client && !origin.client->login.empty()) {
    put_attribute(names::kSaslMethod, origin.client->login_method);
    put_attribute(names::kSaslUsername, origin.client->login);
  }
  if (origin.client && !sasl_sender().empty()) put_attribute(names::kSaslSender, printable(sasl_sender()));
  if (!parameters_.envelope_id.empty()) put_attribute(names::kEnvelopeId, parameters_.envelope_id);
  if (parameters_.ret != mail::Ret::none) {
    put_attribute(names::kReturn, fmt::format("{}", static_cast<int>(parameters_.ret)));
  }
  put(RecordType::sender, sender_);
  if (parameters_.body != smtp::BodyType::unspecified)
    put_attribute(names::kEncoding, body_name(parameters_.body));
  if (origin.client) put_client(origin);
  if (!parameters_.verp_delimiters.empty()) put(RecordType::verp, parameters_.verp_delimiters);
  return {};
}

void Transaction::open(std::unique_ptr<FilterSink> filter) {
  filter_ = filter.get();
  sink_ = std::move(filter);
}

void Transaction::put_client(const Origin& origin) {
  const Client& client = *origin.client;
  const Origin::Logged& logged = origin.logged;
  put_attribute(names::kLogClientName, logged.name);
  put_attribute(names::kLogClientAddress, logged.address);
  put_attribute(names::kLogClientPort, logged.port);
  put_attribute(names::kLogMessageOrigin, logged.label);
  if (!logged.helo_name.empty()) put_attribute(names::kLogHeloName, logged.helo_name);
  put_attribute(names::kLogProtocolName, logged.protocol);
  put_attribute(names::kClientName, client.names.name);
  put_attribute(names::kReverseClientName, client.names.reverse_name);
  put_attribute(names::kClientAddress, client.address);
  put_attribute(names::kClientPort, client.port);
  put_attribute(names::kServerAddress, client.server_address);
  put_attribute(names::kServerPort, client.server_port);
  if (!origin.helo_name.empty()) put_attribute(names::kHeloName, origin.helo_name);
  put_attribute(names::kProtocolName, origin.protocol);
  put_attribute(names::kClientAddressType, fmt::format("{}", client.family));
}

void Transaction::add_recipient(std::string_view address, const smtp::RcptParameters& parameters) {
  if (recipients_++ == 0) first_recipient_ = address;
  if (parameters.original) put_attribute(names::kDsnOriginal, parameters.original->text());
  if (parameters.notify.bits() != 0)
    put_attribute(names::kNotify, fmt::format("{}", parameters.notify.bits()));
  put(RecordType::recipient, address);
}

void Transaction::show_to_milters(const proto::CleanupMilters& milters, const MailSink::MilterRelay& relay) {
  if (!sink_ || problems_ != 0) return;
  if (auto told = sink_->milters(milters, relay, deadline()); !told) {
    log::warning("{}: {}", queue_id(), told.error().text);
    problems_ |= proto::kProblemWrite;
  }
}

void Transaction::begin_content(const access::Effects& effects, const std::string& received,
                                bool repair_start) {
  size_ = 0;
  if (!repair_start) header_start_.skip();
  put_flags(effects);
  put(RecordType::message, "");
  untold_ = true;
  for (const std::string& header : effects.prepend)
    put_lines(header);
  put_lines(received);
}

void Transaction::put_lines(std::string_view text) {
  for (std::string_view line : split_each(text, '\n'))
    put(RecordType::text, line);
}

void Transaction::content(const ContentRecord& record) {
  size_ += static_cast<int64_t>(record.text.size()) + kRecordSize;
  if (problems_ != 0) return;
  if (settings_.message_size_limit > 0 && size_ > settings_.message_size_limit) {
    problems_ |= proto::kProblemSize;
    log::warning("{}: queue file size limit exceeded", label());
    return;
  }
  put_content(record);
}

void Transaction::put_content(const ContentRecord& record) {
  if (header_start_.done()) return put(record.type, record.text);
  queue::HeaderStart::Change change = header_start_.look_at(record);
  if (change.empty_line_before) put(RecordType::text, "");
  if (change.prefix.empty()) return put(record.type, record.text);
  put(record.type, fmt::format("{}{}", change.prefix, record.text));
}

/// What is new since the last time. A message that is to be discarded is not looked at.
void Transaction::put_flags(const access::Effects& effects) {
  uint32_t flags = (effects.hold && !told_.hold ? proto::kCleanupHold : 0U) |
                   (effects.discard && !told_.discard ? proto::kCleanupDiscard : 0U);
  if (flags != 0) put(RecordType::flags, flags_text(flags));
  told_ = effects;
}

void Transaction::close() {
  put(RecordType::extracted, "");
  abandon();
  filter_ = nullptr;
  sink_.reset();
  recipients_ = 0;
  problems_ = 0;
  size_ = 0;
  told_ = {};
  header_start_ = {};
}

void Transaction::abandon() {
  if (std::exchange(untold_, false) && sink_) sink_->flush(deadline());
}

proto::CleanupStatus Transaction::finish(const access::Effects& effects) {
  proto::CleanupStatus out;
  put(RecordType::extracted, "");
  if (!effects.filter.empty()) put(RecordType::filter, effects.filter);
  if (!effects.redirect.empty()) put(RecordType::redirect, effects.redirect);
  for (const std::string& address : effects.bcc) {
    put(RecordType::recipient, address);
    // As with Postfix it counts from the next one on.
    put_attribute(names::kNotify, fmt::format("{}", mail::Notify::never.bits()));
  }
  put_flags(effects);
  put(RecordType::end, "");
  if (problems_ == 0) {
    untold_ = false;
    auto status = sink_->finish(deadline());
    if (status) return std::move(*status);
    log::warning("{}: {}", label(), status.error().text);
    problems_ |= proto::kProblemWrite;
  }
  out.problems = problems_;
  return out;
}

}  // namespace postrider::smtpd
