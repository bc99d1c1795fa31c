// Filters that one process is connected to and another one talks to: smtpd has them from the beginning of a
// session, cleanup shows them the message.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ipc/connection.h"
#include "milter/chain.h"
#include "proto/cleanup.h"

namespace postrider::milter {

/// What cleanup has to know about the filters of a session. `macros` are those that hold for the message.
proto::CleanupMilters hand_over(Chain& chain, const MacroValues& macros);
/// At the side of the connections: does what the other side asks for.
proto::MilterAnswer relay(Chain& chain, const proto::MilterExchange& exchange);

/// At the other side: the filters, by way of `connection`, which must outlive them. `lost` is set when it is
/// the connection that fails, and not a filter.
Chain take_over(const proto::CleanupMilters& milters, ipc::Connection& connection, const Settings& settings,
                bool& lost);
/// The value of a macro that was handed over.
std::string handed_value(const proto::CleanupMilters& milters, std::string_view name);

}  // namespace postrider::milter
