// What was said in a session, for the postmaster to read when something went wrong (notify_classes).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "access/facts.h"

namespace postrider::smtpd {

/// Classes of trouble, in the words of notify_classes.
class ErrorClasses {
 public:
  void add(access::ErrorClass error) { bits_ |= 1U << static_cast<unsigned>(error); }
  void clear() { bits_ = 0; }
  bool intersects(ErrorClasses other) const { return (bits_ & other.bits_) != 0; }
  bool empty() const { return bits_ == 0; }
  bool has(access::ErrorClass error) const { return (bits_ & 1U << static_cast<unsigned>(error)) != 0; }

 private:
  unsigned bits_ = 0;
};

/// A list as in notify_classes; classes that the SMTP server knows nothing about are left out.
ErrorClasses parse_error_classes(std::string_view list);

class Transcript {
 public:
  void in(std::string_view line) { add("In:  ", line); }
  void out(std::string_view line) { add("Out: ", line); }
  size_t lines() const { return lines_; }
  void clear();
  /// The lines, each with a newline.
  const std::string& text() const { return text_; }

 private:
  /// A session that is never flushed may go on for long.
  static constexpr size_t kMaxText = 64 * 1024;
  void add(std::string_view direction, std::string_view line);
  std::string text_;
  size_t lines_ = 0;
};

/// Who gets the transcript.
class Postmaster {
 public:
  virtual ~Postmaster() = default;
  /// `errors`: what happened in the session. `reason` is empty for one that was not cut short. Problems are
  /// logged.
  virtual void report(std::string_view client, const Transcript& transcript, ErrorClasses errors,
                      std::string_view reason) = 0;
};

}  // namespace postrider::smtpd
