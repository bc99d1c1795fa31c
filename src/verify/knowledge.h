// What is known of an address, as an entry of address_verify_map.
//
// An entry is "status:probed:updated:text", as Postfix has it: the status in the numbers of
// proto::AddressStatus, and two times in seconds since 1970: when a probe was sent that has not been answered
// (0: none), and when the status was learned (0: never).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/verify.h"

namespace postrider::verify {

struct Knowledge {
  proto::AddressStatus status = proto::AddressStatus::in_progress;
  int64_t probed = 0, updated = 0;
  std::string text;

  std::string entry() const;
  /// Nothing when the text is no entry.
  static std::optional<Knowledge> parse(std::string_view entry);
  friend bool operator==(const Knowledge&, const Knowledge&) = default;
};

}  // namespace postrider::verify
