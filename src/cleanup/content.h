// The content of a message: its header is completed and rewritten, its body is passed on.
#pragma once

#include <bitset>
#include <string>
#include <string_view>

#include "cleanup/header_addresses.h"
#include "cleanup/judge.h"
#include "cleanup/message_state.h"
#include "mail/mime.h"

namespace postrider::cleanup {

class Content : private mail::MimeSink {
 public:
  Content(MessageState& state, AddressMapper& mapper);

  /// A line, or a piece of one, as the client sent it.
  void line(std::string_view text, mail::LineEnd end);
  void finish();

 private:
  void header(mail::HeaderClass where, const mail::HeaderInfo* known, std::string_view text) override;
  void header_end() override;
  void body(std::string_view text, mail::LineEnd end, size_t offset) override;
  void message_end() override;
  void problem(mail::MimeProblem problem, std::string_view text) override;

  void feed(std::string_view text, mail::LineEnd end);
  void primary_header(const mail::HeaderInfo& known, std::string_view text);
  void note_encoding(std::string_view value);
  void note_header(const mail::HeaderInfo& known, std::string_view text);
  void note_received(std::string_view text);
  void add_missing_headers();
  void add_message_id();
  void add_from();
  void note_utf8(std::string_view text);
  void write_header(std::string_view text);
  void write_own_header(std::string_view text);
  void write_line(std::string_view text, mail::LineEnd end);

  void separate_body();
  void make_room(size_t header);

  bool seen(mail::HeaderType type) const { return seen_[static_cast<size_t>(type)]; }
  /// Whether the header is there, in its Resent- form when the message was resent.
  bool has(mail::HeaderType plain, mail::HeaderType resent) const { return seen(resent_ ? resent : plain); }
  std::string_view prefix() const { return resent_ ? "Resent-" : ""; }

  MessageState& state_;
  HeaderAddresses addresses_;
  Judge judge_;
  mail::MimeParser parser_;
  mail::MimeProblems problems_;
  bool in_body_ = false;  // The empty line behind the headers has been written.
  bool clean_lines_;      // Whether lines may need changes before anybody sees them.
  std::bitset<64> seen_;  // Of mail::HeaderType.
  bool resent_ = false;   // A Resent-* header was seen: what is missing is added with that prefix.
  int hops_ = 0;
  std::string buffer_;
};

}  // namespace postrider::cleanup
