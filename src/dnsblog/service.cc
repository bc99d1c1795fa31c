#include "dnsblog/service.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "dns/list.h"
#include "log/log.h"
#include "sys/socket.h"

namespace postrider::dnsblog {

namespace {

/// The octets as one number; nothing for a record that is no IPv4 address.
std::optional<uint32_t> ipv4_number(const dns::Record& record) {
  if (record.type != dns::Type::a || record.data.size() != 4) return std::nullopt;
  uint32_t out = 0;
  for (char c : record.data)
    out = out << 8U | static_cast<unsigned char>(c);
  return out;
}

void add_listings(const dns::Answer& answer, const proto::DnsblogQuery& query, proto::DnsblogReply& reply) {
  for (const dns::Record& record : answer.records) {
    auto number = ipv4_number(record);
    if (!number || reply.listed.size() >= proto::kMaxListReplies) continue;
    log::info("addr {} listed by domain {} as {}", query.address, query.domain, record.address()->ip());
    reply.listed.push_back(*number);
    int64_t ttl = record.ttl;
    reply.ttl = reply.ttl < 0 ? ttl : std::min(reply.ttl, ttl);
  }
}

}  // namespace

proto::DnsblogReply look_up(const proto::DnsblogQuery& query, const Lookup& lookup, Deadline deadline) {
  proto::DnsblogReply reply;
  auto address = sys::Address::from_ip(query.address);
  if (!address) {
    log::warning("request about \"{}\", which is no address", printable(query.address));
    return reply;
  }
  std::string name = fmt::format("{}.{}", dns::reversed(*address), query.domain);
  dns::Answer answer = lookup(name, deadline);
  if (answer.found()) {
    add_listings(answer, query, reply);
  } else if (answer.status == dns::Status::not_found) {
    if (answer.negative_ttl) reply.ttl = *answer.negative_ttl;
  } else {
    log::warning("dnsblog_query: lookup error for DNS query {}: {}", name, answer.text);
  }
  return reply;
}

}  // namespace postrider::dnsblog
