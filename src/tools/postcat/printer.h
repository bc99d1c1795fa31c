// The text form of a queue file.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "queue/record.h"

namespace postrider::postcat {

/// What to print and how; the options of the command. With none of envelope, header and body, nothing is
/// printed.
struct Options {
  bool envelope = false;
  bool header = false;
  bool body = false;
  bool offset = false;        ///< The offset of each record in front of it.
  bool decimal_type = false;  ///< The type of each record in front of it.
  bool file_name = false;     ///< The file's name in front of each line.
  bool raw = false;           ///< Records in the order of the file: pointers are printed, not followed.
  bool verbose = false;       ///< Pointers and padding too, and the names of content records.
  uint64_t start = 0;         ///< Begin at this offset.
};

/// Where the text goes.
struct Output {
  std::function<void(std::string_view)> text;     ///< Pieces of lines.
  std::function<void(std::string_view)> warning;  ///< One line, without a line end.
};

/// Prints one file.
class Printer {
 public:
  /// All but `options` must outlive the printer. `name` is what the file is called in the text.
  Printer(queue::ByteSource& source, std::string name, const Options& options, const Output& output);

  /// The error is a reason to stop the command.
  Result<void> run();

 private:
  enum class State : unsigned char { envelope, header, body };

  Result<bool> has_content();
  Result<bool> take(const queue::Record& record);
  Result<bool> take_text(const queue::Record& record);
  Result<void> take_message(const queue::Record& record);
  void take_extracted(const queue::Record& record);
  void take_end(const queue::Record& record);
  Result<void> take_pointer(const queue::Record& record);
  Result<void> take_size(const queue::Record& record);
  void print(const queue::Record& record);
  void print_text_part(const queue::Record& record);
  void print_attribute(const queue::Record& record);
  void print_named(const queue::Record& record, std::string_view value);
  void print_marker(const queue::Record& record, std::string_view text);
  void print_prefix(const queue::Record& record);
  void write(std::string_view text);
  void flush();
  void warn(std::string_view text);
  Result<void> skip_content();
  Result<void> seek(int64_t offset);
  bool wants_text() const { return options_.header || options_.body; }

  queue::ByteSource& source_;
  std::string name_;
  Options options_;
  const Output& output_;
  queue::RecordReader reader_;
  State state_ = State::envelope;
  bool printing_;
  std::optional<queue::RecordType> printed_;  // The last record, unless its line was ended beyond its own.
  int64_t content_offset_ = -1;               // From the size record.
  int64_t content_size_ = -1;
  std::string pending_;  // The text for the record at hand.
  bool at_line_start_ = true;
};

}  // namespace postrider::postcat
