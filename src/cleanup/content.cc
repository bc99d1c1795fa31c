#include "cleanup/content.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time_text.h"
#include "log/log.h"
#include "mail/header.h"
#include "mail/trace_header.h"
#include "queue/record.h"

namespace postrider::cleanup {

using mail::HeaderType;
using mail::LineEnd;
using queue::RecordType;

namespace {

constexpr size_t kLoggedProblem = 100;

const mail::MimeOptions& mime_options(const MessageState& state) {
  // What the mail system writes itself, and mail on its second way through, is not judged.
  return state.has(proto::kCleanupFilter) ? state.settings.mime : state.settings.plain_mime;
}

bool changes_lines(const Settings& settings) {
  return settings.replace_stray_cr_lf || !settings.reject_characters.empty() ||
         !settings.strip_characters.empty();
}

bool has_cr_lf(std::string_view text) {
  return text.find('\r') != std::string_view::npos || text.find('\n') != std::string_view::npos;
}

bool says_yes_or_no(std::string_view header, std::string_view word) {
  return equals_ignore_case(trim(mail::header_value(header)), word);
}

}  // namespace

Content::Content(MessageState& state, AddressMapper& mapper)
    : state_(state),
      addresses_(state, mapper),
      judge_(state, mapper.tables().checks),
      parser_(mime_options(state), *this),
      clean_lines_(changes_lines(state.settings)) {}

// --- lines as they come ---

void Content::line(std::string_view text, LineEnd end) {
  if (!state_.writing()) return;
  if (clean_lines_ && state_.has(proto::kCleanupFilter)) return feed(text, end);
  parser_.line(text, end);
}

void Content::feed(std::string_view text, LineEnd end) {
  const Settings& settings = state_.settings;
  if (settings.replace_stray_cr_lf && has_cr_lf(text)) {
    buffer_ = text;
    std::replace_if(buffer_.begin(), buffer_.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
    text = buffer_;
  }
  if (!settings.reject_characters.empty() &&
      std::any_of(text.begin(), text.end(), [&](char c) { return settings.reject_characters.contains(c); })) {
    state_.fail(proto::kProblemContent, "5.7.1 disallowed character");
    judge_.log("reject", "content", text, state_.reason);
    state_.flags &= ~uint32_t{proto::kCleanupFilter};
  }
  if (!settings.strip_characters.empty() &&
      std::any_of(text.begin(), text.end(), [&](char c) { return settings.strip_characters.contains(c); })) {
    std::string clean;
    std::copy_if(text.begin(), text.end(), std::back_inserter(clean),
                 [&](char c) { return !settings.strip_characters.contains(c); });
    buffer_ = std::move(clean);
    text = buffer_;
  }
  parser_.line(text, end);
}

void Content::finish() {
  if (!state_.writing()) return;
  parser_.finish();
  if (state_.settings.convert_mime) state_.encoding = "7bit";
  if (problems_.none() || !state_.reason.empty()) return;
  auto [status, why] = mail::describe(problems_);
  state_.fail(proto::kProblemContent, fmt::format("{} {}", status.text(), why));
}

void Content::problem(mail::MimeProblem problem, std::string_view text) {
  using enum mail::MimeProblem;
  if (problem == non_empty_end && state_.settings.non_empty_end == NonEmptyEnd::add_header) {
    return write_own_header("MIME-Error: message header was not terminated by empty line");
  }
  log::info("{}: reject: mime-error {}: {} from {};{}", state_.id(), mail::describe(problem).text,
            text.substr(0, kLoggedProblem), state_.origin, state_.addresses_for_log());
  problems_.add(problem);
}

// --- headers ---

void Content::header(mail::HeaderClass where, const mail::HeaderInfo* known, std::string_view text) {
  text = text.substr(0, text.find('\0'));  // RFC 5322 has no NUL; what follows one is not kept.
  Judge::Verdict verdict;
  if (judge_.active()) {
    verdict = judge_.header(where, known, text);
    if (verdict.before) write_header(*verdict.before);
    if (verdict.drop) return;
    if (verdict.instead) {
      text = *verdict.instead;
      known = mail::find_header(text);
    }
  }
  if (known != nullptr && known->type == HeaderType::content_transfer_encoding &&
      state_.settings.detect_eight_bit_header) {
    note_encoding(mail::header_value(text));
  }
  if (where == mail::HeaderClass::primary) {
    if (known != nullptr) return primary_header(*known, text);
    const auto& dropped = state_.settings.drop_names;
    if (!dropped.empty() && dropped.contains(lowercase(trim_right(text.substr(0, text.find(':')))))) return;
  }
  write_header(text);
}

/// A header that declares eight bits counts for more than one, or a client, that says otherwise.
void Content::note_encoding(std::string_view value) {
  if (equals_ignore_case(value, "8bit") || equals_ignore_case(value, "binary")) state_.encoding = "8bit";
}

void Content::primary_header(const mail::HeaderInfo& known, std::string_view text) {
  note_header(known, text);
  if (!state_.writing()) return;
  if (known.resent) resent_ = true;
  std::optional<std::string> rewritten;
  if (known.has_addresses() && !state_.header_context.empty()) rewritten = addresses_.rewrite(known, text);
  if (state_.settings.drop_types[static_cast<size_t>(known.type)]) return;
  write_header(rewritten ? std::string_view(*rewritten) : text);
}

void Content::note_header(const mail::HeaderInfo& known, std::string_view text) {
  seen_.set(static_cast<size_t>(known.type));
  switch (known.type) {
    case HeaderType::message_id:
      return log::info("{}: message-id={}", state_.id(), mail::header_value(text));
    case HeaderType::resent_message_id:
      return log::info("{}: resent-message-id={}", state_.id(), mail::header_value(text));
    case HeaderType::received:
      if (++hops_ >= state_.settings.hopcount_limit) state_.reject(proto::kProblemHops, "hopcount exceeded");
      return;
    case HeaderType::tls_required:
      if (state_.settings.tls_required_header && says_yes_or_no(text, "no")) {
        state_.send_options |= queue::kTlsNotRequired;
      }
      return;
    case HeaderType::require_tls_esmtp:
      if (state_.settings.requiretls_header && says_yes_or_no(text, "yes")) {
        state_.send_options |= queue::kRequireTls;
      }
      return;
    default:
      return;
  }
}

// --- headers that are missing ---

void Content::header_end() {
  if (!state_.writing()) return;
  bool complete = !state_.header_context.empty() || state_.settings.always_add_missing_headers;
  if (complete && !has(HeaderType::message_id, HeaderType::resent_message_id)) add_message_id();
  if (!seen(HeaderType::message_id)) log::info("{}: message-id=<>", state_.id());
  if (complete) add_missing_headers();
}

void Content::add_message_id() {
  const Settings& settings = state_.settings;
  // A long queue id is unique by itself; a short one in the second that the file was made.
  std::string id = settings.layout.long_ids ? fmt::format("<{}@{}>", state_.id(), settings.myhostname)
                                            : mail::make_message_id(state_.writer.created().seconds,
                                                                    state_.id(), settings.myhostname);
  write_own_header(fmt::format("{}Message-Id: {}", prefix(), id));
  log::info("{}: {}message-id={}", state_.id(), resent_ ? "resent-" : "", id);
  seen_.set(static_cast<size_t>(resent_ ? HeaderType::resent_message_id : HeaderType::message_id));
}

void Content::add_missing_headers() {
  if (!has(HeaderType::date, HeaderType::resent_date)) {
    write_own_header(fmt::format("{}Date: {}", prefix(), mail_date(state_.arrival_seconds)));
  }
  if (!has(HeaderType::from, HeaderType::resent_from)) add_from();
  const std::string& undisclosed = state_.settings.undisclosed_recipients_header;
  constexpr std::array kVisible{HeaderType::to, HeaderType::cc, HeaderType::resent_to, HeaderType::resent_cc};
  if (undisclosed.empty() ||
      std::any_of(kVisible.begin(), kVisible.end(), [this](HeaderType t) { return seen(t); }))
    return;
  if (mail::header_name_length(undisclosed) == 0) {
    log::warning("bad undisclosed_recipients_header header text \"{}\" -- need \"headername: headervalue\"",
                 undisclosed);
    return;
  }
  write_own_header(undisclosed);
}

void Content::add_from() {
  const Settings& settings = state_.settings;
  const std::string& sender = *state_.sender;
  std::string_view address = sender.empty() ? "MAILER-DAEMON" : std::string_view(sender);
  std::string_view full_name = sender.empty() ? "" : std::string_view(state_.full_name);
  auto from = mail::make_from(address, full_name, settings.from_format, settings.full_name_charset);
  if (!from) {
    log::warning("{}: {}", state_.id(), from.error().text);
    from = mail::make_from(address, "", settings.from_format, settings.full_name_charset);
  }
  if (from) write_own_header(fmt::format("{}From: {}", prefix(), *from));
}

// --- output ---

void Content::note_utf8(std::string_view text) {
  if (is_all_ascii(text)) return;
  state_.send_options |= queue::kSmtputf8Header;
  if (state_.has(proto::kCleanupAutoUtf8)) state_.send_options |= queue::kSmtputf8Requested;
}

void Content::write_header(std::string_view text) {
  if (text.size() <= state_.settings.header_size_limit) return write_own_header(text);
  std::string cut(text);
  mail::truncate_header(cut, state_.settings.header_size_limit);
  write_own_header(cut);
}

/// Continuation lines begin with white space already, or get a tab.
void Content::write_own_header(std::string_view text) {
  note_utf8(text);
  const size_t first_line = std::min(text.find('\n'), text.size());
  for (bool first = true;; first = false) {
    size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    if (first || (!line.empty() && (line.front() == ' ' || line.front() == '\t'))) {
      write_line(line, LineEnd::here);
    } else {
      write_line("\t" + std::string(line), LineEnd::here);
    }
    if (newline == std::string_view::npos) break;
    text.remove_prefix(newline + 1);
  }
  make_room(first_line);
}

/// Postfix can only change headers that are not too short for a pointer; it shall be able to.
void Content::make_room(size_t header) {
  constexpr size_t kPointer = 15, kRecordHeader = 2;
  if (!state_.filtered || header >= kPointer) return;
  size_t missing = kPointer - header;
  state_.put(RecordType::padding, std::string(missing > kRecordHeader ? missing - kRecordHeader : 1, '0'));
}

/// Where a mail filter can put another body.
void Content::separate_body() {
  in_body_ = true;
  if (!state_.filtered) return;
  state_.marks.separator = state_.writer.position();
  write_line("", LineEnd::here);
  state_.marks.body = state_.put_place();
}

void Content::message_end() {
  if (!in_body_ && state_.filtered) {
    // Nothing but headers: what may be added must not become one.
    in_body_ = true;
    state_.marks.separator = state_.writer.position();
    state_.marks.body = state_.put_place();
  }
}

void Content::body(std::string_view text, LineEnd end, size_t offset) {
  // The line between them is the first that comes; no check looks for it.
  if (!in_body_) {
    separate_body();
    if (state_.filtered && text.empty() && end == LineEnd::here) return;
  }
  if (judge_.active()) {
    Judge::Verdict verdict = judge_.body(text, offset);
    if (verdict.before) write_line(*verdict.before, LineEnd::here);
    if (verdict.drop) return;
    if (verdict.instead) return write_line(*verdict.instead, end);
  }
  write_line(text, end);
}

void Content::write_line(std::string_view text, LineEnd end) {
  size_t limit = state_.settings.line_length_limit;
  while (text.size() > limit) {
    state_.put(RecordType::text_part, text.substr(0, limit));
    text.remove_prefix(limit);
  }
  state_.put(end == LineEnd::later ? RecordType::text_part : RecordType::text, text);
}

}  // namespace postrider::cleanup
