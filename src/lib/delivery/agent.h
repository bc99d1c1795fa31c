// The skeleton of a delivery agent: it serves the queue manager's requests.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "delivery/report.h"
#include "proto/delivery.h"
#include "queue/files.h"
#include "service/daemon.h"
#include "table/catalog.h"

namespace postrider::delivery {

/// One delivery: what the queue manager wants, and the open queue file.
struct Job {
  proto::DeliverRequest request;
  std::shared_ptr<queue::File> file;

  MessageRef message() const { return MessageRef::of(request, file.get()); }
};

/// The content of the message is damaged: it is marked so that the queue manager puts it aside. The reply has
/// to say "deferred".
void mark_corrupt(const Job& job);

/// Works on one job; returns when every recipient has been reported.
using Deliver = std::function<proto::DeliverReply(Job& job)>;

/// What an agent does with the queue: opens messages to read them and to mark recipients.
/// For Daemon::confine().
inline constexpr const char* kQueueDirectories[] = {"active"};

/// Serves connections of the queue manager until master says otherwise. `deliver` runs in a fiber for each
/// request; as many run at a time as the process has clients in its limits, one for agents that take on a
/// user's identity. A job whose queue file cannot be opened is answered with "deferred".
/// A process whose `tables` have new content that it may not read leaves, so that another one reads it.
[[noreturn]] void serve_deliveries(service::Daemon& daemon, std::string_view name, Deliver deliver,
                                   const table::Catalog* tables = nullptr);

}  // namespace postrider::delivery
