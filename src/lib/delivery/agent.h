// The skeleton of a delivery agent: it serves the queue manager's requests.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "delivery/report.h"
#include "proto/delivery.h"
#include "queue/files.h"
#include "service/daemon.h"

namespace postrider::delivery {

/// One delivery: what the queue manager wants, and the open queue file.
struct Job {
  proto::DeliverRequest request;
  std::shared_ptr<queue::File> file;

  MessageRef message() const { return MessageRef::of(request, file.get()); }
};

/// Works on one job; returns when every recipient has been reported.
using Deliver = std::function<proto::DeliverReply(Job& job)>;

/// What an agent does with the queue: opens messages to read them and to mark recipients.
/// For Daemon::confine().
inline constexpr const char* kQueueDirectories[] = {"active"};

/// Serves connections of the queue manager until master says otherwise. `deliver` runs in a fiber for each
/// request; as many run at a time as the process has clients in its limits, one for agents that take on a
/// user's identity. A job whose queue file cannot be opened is answered with "deferred".
[[noreturn]] void serve_deliveries(service::Daemon& daemon, std::string_view name, Deliver deliver);

}  // namespace postrider::delivery
