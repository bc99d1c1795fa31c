// Returning to its sender what cannot be accepted, for clients that cannot do so themselves.
#pragma once

#include "cleanup/message_state.h"
#include "delivery/report.h"

namespace postrider::cleanup {

/// Bounces all recipients that the queue file has so far. Success: the message is dealt with, and its
/// problems are forgotten. Otherwise the state says that it has to be tried again.
void bounce(MessageState& state, delivery::Reporter& reporter);

}  // namespace postrider::cleanup
