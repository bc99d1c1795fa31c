// A message from the queue, written out for a mailbox or a command.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "queue/files.h"

namespace postrider::mailbox {

/// What is delivered. Addresses are in internal form.
struct Message {
  queue::ByteSource* file = nullptr;
  int64_t data_offset = 0;         ///< Of the content in the queue file.
  std::string sender;              ///< Empty: the null sender.
  std::string original_recipient;  ///< For X-Original-To; empty: no such header.
  std::string delivered_to;
  bool* damaged = nullptr;  ///< Set when the content in the queue file turns out to be damaged.
};

/// What a delivery adds to the message.
struct CopyFormat {
  bool from_line = false;   ///< "From sender date" in front.
  bool quote_from = false;  ///< ">" before lines that begin with "From ".
  bool blank_line_at_end = false;
  bool return_path = true;
  bool original_to = true;  ///< X-Original-To, when the message has an original recipient.
  bool delivered_to = true;
  bool stuff_dots = false;  ///< "." before lines that begin with ".".
  std::string line_end = "\n";

  static CopyFormat mbox() { return {.from_line = true, .quote_from = true, .blank_line_at_end = true}; }
  static CopyFormat maildir() { return {}; }
  static CopyFormat command() { return {.from_line = true}; }
};

/// Takes the text in pieces. Its error stops the copy.
using Sink = std::function<Result<void>(std::string_view)>;

enum class CopyStep : unsigned char { read, write };

/// Why a copy stopped.
struct CopyFailure {
  CopyStep step = CopyStep::read;
  Error error;

  /// The queue file is damaged: that does not get better, and is no fault of sender or recipient.
  bool damaged() const { return step == CopyStep::read && error.kind == ErrorKind::invalid; }
};

/// Writes the message to the sink. Blocks as the sink and the disk do.
std::expected<void, CopyFailure> copy_message(const Message& message, const CopyFormat& format,
                                              const Sink& sink);

}  // namespace postrider::mailbox
