#include "cleanup/message_state.h"

#include "log/log.h"

namespace postrider::cleanup {

void MessageState::fail(uint32_t problem, std::string_view why) {
  problems |= problem;
  if (reason.empty()) reason = why;
}

void MessageState::fail(const MappingError& error) {
  log::warning("{}: {}", id(), error.log_text);
  fail(proto::kProblemDefer, error.reason);
}

Deadline service_deadline(const MessageState& state) { return Deadline::after(state.settings.ipc_timeout); }

}  // namespace postrider::cleanup
