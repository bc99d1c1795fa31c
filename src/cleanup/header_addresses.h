// Addresses in headers: standard form, canonical mapping, masquerading.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cleanup/address_mapper.h"
#include "cleanup/message_state.h"
#include "mail/header.h"

namespace postrider::cleanup {

class HeaderAddresses {
 public:
  HeaderAddresses(MessageState& state, AddressMapper& mapper) : state_(state), mapper_(mapper) {}

  /// A header with its addresses rewritten, folded anew; nothing when none of them changes.
  std::optional<std::string> rewrite(const mail::HeaderInfo& known, std::string_view header);

 private:
  bool map(std::string& external, Role role);

  MessageState& state_;
  AddressMapper& mapper_;
};

}  // namespace postrider::cleanup
