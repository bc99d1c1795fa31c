// The dnsblog service: looks clients up in DNS lists, and logs what they say.
#pragma once

#include <functional>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "dns/resolver.h"
#include "proto/dnsblog.h"

namespace postrider::dnsblog {

/// Asks for the A records of a name.
using Lookup = std::function<dns::Answer(std::string_view name, Deadline deadline)>;

/// Never fails: a list that does not answer does not have the client.
proto::DnsblogReply look_up(const proto::DnsblogQuery& query, const Lookup& lookup, Deadline deadline);

}  // namespace postrider::dnsblog
