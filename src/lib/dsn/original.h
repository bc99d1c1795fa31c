// The message that a notice is about, as its queue file has it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "queue/files.h"

namespace postrider::dsn {

/// Where the lines of a notice go; what follows cannot fail, the receiver remembers its failures.
class LineSink {
 public:
  virtual ~LineSink() = default;
  virtual void line(std::string_view text) = 0;
  /// The beginning of a line that the next call continues.
  virtual void line_part(std::string_view text) = 0;
};

/// Reads what there is: of a file that is damaged, or not complete yet, as much as makes sense.
class OriginalMessage {
 public:
  /// No file: nothing is known of the message.
  explicit OriginalMessage(std::shared_ptr<queue::File> file);

  int64_t arrival_seconds() const { return arrival_; }  ///< 0: not known.
  int64_t size() const { return size_; }                ///< Of the content as stored; 0: not known.
  bool has_content() const { return content_ != 0; }
  /// As the message was sent; a notice about it may go to another, the owner of a mailing list. Nothing: not
  /// known.
  const std::optional<std::string>& sender() const { return sender_; }

  /// The text of the first Message-Id: header, in one line; empty when there is none that can be used.
  std::string message_id() const;
  /// Copies the header, or all of the message.
  void copy(LineSink& out, bool header_only) const;

 private:
  void read_envelope();

  std::shared_ptr<queue::File> file_;
  int64_t arrival_ = 0, size_ = 0;
  std::optional<std::string> sender_;
  uint64_t content_ = 0;  ///< Offset of the first content record; 0: not found.
};

}  // namespace postrider::dsn
