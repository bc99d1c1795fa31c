// DATA and BDAT.
#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mail/trace_header.h"
#include "smtpd/session.h"
#include "smtpd/session_judge.h"

namespace postrider::smtpd {

using access::ErrorClass;

bool Session::data(Words arguments) {
  if (!mail_) return refuse("503 5.5.1 Error: need RCPT command");
  if (mail_->recipients() == 0) return refuse("554 5.5.1 Error: no valid recipients");
  if (!arguments.empty()) return refuse("501 5.5.4 Syntax: DATA");
  if (!stand_alone() && !permitted([](access::Judge& judge) { return judge.data(); })) return false;
  begin_content();
  where_ = "DATA content";
  reply("354 End data with <CR><LF>.<CR><LF>");
  if (!receive_lines()) return false;
  return complete_message();
}

bool Session::bdat(Words) {
  return not_implemented({});
}

void Session::begin_content() {
  std::vector<std::string> headers = memory_.effects.prepend;
  headers.push_back(received_header());
  mail_->begin_content(headers);
}

std::string Session::received_header() {
  const Settings& settings = server_.settings;
  std::string with = mail::with_protocol(protocol_, false, false, mail_->parameters().smtputf8);
  std::string address = client_.rfc_address();
  mail::ReceivedSession session{.helo_name = helo_name_ ? std::string_view(*helo_name_) : std::string_view(),
                                .client_name = client_.names.name,
                                .client_address = address,
                                .tls = nullptr,
                                .authenticated_sender = {},
                                .with = with,
                                .hidden = settings.hide_client_session};
  mail::ReceivedBy by{.hostname = settings.myhostname,
                      .mail_name = settings.mail_name,
                      .queue_id = mail_->queue_id(),
                      .when = static_cast<time_t>(mail_->arrival_seconds()),
                      .recipient = {}};
  if (mail_->recipients() == 1) by.recipient = mail_->first_recipient();
  return mail::received_header(session, by);
}

/// The lines behind DATA; false when the connection has ended before they have.
bool Session::receive_lines() {
  DataReader reader(bare_lf_);
  for (;;) {
    auto line = dialogue_.read_content();
    if (!line) return false;
    DataReader::Step step = reader.next(*line);
    if (step == DataReader::Step::end) break;
    if (step == DataReader::Step::record) mail_->content(reader.record());
  }
  content_has_bare_lf_ = reader.saw_bare_lf();
  return true;
}

bool Session::complete_message() {
  const Settings& settings = server_.settings;
  where_ = "END-OF-MESSAGE";
  bool good = true;
  if (content_has_bare_lf_ && bare_lf_ == BareLf::note) saw_bare_lf_ = true;
  if (content_has_bare_lf_ && bare_lf_ == BareLf::reject) {
    event("reject", "bare <LF> received", facts(), {});
    good = refuse(
        fmt::format("{} 5.5.2 {} Error: bare <LF> received", settings.bare_lf_code, settings.myhostname));
  } else if (!stand_alone() && mail_->problems() == 0) {
    good = permitted([](access::Judge& judge) { return judge.end_of_data(); });
  }
  if (good) {
    std::string queue_id(mail_->queue_id());
    proto::CleanupStatus status = mail_->finish(memory_.effects);
    good = report_outcome(status, queue_id);
  }
  end_transaction();
  return good;
}

/// A message may have several faults; the client hears of the most important one.
bool Session::report_outcome(const proto::CleanupStatus& status, const std::string& queue_id) {
  uint32_t problems = status.problems;
  auto has = [&](uint32_t problem) { return (problems & problem) != 0; };
  auto with_reason = [&](int code, std::string_view fallback) {
    return fmt::format("{} {}", code, status.reason.empty() ? fallback : std::string_view(status.reason));
  };
  if (problems == 0) {
    // Whoever gets a message through is forgiven.
    errors_ = junk_ = 0;
    reply(fmt::format("250 2.0.0 Ok: queued as {}", queue_id));
    return true;
  }
  if (has(proto::kProblemDefer))
    return refuse(with_reason(451, "4.7.1 Error: service unavailable"), ErrorClass::policy);
  if (has(proto::kProblemBad))
    return refuse(fmt::format("451 4.3.0 Error: internal error {}", problems), ErrorClass::software);
  if (has(proto::kProblemSize)) return refuse("552 5.3.4 Error: message file too big", ErrorClass::bounce);
  if (has(proto::kProblemHops)) return refuse("554 5.4.6 Error: too many hops", ErrorClass::bounce);
  if (has(proto::kProblemContent)) {
    return refuse(with_reason(550, "5.7.1 Error: message content rejected"), ErrorClass::policy);
  }
  if (has(proto::kProblemDiskFull))
    return refuse("452 4.3.1 Insufficient system storage", ErrorClass::resource);
  if (has(proto::kProblemWrite))
    return refuse("451 4.3.0 Error: queue file write error", ErrorClass::resource);
  if (has(proto::kProblemRecipients))
    return refuse("550 5.1.0 Error: no recipients specified", ErrorClass::policy);
  return refuse(fmt::format("451 4.3.0 Error: internal error {}", problems), ErrorClass::software);
}

}  // namespace postrider::smtpd
