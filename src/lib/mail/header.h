// Message headers: how they are recognised, which are known, how they are folded and cut.
//
// A logical header is one string: name, colon, value, with "\n" between its physical lines. Continuation
// lines keep their white space in front.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace postrider::mail {

/// Length of the header name at the start of a line, or 0 when the line begins no header. The name is of
/// printable US-ASCII; white space may stand between it and the colon (RFC 5322 section 4.5).
size_t header_name_length(std::string_view line);

enum class HeaderType : unsigned char {
  apparently_to,
  bcc,
  cc,
  content_description,
  content_disposition,
  content_id,
  content_length,
  content_transfer_encoding,
  content_type,
  date,
  delivered_to,
  disposition_notification_to,
  errors_to,
  from,
  mail_followup_to,
  message_id,
  mime_version,
  received,
  reply_to,
  require_tls_esmtp,
  resent_bcc,
  resent_cc,
  resent_date,
  resent_from,
  resent_message_id,
  resent_reply_to,
  resent_sender,
  resent_to,
  return_path,
  return_receipt_to,
  sender,
  tls_required,
  to,
};

/// What is done with a header beside passing it on.
struct HeaderInfo {
  std::string_view name;  ///< In its usual spelling.
  HeaderType type;
  bool sender_addresses = false;     ///< Its addresses are rewritten as those of senders.
  bool recipient_addresses = false;  ///< Its addresses are rewritten as those of recipients.
  bool extract = false;              ///< Its addresses are recipients of `sendmail -t`.
  bool resent = false;               ///< One of Resent-*.
  bool mime = false;                 ///< Means something to a MIME parser; checked by mime_header_checks.

  bool has_addresses() const { return sender_addresses || recipient_addresses; }
};

/// The properties of the header whose name begins `header` (a name alone, or a whole header). Null when it is
/// none that is treated specially.
const HeaderInfo* find_header(std::string_view header);

/// The text after the colon, white space in front removed.
std::string_view header_value(std::string_view header);

/// An address header as write_external() lays it out has one address a line. Gives it as many on each line as
/// go in 69 characters, with a tab in front of continuation lines that begin without white space.
std::string fold_address_header(std::string_view header);

/// Cuts a logical header to `limit` bytes (header_size_limit). A last line of which less than a tenth of the
/// limit is left goes entirely.
void truncate_header(std::string& header, size_t limit);

/// Collects the physical lines of one logical header.
class HeaderAssembler {
 public:
  explicit HeaderAssembler(size_t size_limit) : limit_(size_limit) {}

  bool empty() const { return text_.empty(); }
  const std::string& text() const { return text_; }
  /// Whether text was left out because the header had reached the limit.
  bool truncated() const { return truncated_; }

  /// The first line; `name_length` as from header_name_length(). White space before the colon is dropped.
  void start(std::string_view line, size_t name_length);
  /// A continuation line, which begins with white space.
  void add_line(std::string_view line) { add("\n", line); }
  /// More of a line that came in pieces.
  void add_piece(std::string_view piece) { add("", piece); }
  void clear();

 private:
  void add(std::string_view separator, std::string_view text);

  size_t limit_;
  std::string text_;
  bool truncated_ = false;
};

}  // namespace postrider::mail
