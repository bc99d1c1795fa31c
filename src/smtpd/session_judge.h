// Session::permitted(), for the files that implement commands.
#pragma once

#include "smtpd/session.h"

namespace postrider::smtpd {

template <typename Stage>
bool Session::permitted(Stage stage) {
  access::Facts facts = this->facts();
  access::Judge judge(server_.policy, server_.world, *this, facts, memory_, service_deadline());
  std::optional<access::Refusal> refusal = stage(judge);
  return !refusal || refuse(*refusal);
}

}  // namespace postrider::smtpd
