// DATA and BDAT.
#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mail/trace_header.h"
#include "smtpd/session.h"
#include "smtpd/session_judge.h"

namespace postrider::smtpd {

using access::ErrorClass;

namespace {
constexpr size_t kShown = 100;
constexpr size_t kReadSize = 16 * 1024;
}  // namespace

bool Session::data(Words arguments) {
  if (chunks_ != Chunks::none) return refuse("503 5.5.1 Error: DATA after BDAT");
  if (!mail_) return refuse("503 5.5.1 Error: need RCPT command");
  if (mail_->recipients() == 0) return refuse("554 5.5.1 Error: no valid recipients");
  if (!arguments.empty()) return refuse("501 5.5.4 Syntax: DATA");
  if (!stand_alone() && !permitted([](access::Judge& judge) { return judge.data(); })) return false;
  if (auto refusal = milters_refuse_content()) return refuse_for_milter(*refusal);
  if (FilterSink* filter = mail_->filter()) {
    if (auto refusal = filter->begin_content()) return refuse(*refusal);
  }
  begin_content(false);
  reply("354 End data with <CR><LF>.<CR><LF>");
  if (!receive_lines()) return false;
  return complete_message(false);
}

std::optional<std::string> Session::milters_refuse_content() {
  // Of several recipients the log shows the first.
  recipient_ = mail_->first_recipient();
  auto refusal = ask_milters(MilterEvent::data, {});
  recipient_.reset();
  return refusal;
}

void Session::begin_content(bool chunked) {
  in_content_ = true;
  show_content_to_milters();
  // What comes in chunks is passed on as it is, as by Postfix.
  std::string headers = received_header();
  if (mail_->filter() && mail_->parameters().requiretls && server_.settings.requiretls_header)
    headers += "\nRequire-TLS-ESMTP: yes";
  mail_->begin_content(memory_.effects, headers, !chunked);
}

std::string Session::received_header() {
  const Settings& settings = server_.settings;
  std::string with =
      mail::with_protocol(protocol_, encrypted(), !client_.login.empty(), mail_->parameters().smtputf8);
  std::string address = client_.rfc_address();
  mail::ReceivedSession session{
      .helo_name = helo_name_ ? std::string_view(*helo_name_) : std::string_view(),
      .client_name = client_.names.name,
      .client_address = address,
      .tls = tls_ && settings.tls.received_header ? &tls_->handshake : nullptr,
      .authenticated_sender = settings.show_login ? std::string_view(client_.login) : std::string_view(),
      .with = with,
      .hidden = settings.hide_client_session};
  mail::ReceivedBy by{.hostname = settings.myhostname,
                      .mail_name = settings.mail_name,
                      .queue_id = mail_->queue_id(),
                      .when = static_cast<time_t>(mail_->arrival_seconds()),
                      .recipient = {}};
  if (mail_->recipients() + earlier_recipients_ == 1) by.recipient = mail_->first_recipient();
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

// --- BDAT (RFC 3030) ---

bool Session::bdat(Words arguments) {
  // What is not understood cannot be skipped: these replies end the session.
  if (!offers(smtp::Keyword::chunking)) return refuse("521 5.5.1 Error: command not implemented");
  auto chunk = smtp::parse_chunk_parameters(arguments);
  if (!chunk) {
    log::warning("{}: malformed BDAT command syntax from {}: {}", queue_id_or_none(), client_.label,
                 printable(std::string_view(command_).substr(0, kShown)));
    return refuse("521 5.5.4 Syntax: BDAT count [LAST]");
  }
  if (chunk->size == 0 && !chunk->last) {
    log::warning("{}: null BDAT request from {}", queue_id_or_none(), client_.label);
    return discard_chunk(*chunk, "551 5.7.1 Null BDAT request", ErrorClass::protocol);
  }
  if (chunks_ == Chunks::failed) {
    return discard_chunk(*chunk, fmt::format("551 5.0.0 Discarded {} bytes after earlier error", chunk->size),
                         ErrorClass::protocol);
  }
  if (!mail_) return discard_chunk(*chunk, "503 5.5.1 Error: need RCPT command", ErrorClass::protocol);
  if (mail_->recipients() == 0) {
    return discard_chunk(*chunk, "554 5.5.1 Error: no valid recipients", ErrorClass::protocol);
  }
  if (chunks_ == Chunks::none && !stand_alone()) {
    access::Facts facts = this->facts();
    access::Judge judge(server_.policy, server_.world, *this, facts, memory_, service_deadline());
    if (auto refusal = judge.data()) {
      if (memory_.hang_up) return refuse(*refusal);
      return discard_chunk(*chunk, refusal->reply, refusal->error);
    }
    if (auto reply = milters_refuse_content()) return discard_chunk(*chunk, *reply, ErrorClass::policy);
  }
  int64_t limit = server_.settings.message_size_limit;
  // The line that an earlier chunk has left unfinished counts when it is complete.
  if (limit > 0 && chunk->size > limit - mail_->size()) {
    log::warning("{}: BDAT request from {} exceeds message size limit", queue_id_or_none(), client_.label);
    return discard_chunk(*chunk, "552 5.3.4 Chunk exceeds message size limit", ErrorClass::policy);
  }
  if (chunks_ == Chunks::none) {
    if (FilterSink* filter = mail_->filter()) {
      if (auto refusal = filter->begin_content()) {
        return discard_chunk(*chunk, refusal->reply, refusal->error.value_or(ErrorClass::policy));
      }
    }
    chunks_ = Chunks::good;
    chunk_reader_ = std::make_unique<ChunkReader>(bare_lf_, server_.settings.line_length_limit);
    begin_content(true);
  }
  return receive_chunk(*chunk);
}

/// Including the line that a chunk has left unfinished.
int64_t Session::content_size() const {
  return mail_->size() + static_cast<int64_t>(chunk_reader_ ? chunk_reader_->pending() : 0);
}

bool Session::receive_chunk(const smtp::ChunkParameters& chunk) {
  for (int64_t left = chunk.size; left > 0;) {
    auto bytes = dialogue_.read_bytes(std::min<size_t>(kReadSize, static_cast<size_t>(left)));
    if (!bytes) return false;
    left -= static_cast<int64_t>(bytes->size());
    std::string_view rest = *bytes;
    while (chunk_reader_->next(rest))
      mail_->content(chunk_reader_->record());
  }
  dialogue_.read_bytes(0);
  if (!chunk.last) {
    reply(fmt::format("250 2.0.0 Ok: {} bytes", chunk.size));
    return true;
  }
  if (chunk_reader_->finish()) mail_->content(chunk_reader_->record());
  content_has_bare_lf_ = chunk_reader_->saw_bare_lf();
  return complete_message(true);
}

/// Reads a chunk that nobody wants, and answers. What follows is not wanted either, up to the last one; the
/// transaction lasts until then.
bool Session::discard_chunk(const smtp::ChunkParameters& chunk, std::string_view text, ErrorClass error) {
  int64_t limit = server_.settings.message_size_limit;
  discarded_bytes_ += std::min(chunk.size, std::numeric_limits<int64_t>::max() - discarded_bytes_);
  if (limit > 0 && discarded_bytes_ > limit + limit / 2) {
    log::warning("{}: too much BDAT content -- disabling further input from {}", queue_id_or_none(),
                 client_.label);
    hang_up_ = true;
  }
  for (int64_t left = chunk.size; left > 0 && !hang_up_;) {
    auto bytes = dialogue_.read_bytes(std::min<size_t>(kReadSize, static_cast<size_t>(left)));
    if (!bytes) return false;
    left -= static_cast<int64_t>(bytes->size());
  }
  dialogue_.read_bytes(0);
  refuse(text, error);
  if (!chunk.last) {
    chunks_ = Chunks::failed;
    in_content_ = false;
    return false;
  }
  size_t recipients = earlier_recipients_ + (mail_ ? mail_->recipients() : 0);
  end_transaction();
  earlier_recipients_ = recipients;
  return false;
}

// --- the end of a message ---

bool Session::refuse_bare_lf() {
  event("reject", "bare <LF> received", facts(), {});
  return refuse(fmt::format("{} 5.5.2 {} Error: bare <LF> received", server_.settings.bare_lf_code,
                            server_.settings.myhostname));
}

bool Session::complete_message(bool chunked) {
  where_ = "END-OF-MESSAGE";
  if (content_has_bare_lf_ && bare_lf_ == BareLf::note) saw_bare_lf_ = true;
  bool good = !(content_has_bare_lf_ && bare_lf_ == BareLf::reject) || refuse_bare_lf();
  if (good && !stand_alone() && mail_->problems() == 0) {
    good = permitted([](access::Judge& judge) { return judge.end_of_data(); });
  }
  if (!good) {
    // The sender stands until RSET, as with Postfix; what follows is a message of its own.
    mail_->close();
    in_content_ = content_has_bare_lf_ = false;
    chunk_reader_.reset();
  } else if (mail_->filter()) {
    good = complete_through_filter();
    end_transaction();
  } else {
    std::string bytes = chunked ? fmt::format("{} bytes ", mail_->size()) : std::string();
    std::string success = fmt::format("250 2.0.0 Ok: {}queued as {}", bytes, mail_->queue_id());
    proto::CleanupStatus status = mail_->finish(memory_.effects);
    in_content_ = false;
    good = report_outcome(status, success);
    end_transaction();
  }
  close_transcript(server_.settings.transcript_limit);
  return good;
}

/// Whoever gets a message through is forgiven.
void Session::forgive() {
  errors_ = junk_ = 0;
  errors_made_.clear();
}

bool Session::report_outcome(const proto::CleanupStatus& status, std::string_view success) {
  if (status.problems == 0) {
    forgive();
    reply(success);
    return true;
  }
  if (!status.reply.empty()) return refuse_for_milter(status.reply);
  Problem problem = problem_of(status);
  return refuse(problem.reply, problem.error);
}

/// A message may have several faults; the client hears of the most important one.
Session::Problem Session::problem_of(const proto::CleanupStatus& status) {
  uint32_t problems = status.problems;
  auto has = [&](uint32_t problem) { return (problems & problem) != 0; };
  auto with_reason = [&](int code, std::string_view fallback) {
    return fmt::format("{} {}", code, status.reason.empty() ? fallback : std::string_view(status.reason));
  };
  if (has(proto::kProblemDefer))
    return {with_reason(451, "4.7.1 Error: service unavailable"), ErrorClass::policy};
  if (has(proto::kProblemBad))
    return {fmt::format("451 4.3.0 Error: internal error {}", problems), ErrorClass::software};
  if (has(proto::kProblemSize)) return {"552 5.3.4 Error: message file too big", ErrorClass::bounce};
  if (has(proto::kProblemHops)) return {"554 5.4.0 Error: too many hops", ErrorClass::bounce};
  if (has(proto::kProblemContent)) {
    return {with_reason(550, "5.7.1 Error: message content rejected"), ErrorClass::policy};
  }
  if (has(proto::kProblemDiskFull)) return {"452 4.3.1 Insufficient system storage", ErrorClass::resource};
  if (has(proto::kProblemWrite)) return {"451 4.3.0 Error: queue file write error", ErrorClass::resource};
  if (has(proto::kProblemRecipients)) return {"550 5.1.0 Error: no recipients specified", ErrorClass::policy};
  return {fmt::format("451 4.3.0 Error: internal error {}", problems), ErrorClass::software};
}

}  // namespace postrider::smtpd
