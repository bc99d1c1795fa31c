// Mail that goes to other addresses comes back into the queue as a new message.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "clients/cleanup.h"
#include "delivery/agent.h"
#include "local/scope.h"
#include "local/settings.h"

namespace postrider::local {

/// The new messages of one recipient: one for each sender and Delivered-To: address. They are complete when
/// all other deliveries for the recipient have gone well; dropped before, nothing is left of them.
class Resubmission {
 public:
  Resubmission(const Settings& settings, clients::CleanupClient& cleanup, const delivery::Job& job)
      : settings_(settings), cleanup_(cleanup), job_(job) {}

  /// Adds the recipient of the scope.
  Result<void> add(const Scope& scope);
  /// Sends the content and completes the first message that is not complete yet; its queue id, or nothing
  /// when all are.
  Result<std::optional<std::string>> finish_one();
  /// Whether that failed because the queue file is damaged; it is logged then.
  bool damaged() const { return damaged_; }

 private:
  using Key = std::pair<std::string, std::string>;  // Delivered-To: address, sender.

  Result<clients::Submission*> message_for(const Scope& scope);
  Result<void> begin_envelope(clients::Submission& message, const Scope& scope);
  Result<void> send_content(clients::Submission& message, const std::string& delivered);
  Deadline deadline() const { return Deadline::after(settings_.ipc_timeout); }

  const Settings& settings_;
  clients::CleanupClient& cleanup_;
  const delivery::Job& job_;
  std::map<Key, clients::Submission> messages_;
  bool damaged_ = false;
};

}  // namespace postrider::local
