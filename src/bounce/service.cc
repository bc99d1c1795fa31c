#include "bounce/service.h"

#include <fmt/format.h>

#include "base/text.h"
#include "bounce/entries.h"
#include "bounce/notifier.h"
#include "log/log.h"
#include "mail/quote.h"
#include "queue/id.h"

namespace postrider::bounce {

using queue::LogKind;

namespace {

Result<void> check_id(std::string_view id) {
  if (queue::is_valid_id(id)) return {};
  return fail(ErrorKind::invalid, fmt::format("bad queue id: {}", printable(id)));
}

std::string external(std::string_view address) {
  return address.empty() ? "" : mail::quote_822_local(address);
}

/// Replies of several lines become one.
std::string one_line(std::string_view text) {
  return replace_all(text, "\n", " ");
}

queue::RecipientStatus to_entry(const proto::AppendStatus& request) {
  return {.recipient = external(request.recipient.address),
          .original = external(request.recipient.original),
          .dsn_original = request.recipient.dsn_orcpt,
          .notify = static_cast<int>(request.recipient.dsn_notify),
          .offset = request.recipient.offset > 0 ? static_cast<uint64_t>(request.recipient.offset) : 0,
          .status = request.status,
          .action = request.action,
          .diagnostic_type = request.diagnostic_type,
          .diagnostic_text = one_line(request.diagnostic_text),
          .mta_type = request.mta_type,
          .mta_name = request.mta_name,
          .reason = one_line(request.reason)};
}

/// Reports say by which way a recipient was reached.
void add_relay(queue::RecipientStatus& entry, std::string_view relay) {
  if (relay.empty() || equals_ignore_case(relay, "none")) return;
  entry.reason = fmt::format("delivery via {}: {}", relay, entry.reason);
}

}  // namespace

Service::Service(const Settings& settings, queue::Store& store, queue::Committer& committer,
                 clients::InternalMailer& mailer)
    : settings_(settings), store_(store), logs_(store, committer, settings.log_form), mailer_(mailer) {}

void Service::add_handlers(ipc::Dispatcher& dispatcher) {
  dispatcher.on<proto::AppendStatus>(
      [this](proto::AppendStatus request, Deadline deadline) { return append(request, deadline); });
  dispatcher.on<proto::SendNotice>(
      [this](proto::SendNotice request, Deadline deadline) { return send(request, deadline); });
  dispatcher.on<proto::BounceOne>(
      [this](proto::BounceOne request, Deadline deadline) { return bounce_one(request, deadline); });
}

Result<proto::Done> Service::append(const proto::AppendStatus& request, Deadline deadline) {
  TRY(check_id(request.queue_id));
  queue::RecipientStatus entry = to_entry(request);
  if (settings_.log == LogKind::trace) add_relay(entry, request.relay);
  TRY(logs_.append(settings_.log, request.queue_id, {&entry, 1}, deadline));
  return proto::Done{};
}

namespace {

/// The message's queue file; what is in it only makes the notice better.
std::shared_ptr<queue::File> open_message(const queue::Store& store, const proto::SendNotice& message) {
  auto name = queue::find_queue(message.queue_name);
  if (!name) return nullptr;
  auto file = store.open(*name, message.queue_id, queue::OpenMode::read);
  if (file) return std::move(*file);
  log::warning("{}: {}", message.queue_id, file.error().text);
  return nullptr;
}

}  // namespace

Result<proto::Done> Service::send(const proto::SendNotice& request, Deadline deadline) {
  TRY(check_id(request.queue_id));
  auto file = logs_.open(settings_.log, request.queue_id);
  if (!file && !queue::is_missing(file.error())) return std::unexpected(std::move(file).error());
  // No trace was left: nobody asked for a report, or it has been sent.
  if (!file && request.kind == proto::NoticeKind::trace) return proto::Done{};
  LogEntries entries(file ? *file : nullptr, settings_.log);
  dsn::OriginalMessage original(open_message(store_, request));
  Notifier notifier(settings_, mailer_, request, entries, original);
  switch (request.kind) {
    case proto::NoticeKind::failure: {
      bool verp = request.verp_delimiters.size() == 2 && !request.sender.empty() &&
                  !equals_ignore_case(request.sender, settings_.double_bounce);
      TRY(verp ? notifier.verp_failures(deadline) : notifier.failure(deadline));
      break;
    }
    case proto::NoticeKind::delay:
      // The reasons stay: the listing of the queue shows them.
      TRY(notifier.delay(deadline));
      return proto::Done{};
    case proto::NoticeKind::trace:
      TRY(notifier.report(deadline));
      break;
  }
  TRY(logs_.remove(settings_.log, request.queue_id));
  return proto::Done{};
}

Result<proto::Done> Service::bounce_one(const proto::BounceOne& request, Deadline deadline) {
  TRY(check_id(request.message.queue_id));
  OneEntry entry(to_entry(request.outcome));
  dsn::OriginalMessage original(open_message(store_, request.message));
  TRY(Notifier(settings_, mailer_, request.message, entry, original).failure(deadline));
  return proto::Done{};
}

}  // namespace postrider::bounce
