// Message content as it comes behind DATA and in BDAT chunks: lines, dots, and what senders get wrong about
// line ends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "io/stream.h"
#include "queue/header_start.h"

namespace postrider::smtpd {

using queue::ContentRecord;

/// What line feeds without carriage return mean (smtpd_forbid_bare_newline). Systems that disagree about the
/// end of a message can be made to take one message for two.
enum class BareLf : unsigned char {
  accept,     ///< As good as CRLF.
  normalize,  ///< They end lines, but not the message.
  note,       ///< As normalize; they are mentioned in the log when the session ends.
  reject,     ///< As normalize, and the message is refused.
};

/// The lines behind DATA (RFC 5321 section 4.5.2).
class DataReader {
 public:
  explicit DataReader(BareLf mode) : mode_(mode) {}

  enum class Step : unsigned char {
    record,   ///< record() is content.
    ignored,  ///< A line that looks like the end of the message, and is not.
    end,      ///< The message is complete.
  };
  Step next(const io::Line& line);
  const ContentRecord& record() const { return record_; }
  bool saw_bare_lf() const { return saw_bare_lf_; }

 private:
  BareLf mode_;
  ContentRecord record_;
  bool at_start_ = true;        // Of a line.
  bool after_bare_lf_ = false;  // The line before ended so.
  bool saw_bare_lf_ = false;
};

/// The lines in chunks of BDAT (RFC 3030). A line may go on in the next chunk.
class ChunkReader {
 public:
  /// `line_limit`: longer lines are handed on in pieces.
  ChunkReader(BareLf mode, size_t line_limit) : mode_(mode), line_limit_(line_limit) {}

  /// Takes bytes from the front of `input` until a record is complete; false when all are taken first.
  bool next(std::string_view& input);
  /// The last chunk is over: what is left is a line. False when nothing is.
  bool finish();
  /// Bytes of a line that has not ended yet.
  size_t pending() const { return line_.size() - taken_; }
  /// Valid until the next call.
  const ContentRecord& record() const { return record_; }
  bool saw_bare_lf() const { return saw_bare_lf_; }

 private:
  void end_line();

  BareLf mode_;
  size_t line_limit_;
  std::string line_;  // What is known of the current one.
  size_t taken_ = 0;  // Bytes of it that have been handed on.
  ContentRecord record_;
  bool in_line_ = false;  // The last record was a piece of one.
  bool saw_bare_lf_ = false;
};

}  // namespace postrider::smtpd
