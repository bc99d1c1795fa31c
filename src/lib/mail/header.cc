#include "mail/header.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace postrider::mail {

namespace {

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

using enum HeaderType;

// In alphabetical order of the lower-case names.
constexpr std::array kHeaders{
    HeaderInfo{.name = "Apparently-To", .type = apparently_to, .recipient_addresses = true},
    HeaderInfo{.name = "Bcc", .type = bcc, .recipient_addresses = true, .extract = true},
    HeaderInfo{.name = "Cc", .type = cc, .recipient_addresses = true, .extract = true},
    HeaderInfo{.name = "Content-Description", .type = content_description, .mime = true},
    HeaderInfo{.name = "Content-Disposition", .type = content_disposition, .mime = true},
    HeaderInfo{.name = "Content-ID", .type = content_id, .mime = true},
    HeaderInfo{.name = "Content-Length", .type = content_length},
    HeaderInfo{.name = "Content-Transfer-Encoding", .type = content_transfer_encoding, .mime = true},
    HeaderInfo{.name = "Content-Type", .type = content_type, .mime = true},
    HeaderInfo{.name = "Date", .type = date},
    HeaderInfo{.name = "Delivered-To", .type = delivered_to},
    HeaderInfo{
        .name = "Disposition-Notification-To", .type = disposition_notification_to, .sender_addresses = true},
    HeaderInfo{.name = "Errors-To", .type = errors_to, .sender_addresses = true},
    HeaderInfo{.name = "From", .type = from, .sender_addresses = true},
    HeaderInfo{.name = "Mail-Followup-To", .type = mail_followup_to, .sender_addresses = true},
    HeaderInfo{.name = "Message-Id", .type = message_id},
    HeaderInfo{.name = "MIME-Version", .type = mime_version, .mime = true},
    HeaderInfo{.name = "Received", .type = received},
    HeaderInfo{.name = "Reply-To", .type = reply_to, .sender_addresses = true},
    HeaderInfo{.name = "Require-TLS-ESMTP", .type = require_tls_esmtp},
    HeaderInfo{.name = "Resent-Bcc",
               .type = resent_bcc,
               .recipient_addresses = true,
               .extract = true,
               .resent = true},
    HeaderInfo{
        .name = "Resent-Cc", .type = resent_cc, .recipient_addresses = true, .extract = true, .resent = true},
    HeaderInfo{.name = "Resent-Date", .type = resent_date, .resent = true},
    HeaderInfo{.name = "Resent-From", .type = resent_from, .sender_addresses = true, .resent = true},
    HeaderInfo{.name = "Resent-Message-Id", .type = resent_message_id, .resent = true},
    HeaderInfo{
        .name = "Resent-Reply-To", .type = resent_reply_to, .recipient_addresses = true, .resent = true},
    HeaderInfo{.name = "Resent-Sender", .type = resent_sender, .sender_addresses = true, .resent = true},
    HeaderInfo{
        .name = "Resent-To", .type = resent_to, .recipient_addresses = true, .extract = true, .resent = true},
    HeaderInfo{.name = "Return-Path", .type = return_path, .sender_addresses = true},
    HeaderInfo{.name = "Return-Receipt-To", .type = return_receipt_to, .sender_addresses = true},
    HeaderInfo{.name = "Sender", .type = sender, .sender_addresses = true},
    HeaderInfo{.name = "TLS-Required", .type = tls_required},
    HeaderInfo{.name = "To", .type = to, .recipient_addresses = true, .extract = true},
};

constexpr bool less_ignore_case(std::string_view a, std::string_view b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return to_lower(x) < to_lower(y); });
}

static_assert(std::is_sorted(kHeaders.begin(), kHeaders.end(), [](const HeaderInfo& a, const HeaderInfo& b) {
  return less_ignore_case(a.name, b.name);
}));

constexpr size_t kFoldLength = 69;

}  // namespace

size_t header_name_length(std::string_view line) {
  auto name_end =
      std::find_if(line.begin(), line.end(), [](char c) { return !is_printable(c) || c == ' ' || c == ':'; });
  auto colon = std::find_if_not(name_end, line.end(), is_blank);
  if (colon == line.end() || *colon != ':') return 0;
  return static_cast<size_t>(name_end - line.begin());
}

const HeaderInfo* find_header(std::string_view header) {
  std::string_view name = trim_right(header.substr(0, header.find(':')));
  auto found =
      std::lower_bound(kHeaders.begin(), kHeaders.end(), name,
                       [](const HeaderInfo& h, std::string_view n) { return less_ignore_case(h.name, n); });
  return found != kHeaders.end() && equals_ignore_case(found->name, name) ? &*found : nullptr;
}

std::string_view header_value(std::string_view header) {
  size_t colon = header.find(':');
  return colon == std::string_view::npos ? std::string_view() : trim_left(header.substr(colon + 1));
}

std::string fold_address_header(std::string_view header) {
  std::string out;
  out.reserve(header.size() + 8);
  size_t line_length = 0;
  bool first = true;
  for (std::string_view piece : split_each(header, '\n')) {
    if (!first && line_length + 1 + piece.size() <= kFoldLength) {
      out += ' ';
      line_length += 1 + piece.size();
    } else {
      if (!first) out += '\n';
      if (!first && !(!piece.empty() && is_blank(piece.front()))) out += '\t';
      line_length = piece.size();
    }
    out += piece;
    first = false;
  }
  return out;
}

void truncate_header(std::string& header, size_t limit) {
  if (header.size() <= limit) return;
  header.resize(limit);
  size_t last_line = header.rfind('\n');
  if (last_line != std::string::npos && limit - last_line - 1 < limit / 10) header.resize(last_line);
}

void HeaderAssembler::start(std::string_view line, size_t name_length) {
  clear();
  text_ = line.substr(0, name_length);
  text_ += line.substr(line.find(':', name_length));
}

void HeaderAssembler::add(std::string_view separator, std::string_view text) {
  // Whole lines only, so that what is left of the header can be read; a line itself has a limit.
  if (text_.size() >= limit_) {
    truncated_ = true;
    return;
  }
  text_ += separator;
  text_ += text;
}

void HeaderAssembler::clear() {
  text_.clear();
  truncated_ = false;
}

}  // namespace postrider::mail
