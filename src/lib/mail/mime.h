// MIME as a mail system has to understand it (RFC 2045, RFC 2046): which lines of a message are headers of
// what, whether 8-bit content is declared as such, and its conversion for a server that takes 7 bits only.
//
// The parser is a filter: it is fed with lines and hands on lines, in order and at once, through a MimeSink.
// What it does not understand is body text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mail/dsn.h"
#include "mail/header.h"

namespace postrider::mail {

/// Which header section a header is in.
enum class HeaderClass : unsigned char {
  primary,  ///< The message's own.
  part,     ///< A part of a multipart.
  nested,   ///< A message inside the message.
};

enum class MimeProblem : unsigned char {
  nesting,           ///< More levels of multipart and message than mime_nesting_limit.
  long_header,       ///< A header was cut at header_size_limit.
  eight_bit_header,  ///< 8-bit text in a header (strict_7bit_headers).
  eight_bit_body,    ///< 8-bit text in a body that is declared, or by default, 7bit (strict_8bitmime_body).
  encoding_domain,   ///< A multipart or message part is encoded (strict_mime_encoding_domain).
  non_empty_end,     ///< The message's header ended with a line that is not empty.
};

/// For a reply and a log line.
struct MimeProblemText {
  StatusCode status;
  std::string_view text;
};
MimeProblemText describe(MimeProblem problem);
class MimeProblems;
/// Of several problems, the first in the order of their enumeration.
MimeProblemText describe(const MimeProblems& problems);

/// A set of problems.
class MimeProblems {
 public:
  bool none() const { return bits_ == 0; }
  bool has(MimeProblem problem) const { return (bits_ & bit(problem)) != 0; }
  void add(MimeProblem problem) { bits_ |= bit(problem); }

 private:
  static unsigned bit(MimeProblem problem) { return 1U << static_cast<unsigned>(problem); }
  unsigned bits_ = 0;
};

/// Whether a record holds the end of a line, or the line goes on in the next one.
enum class LineEnd : unsigned char { here, later };

/// What a parser finds. Texts are valid during the call only.
class MimeSink {
 public:
  virtual ~MimeSink() = default;
  /// A logical header. `known` is null for a header without special properties.
  virtual void header(HeaderClass where, const HeaderInfo* known, std::string_view text) = 0;
  /// The message's own header section is complete.
  virtual void header_end() = 0;
  /// A line, or a piece of one, of anything else: body text, boundaries, the empty line after headers.
  /// `offset` counts bytes with line ends from the start of this part's body.
  virtual void body(std::string_view text, LineEnd end, size_t offset) = 0;
  virtual void message_end() {}
  /// Called for what MimeOptions asks to report, each kind once; `text` is where it was found.
  virtual void problem(MimeProblem, std::string_view /*text*/) {}
};

struct MimeOptions {
  bool parse_mime = true;  ///< Else only the message's own header is looked at.
  bool downgrade = false;  ///< Convert parts declared 8bit or binary to quoted-printable.
  bool report_nesting = false;
  bool report_long_header = false;
  bool report_eight_bit_header = false;
  bool report_eight_bit_body = false;
  bool report_encoding_domain = false;
  bool report_non_empty_end = false;
  size_t header_size_limit = 102400;
  size_t boundary_length_limit = 2048;  ///< mime_boundary_length_limit: more of a boundary is not compared.
  size_t nesting_limit = 100;           ///< mime_nesting_limit.
};

class MimeParser {
 public:
  MimeParser(const MimeOptions& options, MimeSink& sink);

  /// The next line, without its line end, or the next piece of one.
  void line(std::string_view text, LineEnd end = LineEnd::here);
  /// The message is complete.
  void finish();

  /// What was reported so far.
  MimeProblems problems() const { return problems_; }

 private:
  enum class Place : unsigned char { headers, body };
  enum class MediaType : unsigned char { text, multipart, message };
  enum class Subtype : unsigned char { other, rfc822, global, partial, external_body, digest };
  enum class Encoding : unsigned char { seven_bit, eight_bit, binary, quoted_printable, base64 };

  /// The entity whose headers or body are being read.
  struct Entity {
    MediaType type = MediaType::text;
    Subtype subtype = Subtype::other;
    Encoding encoding = Encoding::seven_bit;
    Encoding domain = Encoding::seven_bit;  ///< What the encoding is of: 7 bits, 8 bits or binary.
  };
  struct Multipart {
    std::string boundary;
    bool is_digest;  ///< Parts are messages when they do not say otherwise.
  };

  void header_line(std::string_view text, LineEnd end);
  void body_line(std::string_view text, LineEnd end);
  void put_header();
  void put_encoding_header();
  void check_encoding_domain();
  bool is_of_parts() const;
  void end_headers(std::string_view next_line, LineEnd end);
  void note_header(const HeaderInfo& known, const std::string& text);
  void read_content_type(std::string_view value);
  void read_encoding(std::string_view value);
  void push_boundary(std::string_view boundary);
  void look_for_boundary(std::string_view text);
  void enter_headers(HeaderClass header_class, Entity entity);
  void enter_body();
  void put_body(std::string_view text, LineEnd end);
  void put_as_is(std::string_view text, LineEnd end);
  void put_quoted_printable(std::string_view text, LineEnd end);
  void report(bool wanted, MimeProblem problem, std::string_view text);
  bool converts() const;

  MimeOptions options_;
  MimeSink& sink_;
  Place place_ = Place::headers;
  HeaderClass header_class_ = HeaderClass::primary;
  Entity entity_;
  std::string encoding_name_;
  std::vector<Multipart> multiparts_;
  HeaderAssembler header_;
  std::string converted_;  // quoted-printable text not handed on yet
  LineEnd last_ = LineEnd::here;
  size_t body_offset_ = 0;
  MimeProblems problems_;
};

}  // namespace postrider::mail
