// Where a queue file can be changed after it was written: places with a pointer record that leads to the next
// record until something else takes its place.
#pragma once

#include <cstdint>

namespace postrider::cleanup {

/// Offsets in the queue file of a message that mail filters will see. 0: not there yet.
struct FilterMarks {
  uint64_t sender = 0;        ///< Pointer in front of the sender.
  uint64_t after_sender = 0;  ///< The record behind it.
  uint64_t headers = 0;       ///< Pointer in front of the content, that is of the headers.
  uint64_t separator = 0;     ///< The empty line behind the headers.
  uint64_t body = 0;          ///< Pointer behind that line.
  uint64_t after_body = 0;    ///< The end of the content.
  uint64_t tail = 0;          ///< Pointer in front of the last record.
  uint64_t end = 0;           ///< That record.
};

}  // namespace postrider::cleanup
