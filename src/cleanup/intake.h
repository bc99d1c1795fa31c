// The records of a message, brought to the stages that handle them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cleanup/address_mapper.h"
#include "cleanup/content.h"
#include "cleanup/envelope.h"
#include "cleanup/message_state.h"
#include "cleanup/milters.h"
#include "cleanup/recipients.h"
#include "cleanup/record_stream.h"

namespace postrider::cleanup {

class Intake {
 public:
  Intake(MessageState& state, AddressMapper& mapper, delivery::Reporter& reporter, Milters& milters)
      : state_(state),
        mapper_(mapper),
        milters_(milters),
        recipients_(state, mapper, reporter),
        envelope_(state, mapper, recipients_),
        content_(state, mapper) {}

  /// Bytes of records; a record may be split between calls. The error is that they are none.
  Result<void> data(std::string_view bytes);
  /// Nothing more comes.
  void end();

 private:
  enum class Place : unsigned char { envelope, content, extracted, done };

  void prefetch_addresses();
  void accept(const queue::Record& record);
  void begin_content();
  void content(const queue::Record& record);
  void finish();

  MessageState& state_;
  AddressMapper& mapper_;
  Milters& milters_;
  Recipients recipients_;
  Envelope envelope_;
  Content content_;
  RecordStream stream_;
  Place place_ = Place::envelope;
  uint64_t content_offset_ = 0, content_size_ = 0;
  bool in_line_ = false;  // The record before was a piece of a line.
};

}  // namespace postrider::cleanup
