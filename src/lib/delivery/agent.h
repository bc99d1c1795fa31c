// The skeleton of a delivery agent: it serves the queue manager's requests.
#pragma once

#include <functional>
#include <string_view>

#include "proto/delivery.h"
#include "service/daemon.h"

namespace postrider::delivery {

/// Works on one request; returns when every recipient has been reported (delivery/report.h).
using Deliver = std::function<proto::DeliverReply(proto::DeliverRequest request)>;

/// Serves connections of the queue manager until master says otherwise. `deliver` runs in a fiber for each request;
/// as many run at a time as the process has clients in its limits, one for agents that take on a user's identity.
[[noreturn]] void serve_deliveries(service::Daemon& daemon, std::string_view name, Deliver deliver);

}  // namespace postrider::delivery
