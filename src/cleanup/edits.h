// What mail filters do to a message in its queue file.
//
// The file has pointers where something may change (FilterMarks). What is new is written behind the end of
// the file, with a pointer back to what follows; then the pointer in front is made to lead there. Nothing of
// this counts before the message is committed, so that a crash in the middle leaves a file without a message,
// as any other crash does before that point.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cleanup/address_mapper.h"
#include "cleanup/judge.h"
#include "cleanup/message_state.h"
#include "cleanup/recipients.h"
#include "milter/content.h"
#include "queue/record.h"

namespace postrider::cleanup {

class Edits : public milter::Content, public milter::Editor {
 public:
  Edits(MessageState& state, Recipients& recipients, AddressMapper& mapper, uint64_t content);

  /// Reads the headers.
  Result<void> open();
  /// Writes what has changed. A failure is noted in the state.
  void finish();
  /// Bytes of the records of a new body; nothing when the body has not been replaced.
  std::optional<uint64_t> new_body_size() const { return new_body_size_; }

  const std::vector<std::string_view> headers() override;
  void rewind_body() override;
  Result<std::string_view> body_piece() override;

  Goes add_header(std::string_view header) override;
  Goes insert_header(uint32_t index, std::string_view header) override;
  Goes change_header(uint32_t index, std::string_view name, std::string_view header) override;
  Goes add_recipient(std::string_view address, std::string_view parameters) override;
  Goes delete_recipient(std::string_view address) override;
  Goes change_sender(std::string_view address, std::string_view parameters) override;
  Goes replace_body(std::string_view piece) override;
  void end_of_edits() override;

 private:
  bool goes_on() const { return state_.writing() && state_.problems == 0; }
  std::optional<std::string> judged(std::string_view header);
  std::string cut(std::string header) const;
  void insert(size_t place, std::string_view header);
  std::optional<size_t> find(uint32_t index, std::string_view name) const;
  size_t own_received() const;
  Result<void> read_header(queue::RecordReader& reader);
  void put_header(std::string_view header);
  void put_body_line(bool whole);
  struct Change {
    bool adds;
    std::string address;
    RecipientNotes notes;
  };
  /// Adds or takes back a recipient.
  void carry_out(Change change);
  /// What follows goes behind the recipients.
  void begin_tail();
  void end_tail();
  std::string address_of(std::string_view text) const;
  Result<void> cancel(std::string_view address);
  void write_headers();
  void write_sender();
  void write_judgement();

  MessageState& state_;
  Recipients& recipients_;
  AddressMapper& mapper_;
  Judge judge_;
  uint64_t content_;
  std::string filter_, redirect_;  // As they were before.
  size_t bcc_;                     // The same: how many there were.

  std::vector<std::string> headers_;
  bool headers_changed_ = false;
  std::optional<std::string> new_sender_, new_return_, new_envelope_id_;

  // The body as it is now, and reading it.
  uint64_t body_ = 0;
  std::optional<queue::RecordReader> reader_;
  std::string piece_, rest_;
  bool body_ended_ = false;

  // A new one. Its records stand together, so that recipients have to wait for its end.
  bool replacing_ = false;
  std::vector<Change> changes_;
  std::string line_;
  std::optional<uint64_t> new_body_size_;

  uint64_t tail_;  // The last pointer that leads to the end.
};

}  // namespace postrider::cleanup
