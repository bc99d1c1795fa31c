#include "qmgr/completion.h"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>

#include "log/log.h"
#include "mail/address_parts.h"
#include "queue/envelope.h"

namespace postrider::qmgr {

using queue::QueueName;

namespace {

int64_t created(const Message& message) {
  const queue::Envelope& e = message.envelope;
  return e.create_time > 0 ? e.create_time : e.arrival_seconds;
}

}  // namespace

void Completion::complete(Message& message) {
  if (message.deferred && found_damaged(message)) return set_aside(message.id);
  send_notices(message);
  if (!message.deferred || (is_expired(message) && return_expired(message))) return remove(message);
  warn_if_late(message);
  put_back(message.id, backoff(message));
}

proto::SendNotice Completion::notice(const Message& message) const {
  const queue::Envelope& e = message.envelope;
  proto::SendNotice out;
  out.flags = message.flags;
  out.queue_name = "active";
  out.queue_id = message.id;
  out.encoding = e.encoding;
  out.sendopts = static_cast<uint32_t>(e.size.send_options);
  out.sender = e.sender;
  out.dsn_envid = e.envelope_id;
  out.dsn_ret = static_cast<uint32_t>(e.return_flags);
  if (settings_.verp_bounces) out.verp_delimiters = e.verp;
  return out;
}

/// What a log line calls the notice about failures.
std::string_view Completion::failure_word(const Message& message) const {
  return settings_.verp_bounces && !message.envelope.verp.empty() ? "verp" : "bounce";
}

/// The bounce service has said why, or is not there.
void Completion::failed(const Message& message, std::string_view what) {
  log::info("{}: status=deferred ({} failed)", message.id, what);
}

/// A notice that cannot be queued now keeps the message: its log stays, and the next round sends it.
void Completion::send_notices(Message& message) {
  clients::BounceClient& services = reporter_.services();
  // Whether there was something to report, and it was.
  auto report = [&](QueueName log, std::string_view what, auto call) {
    auto status = store_.status(log, message.id);
    if (!status && queue::is_missing(status.error())) return false;
    proto::SendNotice request = notice(message);
    Result<void> sent = status ? call(request) : Result<void>(std::unexpected(status.error()));
    if (sent) return true;
    failed(message, what);
    message.deferred = true;
    return false;
  };
  report(QueueName::bounce, failure_word(message),
         [&](auto& request) { return services.flush_bounce(request, deadline()); });
  bool traced = report(QueueName::trace, "trace",
                       [&](auto& request) { return services.flush_trace(request, deadline()); });
  if (traced && message.deferred) end_trace(message);
}

/// `sendmail -v` reports the first attempt, not each one.
void Completion::end_trace(const Message& message) {
  if (message.envelope.trace_offset == 0) return;
  auto file = store_.open(QueueName::active, message.id, queue::OpenMode::read_write);
  if (file) (void)queue::mark_killed(**file, message.envelope.trace_offset);
}

bool Completion::is_expired(const Message& message) const {
  if (message.forced_expire) return true;
  seconds lifetime = message.envelope.sender.empty() ? settings_.bounce_lifetime : settings_.message_lifetime;
  return time(nullptr) >= created(message) + lifetime.count();
}

bool Completion::return_expired(Message& message) {
  // Without the reasons there would be no notice, and the message would be gone without a trace.
  auto reasons = store_.status(QueueName::defer, message.id);
  if (!reasons) {
    log::warning("{}: not returned to sender now: {}", message.id, reasons.error().text);
    return false;
  }
  log::info("{}: from=<{}>, status={}, returned to sender", message.id,
            mail::log_address(message.envelope.sender, settings_.log_form),
            message.forced_expire ? "force-expired" : "expired");
  proto::SendNotice request = notice(message);
  auto sent = reporter_.services().flush_defer(request, deadline());
  if (!sent) failed(message, failure_word(message));
  return sent.has_value();
}

void Completion::warn_if_late(Message& message) {
  const queue::Envelope& e = message.envelope;
  if (e.warn_time <= 0 || time(nullptr) < e.warn_time - 1) return;
  if (!store_.status(QueueName::defer, message.id)) return;
  proto::SendNotice request = notice(message);
  if (auto sent = reporter_.services().warn_defer(request, deadline()); !sent) {
    return failed(message, "delay warning");
  }
  auto file = store_.open(QueueName::active, message.id, queue::OpenMode::read_write);
  if (file && e.warn_offset > 0) (void)queue::mark_warned(**file, e.warn_offset);
}

seconds Completion::backoff(const Message& message) const {
  return std::clamp(seconds(time(nullptr) - created(message)), settings_.minimal_backoff,
                    settings_.maximal_backoff);
}

void Completion::put_back(const std::string& id, seconds delay) {
  auto done = store_.set_next_try(QueueName::active, id, time(nullptr) + delay.count());
  if (done) done = store_.move(id, QueueName::active, QueueName::deferred);
  // Removed by the administrator meanwhile, or a file system in trouble: the file is where it was, and the
  // next start finds it.
  if (!done && !queue::is_missing(done.error())) log::error("{}: {}", id, done.error().text);
}

/// A delivery agent that found the content damaged has taken the right to execute from the file, and said
/// that the recipients are to be tried again.
bool Completion::found_damaged(const Message& message) const {
  auto status = store_.status(QueueName::active, message.id);
  return status && !queue::is_complete(*status);
}

void Completion::set_aside(const std::string& id) {
  if (auto moved = store_.move(id, QueueName::active, QueueName::corrupt); !moved) {
    log::error("{}: {}", id, moved.error().text);
  } else {
    log::warning("saving corrupt file \"{}\" from queue \"active\" to queue \"corrupt\"", id);
  }
}

namespace {

/// What is wrong with a queue file, in the words that people search logs for.
void log_damage(const std::string& id, std::string_view why) {
  if (why.starts_with("Unexpected record type")) return log::warning("{}", why);
  size_t cut_short = why.find("unexpected EOF");
  if (cut_short != std::string_view::npos) {
    log::warning("active/{}: {}", id, why.substr(cut_short));
    why = "missing end record";
  }
  log::warning("{}: message rejected: {}", id, why);
}

}  // namespace

void Completion::put_aside(const std::string& id, const Error& error) {
  if (error.kind != ErrorKind::invalid && error.kind != ErrorKind::limit) {
    // Locked: a delivery agent that was told of it before this queue manager started has not finished with
    // it.
    if (error.kind == ErrorKind::temporary) {
      log::info("{}: skipped, still being delivered", id);
    } else {
      log::warning("{}: {}", id, error.text);
    }
    return put_back(id, settings_.minimal_backoff);
  }
  log_damage(id, error.text);
  set_aside(id);
}

/// The one place where a queue file is unlinked: every recipient has been read, every one was reported final,
/// and the notices about them are in the queue.
void Completion::remove(const Message& message) {
  if (auto removed = store_.remove(QueueName::active, message.id); !removed) {
    if (!queue::is_missing(removed.error())) log::error("{}: {}", message.id, removed.error().text);
    return;
  }
  log::write(log::Severity::info, fmt::format("{}: removed", message.id), "removed",
             {{"queue_id", message.id}});
}

}  // namespace postrider::qmgr
