// The serialization protocol of Redis (RESP2), as far as a client of lookups needs it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "table/driver.h"

namespace postrider::table {

/// The largest reply, as it is transferred.
inline constexpr size_t kMaxRedisReply = size_t{1} << 20;

/// A command as the server reads it.
std::string redis_command(const std::vector<std::string>& words);

/// A reply at the beginning of `input`, which loses it. Nothing: more input is needed. A failure: this is not
/// RESP, or too much of it.
driver::Answer<std::optional<driver::RedisReply>> parse_redis_reply(std::string_view& input);

/// The slot of a cluster that a key is in.
uint16_t redis_slot(std::string_view key);

}  // namespace postrider::table
