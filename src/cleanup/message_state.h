// What one message has become so far; the stages of cleanup share it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "cleanup/address_mapper.h"
#include "cleanup/settings.h"
#include "proto/cleanup.h"
#include "queue/message_writer.h"

namespace postrider::cleanup {

struct MessageState {
  MessageState(const Settings& s, AddressMapper& m, queue::MessageWriter w, uint32_t f)
      : settings(s), mapper(m), writer(std::move(w)), flags(f) {}

  const Settings& settings;
  AddressMapper& mapper;
  queue::MessageWriter writer;
  uint32_t flags;  ///< proto::CleanupFlag

  uint32_t problems = 0;  ///< proto::CleanupProblem; anything set: the message is not accepted.
  std::string reason;

  std::optional<std::string> sender;  ///< After rewriting; not set: no sender record yet.
  std::string full_name;
  std::string filter, redirect;       ///< Written behind the content.
  int64_t arrival_seconds = 0;
  /// In which context header addresses are rewritten; empty: they are not.
  std::string header_context = "local";
  size_t recipients = 0;   ///< Records written.
  unsigned notify_bits = 0;  ///< Of all recipients together.
  int64_t send_options = 0;
  std::string origin;  ///< "host[address]" for log lines about the content.

  const std::string& id() const { return writer.id(); }
  bool failed() const { return problems != 0; }
  bool uses_maps() const { return (flags & proto::kCleanupMap) != 0; }

  /// Notes that the message cannot be accepted; the first reason stays.
  void fail(uint32_t problem, std::string_view why = {});
  /// Notes and logs a mapping that failed.
  void fail(const MappingError& error);
};

/// Deadline for one question to another service.
Deadline service_deadline(const MessageState& state);

}  // namespace postrider::cleanup
