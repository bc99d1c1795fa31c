#include "mail/mime.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/encoding.h"
#include "base/text.h"
#include "mail/header_tokens.h"

namespace postrider::mail {

namespace {

bool has_eight_bit(std::string_view text) {
  return !is_all_ascii(text);
}
bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

void append_encoded(std::string& out, char c) {
  out += '=';
  out += hex({&c, 1});
}

}  // namespace

MimeProblemText describe(MimeProblem problem) {
  switch (problem) {
    case MimeProblem::nesting:
      return {"5.6.0", "MIME nesting exceeds safety limit"};
    case MimeProblem::long_header:
      return {"5.6.0", "message header length exceeds safety limit"};
    case MimeProblem::eight_bit_header:
      return {"5.6.0", "improper use of 8-bit data in message header"};
    case MimeProblem::eight_bit_body:
      return {"5.6.0", "improper use of 8-bit data in message body"};
    case MimeProblem::encoding_domain:
      return {"5.6.0", "invalid message/* or multipart/* encoding domain"};
    case MimeProblem::non_empty_end:
      return {"5.6.0", "primary header was terminated with non-empty line"};
  }
  return {"5.6.0", "unknown problem"};
}

MimeProblemText describe(const MimeProblems& problems) {
  constexpr auto kLast = static_cast<unsigned>(MimeProblem::non_empty_end);
  for (unsigned i = 0; i <= kLast; ++i) {
    if (auto problem = static_cast<MimeProblem>(i); problems.has(problem)) return describe(problem);
  }
  return {"5.6.0", "unknown problem"};
}

MimeParser::MimeParser(const MimeOptions& options, MimeSink& sink)
    : options_(options), sink_(sink), header_(options.header_size_limit) {}

void MimeParser::line(std::string_view text, LineEnd end) {
  if (place_ == Place::headers) {
    header_line(text, end);
  } else {
    body_line(text, end);
  }
  last_ = end;
}

void MimeParser::finish() {
  if (place_ == Place::headers) {
    put_header();
    if (converts()) put_encoding_header();
    if (header_class_ == HeaderClass::primary) sink_.header_end();
  } else if (!converted_.empty()) {
    put_quoted_printable("", LineEnd::here);
  }
  sink_.message_end();
}

void MimeParser::header_line(std::string_view text, LineEnd end) {
  if (!header_.empty()) {
    if (last_ == LineEnd::later) return header_.add_piece(text);
    if (!text.empty() && is_blank(text.front())) return header_.add_line(text);
    put_header();
  }
  if (size_t name = header_name_length(text)) {
    header_.start(text, name);
    return;
  }
  end_headers(text, end);
}

/// Hands on the header that was collected, and learns from it.
void MimeParser::put_header() {
  if (header_.empty()) return;
  const std::string& text = header_.text();
  const HeaderInfo* known = find_header(text);
  if (known && options_.parse_mime) note_header(*known, text);
  report(options_.report_long_header && header_.truncated(), MimeProblem::long_header, text);
  report(options_.report_eight_bit_header && has_eight_bit(text), MimeProblem::eight_bit_header, text);
  bool replaced = known && known->type == HeaderType::content_transfer_encoding && converts();
  if (!replaced) sink_.header(header_class_, known, text);
  header_.clear();
}

void MimeParser::note_header(const HeaderInfo& known, const std::string& text) {
  if (known.type == HeaderType::content_type) read_content_type(header_value(text));
  if (known.type == HeaderType::content_transfer_encoding) read_encoding(header_value(text));
}

/// Whether what belongs to the current entity is converted.
bool MimeParser::converts() const {
  return options_.downgrade && entity_.domain != Encoding::seven_bit;
}

void MimeParser::end_headers(std::string_view next_line, LineEnd end) {
  // Parts, or the header of a message inside, follow an empty line only.
  const bool parts_follow = next_line.empty() && is_of_parts();
  const bool message_follows = parts_follow && entity_.type == MediaType::message;
  if (converts()) put_encoding_header();
  if (header_class_ == HeaderClass::primary) {
    sink_.header_end();
    report(options_.report_non_empty_end && !next_line.empty(), MimeProblem::non_empty_end, next_line);
  }
  check_encoding_domain();
  body_offset_ = 0;
  place_ = Place::body;
  if (parts_follow) {
    put_as_is("", LineEnd::here);
    entity_ = {};
    if (message_follows) enter_headers(HeaderClass::nested, {});
    return;
  }
  if (header_class_ == HeaderClass::primary && !next_line.empty()) {
    put_as_is("", LineEnd::here);
    body_offset_ = 0;
  }
  body_line(next_line, end);
}

/// Whether the entity is made of others, with headers of their own. A message/global that is converted is
/// converted as a whole (RFC 6532 section 3.7).
bool MimeParser::is_of_parts() const {
  if (entity_.type == MediaType::multipart || entity_.subtype == Subtype::rfc822) return true;
  return entity_.subtype == Subtype::global && !converts();
}

/// RFC 2045 section 6.4: what is made of parts is not encoded as a whole.
void MimeParser::check_encoding_domain() {
  const bool of_parts = entity_.type == MediaType::multipart || entity_.subtype == Subtype::rfc822;
  const bool seven_bit_only =
      entity_.subtype == Subtype::partial || entity_.subtype == Subtype::external_body;
  const bool encoded = entity_.encoding == Encoding::quoted_printable || entity_.encoding == Encoding::base64;
  const bool bad = (of_parts && encoded) || (seven_bit_only && entity_.domain != Encoding::seven_bit);
  report(options_.report_encoding_domain && bad, MimeProblem::encoding_domain, encoding_name_);
}

/// In place of the header that said 8bit or binary. What is made of parts is converted part by part; of other
/// messages inside only message/global may be encoded (RFC 2046 section 5.2, RFC 6532).
void MimeParser::put_encoding_header() {
  const bool of_parts = entity_.type == MediaType::multipart ||
                        (entity_.type == MediaType::message && entity_.subtype != Subtype::global);
  sink_.header(header_class_, nullptr,
               of_parts ? "Content-Transfer-Encoding: 7bit" : "Content-Transfer-Encoding: quoted-printable");
}

void MimeParser::enter_headers(HeaderClass header_class, Entity entity) {
  place_ = Place::headers;
  header_class_ = header_class;
  entity_ = entity;
}

void MimeParser::enter_body() {
  place_ = Place::body;
  entity_ = {};
  body_offset_ = 0;
}

void MimeParser::body_line(std::string_view text, LineEnd end) {
  if (last_ == LineEnd::here) look_for_boundary(text);
  put_body(text, end);
}

/// A boundary of an outer multipart ends the inner ones, too: their own end may have been lost.
void MimeParser::look_for_boundary(std::string_view text) {
  if (text.size() < 3 || !text.starts_with("--")) return;
  std::string_view rest = text.substr(2);
  auto match = std::find_if(multiparts_.rbegin(), multiparts_.rend(),
                            [&](const Multipart& m) { return rest.starts_with(m.boundary); });
  if (match == multiparts_.rend()) return;
  const bool last = rest.substr(match->boundary.size()).starts_with("--");
  const Subtype parts = match->is_digest ? Subtype::rfc822 : Subtype::other;
  multiparts_.erase(match.base(), multiparts_.end());
  if (last) {
    multiparts_.pop_back();
    enter_body();
  } else {
    MediaType type = parts == Subtype::rfc822 ? MediaType::message : MediaType::text;
    enter_headers(HeaderClass::part, {.type = type, .subtype = parts});
  }
}

/// A type that is not mentioned here is treated as text, and does not take back an earlier Content-Type: a
/// second one is illegal and may serve to hide something.
void MimeParser::read_content_type(std::string_view value) {
  auto tokens = next_header_tokens(value, 3);
  if (!tokens || tokens->empty()) return;
  const HeaderToken& type = tokens->front();
  const bool has_subtype = tokens->size() > 2 && (*tokens)[1].is_special('/');
  auto subtype = [&](std::string_view word) { return has_subtype && (*tokens)[2].is_word(word); };
  if (type.is_word("text")) {
    entity_.type = MediaType::text;
    entity_.subtype = Subtype::other;
  } else if (type.is_word("message")) {
    entity_.type = MediaType::message;
    entity_.subtype = subtype("rfc822")          ? Subtype::rfc822
                      : subtype("global")        ? Subtype::global
                      : subtype("partial")       ? Subtype::partial
                      : subtype("external-body") ? Subtype::external_body
                                                 : Subtype::other;
  } else if (type.is_word("multipart")) {
    entity_.type = MediaType::multipart;
    entity_.subtype = subtype("digest") ? Subtype::digest : Subtype::other;
    // All of several boundaries count: whichever of them the sender uses, its parts are seen.
    while (auto parameter = next_header_tokens(value, 3)) {
      bool boundary =
          parameter->size() > 2 && (*parameter)[0].is_word("boundary") && (*parameter)[1].is_special('=');
      if (boundary) push_boundary((*parameter)[2].text);
    }
  }
}

void MimeParser::push_boundary(std::string_view boundary) {
  if (multiparts_.size() > options_.nesting_limit + 1) {
    report(options_.report_nesting, MimeProblem::nesting, header_.text());
    return;
  }
  multiparts_.push_back({.boundary = std::string(boundary.substr(0, options_.boundary_length_limit)),
                         .is_digest = entity_.subtype == Subtype::digest});
}

void MimeParser::read_encoding(std::string_view value) {
  struct Known {
    std::string_view name;
    Encoding encoding, domain;
  };
  static constexpr std::array<Known, 5> kEncodings{{
      {"7bit", Encoding::seven_bit, Encoding::seven_bit},
      {"8bit", Encoding::eight_bit, Encoding::eight_bit},
      {"binary", Encoding::binary, Encoding::binary},
      {"quoted-printable", Encoding::quoted_printable, Encoding::seven_bit},
      {"base64", Encoding::base64, Encoding::seven_bit},
  }};
  auto tokens = next_header_tokens(value, 1);
  if (!tokens || tokens->empty()) return;
  for (const Known& known : kEncodings) {
    if (!tokens->front().is_word(known.name)) continue;
    entity_.encoding = known.encoding;
    entity_.domain = known.domain;
    encoding_name_ = known.name;
    return;
  }
}

void MimeParser::put_body(std::string_view text, LineEnd end) {
  report(options_.report_eight_bit_body && entity_.encoding == Encoding::seven_bit && has_eight_bit(text),
         MimeProblem::eight_bit_body, text);
  if (converts()) {
    put_quoted_printable(text, end);
  } else {
    put_as_is(text, end);
  }
}

void MimeParser::put_as_is(std::string_view text, LineEnd end) {
  sink_.body(text, end, body_offset_);
  body_offset_ += text.size() + 1;
}

/// RFC 2045 section 6.7: lines have at most 76 characters with the "=" that ends them.
void MimeParser::put_quoted_printable(std::string_view text, LineEnd end) {
  constexpr size_t kBreakAfter = 72;
  for (char c : text) {
    if (converted_.size() > kBreakAfter) {
      converted_ += '=';
      put_as_is(converted_, LineEnd::here);
      converted_.clear();
    }
    if (is_blank(c) || (is_printable(c) && c != '=')) {
      converted_ += c;
    } else {
      append_encoded(converted_, c);
    }
  }
  if (end == LineEnd::later) return;
  // White space at the end of a line may get lost on the way.
  if (!converted_.empty() && is_blank(converted_.back())) {
    char c = converted_.back();
    converted_.pop_back();
    append_encoded(converted_, c);
  }
  put_as_is(converted_, LineEnd::here);
  converted_.clear();
}

void MimeParser::report(bool wanted, MimeProblem problem, std::string_view text) {
  if (!wanted || problems_.has(problem)) return;
  problems_.add(problem);
  sink_.problem(problem, text);
}

}  // namespace postrider::mail
