// A message as filters see it, and what they may do to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "milter/protocol.h"

namespace postrider::milter {

/// The message. Errors mean that it cannot be read.
class Content {
 public:
  virtual ~Content() = default;
  /// Logical headers, "name: value" with "\n" between lines, without the one that says how this system has
  /// received the message.
  virtual const std::vector<std::string_view> headers() = 0;
  /// The body from its beginning.
  virtual void rewind_body() = 0;
  /// The next piece, with CRLF behind lines; at most kBodyPiece bytes. Empty at the end.
  virtual Result<std::string_view> body_piece() = 0;
};

/// Carries out modifications. They may suspend.
class Editor {
 public:
  /// False: no more modifications, the message is lost anyway. Why is known to the editor.
  using Goes = bool;
  virtual ~Editor() = default;
  /// `header` is the whole: name, colon, value.
  virtual Goes add_header(std::string_view header) = 0;
  /// At this place among all headers, this system's included; 0 is the top.
  virtual Goes insert_header(uint32_t index, std::string_view header) = 0;
  /// Of several headers with a name, the one with this number, from 1. An empty `header` removes it.
  virtual Goes change_header(uint32_t index, std::string_view name, std::string_view header) = 0;
  virtual Goes add_recipient(std::string_view address, std::string_view parameters) = 0;
  virtual Goes delete_recipient(std::string_view address) = 0;
  virtual Goes change_sender(std::string_view address, std::string_view parameters) = 0;
  /// A piece of a new body, with CRLF or LF behind lines.
  virtual Goes replace_body(std::string_view piece) = 0;
  /// The filter has said all that it wants.
  virtual void end_of_edits() = 0;
};

}  // namespace postrider::milter
