// The anvil service for one process that asks.
#pragma once

#include <string>
#include <unordered_map>

#include "anvil/ledger.h"
#include "ipc/connection.h"

namespace postrider::anvil {

/// Serves a connection until it ends. The clients that its process has not reported gone are gone then.
Result<void> serve(Ledger& ledger, ipc::Connection& connection, seconds request_limit);

}  // namespace postrider::anvil
