// The content of a message: its header is completed and rewritten, its body is passed on.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "cleanup/message_state.h"
#include "mail/mime.h"

namespace postrider::cleanup {

class Content : private mail::MimeSink {
 public:
  explicit Content(MessageState& state);

  /// A line, or a piece of one, as the client sent it.
  void line(std::string_view text, mail::LineEnd end);
  void finish();

 private:
  void header(mail::HeaderClass where, const mail::HeaderInfo* known, std::string_view text) override;
  void header_end() override;
  void body(std::string_view text, mail::LineEnd end, size_t offset) override;
  void problem(mail::MimeProblem problem, std::string_view text) override;

  void note_header(const mail::HeaderInfo& known, std::string_view text);
  std::string rewrite_addresses(const mail::HeaderInfo& known, std::string_view text);
  void add_missing_headers();
  void write_header(std::string_view text);
  void write_line(std::string_view text, mail::LineEnd end);
  bool seen(mail::HeaderType type) const { return seen_.contains(type); }

  MessageState& state_;
  mail::MimeParser parser_;
  std::set<mail::HeaderType> seen_;
  bool resent_ = false;  // A Resent-* header was seen: what is missing is added with that prefix.
  int hops_ = 0;
  std::string message_id_;
  bool in_long_line_ = false;
};

}  // namespace postrider::cleanup
