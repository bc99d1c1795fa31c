#include "cleanup/content.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time_text.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/quote.h"
#include "mail/trace_header.h"
#include "queue/record.h"

namespace postrider::cleanup {

using mail::HeaderType;
using mail::LineEnd;
using queue::RecordType;

namespace {

mail::MimeOptions mime_options(const MessageState& state) {
  mail::MimeOptions out = state.settings.mime;
  // What the mail system writes itself, and mail on its second way through, is not judged.
  if ((state.flags & proto::kCleanupFilter) == 0) {
    out.report_nesting = out.report_eight_bit_header = out.report_eight_bit_body = out.report_encoding_domain = false;
    out.parse_mime = false;
  }
  return out;
}

}  // namespace

Content::Content(MessageState& state) : state_(state), parser_(mime_options(state), *this) {}

void Content::line(std::string_view text, LineEnd end) {
  if (state_.failed()) return;
  if (state_.settings.replace_stray_cr_lf && (state_.flags & proto::kCleanupFilter) != 0 &&
      text.find_first_of("\r\n") != std::string_view::npos) {
    std::string clean(text);
    std::replace_if(clean.begin(), clean.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
    return parser_.line(clean, end);
  }
  parser_.line(text, end);
}

void Content::finish() {
  if (!state_.failed()) parser_.finish();
}

void Content::problem(mail::MimeProblem problem, std::string_view text) {
  auto [status, why] = mail::describe(problem);
  log::info("{}: reject: mime-error {}: {} from {}; from=<{}>", state_.id(), why, text, state_.origin,
            state_.sender.value_or(""));
  state_.fail(proto::kProblemContent, fmt::format("{} {}", status.text(), why));
}

void Content::header(mail::HeaderClass where, const mail::HeaderInfo* known, std::string_view text) {
  if (where != mail::HeaderClass::primary || known == nullptr) {
    std::string name = lowercase(text.substr(0, mail::header_name_length(text)));
    if (where == mail::HeaderClass::primary && state_.settings.drop_headers.contains(name)) return;
    return write_header(text);
  }
  note_header(*known, text);
  if (state_.settings.drop_headers.contains(lowercase(known->name))) return;
  if (known->has_addresses() && !state_.header_context.empty()) return write_header(rewrite_addresses(*known, text));
  write_header(text);
}

void Content::note_header(const mail::HeaderInfo& known, std::string_view text) {
  seen_.insert(known.type);
  if (known.resent) resent_ = true;
  if (known.type == HeaderType::message_id && message_id_.empty()) message_id_ = trim(mail::header_value(text));
  if (known.type == HeaderType::received && ++hops_ >= state_.settings.hopcount_limit) {
    log::info("{}: message rejected: hopcount exceeded", state_.id());
    state_.fail(proto::kProblemHops);
  }
}

std::string Content::rewrite_addresses(const mail::HeaderInfo& known, std::string_view text) {
  std::string_view value = mail::header_value(text);
  mail::TokenList list = mail::parse_address_list(value, state_.settings.address_token_limit);
  Role role = known.sender_addresses ? Role::header_sender : Role::header_recipient;
  bool changed = false;
  for (mail::Token* token : mail::addresses_of(list)) {
    std::string before = mail::internal_address(*token);
    auto mapped = state_.mapper.map(before, role, state_.header_context, state_.uses_maps(), service_deadline(state_));
    if (!mapped) {
      state_.fail(mapped.error());
      return std::string(text);
    }
    if (*mapped == before) continue;
    changed = true;
    token->parts = mail::scan_tokens(mail::quote_822_local(*mapped));
  }
  if (!changed) return std::string(text);
  std::vector<std::string> warnings;
  std::string written = mail::write_external(list, mail::ListLayout::header, &warnings);
  for (const std::string& warning : warnings) log::warning("{}: {}", state_.id(), warning);
  return mail::fold_address_header(fmt::format("{}: {}", known.name, written));
}

void Content::header_end() {
  if (state_.failed()) return;
  bool complete = !state_.header_context.empty() || state_.settings.always_add_missing_headers;
  if (complete) {
    add_missing_headers();
  } else {
    log::info("{}: message-id={}", state_.id(), message_id_.empty() ? "<>" : message_id_);
  }
}

void Content::add_missing_headers() {
  const Settings& settings = state_.settings;
  const char* prefix = resent_ ? "Resent-" : "";
  auto missing = [&](HeaderType plain, HeaderType resent) { return !seen(resent_ ? resent : plain); };
  if (missing(HeaderType::message_id, HeaderType::resent_message_id)) {
    std::string id = mail::make_message_id(state_.arrival_seconds, state_.id(), settings.myhostname);
    write_header(fmt::format("{}Message-Id: {}", prefix, id));
    log::info("{}: {}message-id={}", state_.id(), resent_ ? "resent-" : "", id);
    if (!resent_) message_id_ = id;
  }
  if (seen(HeaderType::message_id)) log::info("{}: message-id={}", state_.id(), message_id_.empty() ? "<>" : message_id_);
  if (missing(HeaderType::date, HeaderType::resent_date)) {
    write_header(fmt::format("{}Date: {}", prefix, mail_date(state_.arrival_seconds)));
  }
  if (missing(HeaderType::from, HeaderType::resent_from)) {
    std::string address = state_.sender.value_or("");
    auto from = mail::make_from(address.empty() ? "MAILER-DAEMON" : address, state_.full_name, settings.from_format,
                                settings.full_name_charset);
    if (!from) from = mail::make_from(address, "", settings.from_format, settings.full_name_charset);
    if (from) write_header(fmt::format("{}From: {}", prefix, *from));
  }
  bool has_destination = seen(HeaderType::to) || seen(HeaderType::cc) || seen(HeaderType::resent_to) || seen(HeaderType::resent_cc);
  if (!has_destination && !settings.undisclosed_recipients_header.empty()) {
    write_header(settings.undisclosed_recipients_header);
  }
}

void Content::write_header(std::string_view text) {
  for (;;) {
    size_t newline = text.find('\n');
    write_line(text.substr(0, newline), LineEnd::here);
    if (newline == std::string_view::npos) return;
    text.remove_prefix(newline + 1);
  }
}

void Content::body(std::string_view text, LineEnd end, size_t) { write_line(text, end); }

void Content::write_line(std::string_view text, LineEnd end) {
  if (state_.failed()) return;
  size_t limit = state_.settings.line_length_limit;
  while (text.size() > limit) {
    state_.writer.append(RecordType::text_part, text.substr(0, limit));
    text.remove_prefix(limit);
  }
  state_.writer.append(end == LineEnd::later ? RecordType::text_part : RecordType::text, text);
}

}  // namespace postrider::cleanup
