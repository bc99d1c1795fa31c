// The envelope of a message: the records before and behind its content.
#pragma once

#include <string>
#include <string_view>

#include "cleanup/address_mapper.h"
#include "cleanup/message_state.h"
#include "cleanup/recipients.h"
#include "queue/record.h"

namespace postrider::cleanup {

class Envelope {
 public:
  Envelope(MessageState& state, AddressMapper& mapper, Recipients& recipients)
      : state_(state), mapper_(mapper), recipients_(recipients) {}

  /// One record in front of the content ('M' excluded).
  void record(const queue::Record& record);
  /// The content begins.
  void end_of_envelope();
  /// One record behind the content ('X' and 'E' excluded).
  void extracted(const queue::Record& record);
  /// Writes what belongs behind the content.
  void finish();

 private:
  bool recipient_record(const queue::Record& record);
  bool recipient_attribute(std::string_view name, std::string_view value);
  void other_record(const queue::Record& record);
  void attribute(const queue::Record& record);
  bool accept_attribute(std::string_view name, std::string_view value);
  void arrival_time(const queue::Record& record);
  void sender(std::string_view address);
  void verp(const queue::Record& record);
  void take_flags(std::string_view data);
  void begin_recipients();
  void begin_extracted_recipients();

  MessageState& state_;
  AddressMapper& mapper_;
  Recipients& recipients_;
  RecipientNotes notes_;  // What the records since the last recipient said about the next one.
  bool in_recipients_ = false, in_extracted_recipients_ = false, warn_time_written_ = false;
  size_t attributes_ = 0;
};

}  // namespace postrider::cleanup
