#include "cleanup/message_state.h"

#include <fmt/format.h>

#include "log/log.h"

namespace postrider::cleanup {

using queue::RecordType;

namespace {
/// Postfix writes queue files in blocks of this size, and finds out then that one is too large.
constexpr uint64_t kBlock = 4096;
}  // namespace

MessageState::MessageState(const Settings& s, queue::MessageWriter w, uint32_t f)
    : settings(s),
      writer(std::move(w)),
      flags(f),
      stop_at_((f & proto::kCleanupBounce) != 0 ? kLeavesIncomplete : ~uint32_t{0}) {
  if (has(proto::kCleanupSmtpUtf8)) send_options |= queue::kSmtputf8Requested;
  if (has(proto::kCleanupRequireTls)) send_options |= queue::kRequireTls;
}

void MessageState::put(RecordType type, std::string_view data) {
  if (!writing()) return;
  writer.append(type, data);
  // What is not a whole block yet may still go, so that small messages cost no more than one complaint.
  if (is_too_large(writer.position() / kBlock * kBlock)) {
    fail_too_large();
  } else if (writer.error()) {
    log::warning("{}: write queue file: {}", id(), writer.error()->text);
    fail(proto::kProblemWrite | (queue::is_disk_full(*writer.error()) ? proto::kProblemDiskFull : 0U));
  }
}

uint64_t MessageState::put_place() {
  return filtered && writing() ? writer.append_pointer(0) : 0;
}

bool MessageState::is_too_large(uint64_t size) const {
  return settings.message_size_limit > 0 && size > static_cast<uint64_t>(settings.message_size_limit);
}

void MessageState::fail_too_large() {
  log::warning("{}: queue file size limit exceeded", id());
  fail(proto::kProblemSize);
}

void MessageState::put_attribute(std::string_view name, std::string_view value) {
  std::string text;
  text.reserve(name.size() + 1 + value.size());
  text.append(name).append(1, '=').append(value);
  put(RecordType::attribute, text);
}

void MessageState::fail(uint32_t problem, std::string_view why) {
  problems |= problem;
  if (!why.empty()) reason = why;
}

void MessageState::reject(uint32_t problem, std::string_view text) {
  log::warning("{}: message rejected: {}", id(), text);
  fail(problem);
}

std::string MessageState::addresses_for_log() const {
  std::string out;
  if (sender) out += fmt::format(" from=<{}>", mail::log_address(*sender, settings.log_form));
  if (recipient) out += fmt::format(" to=<{}>", mail::log_address(*recipient, settings.log_form));
  return out;
}

}  // namespace postrider::cleanup
