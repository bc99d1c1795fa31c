#include "rewrite/transport_map.h"

#include "mail/host_port.h"

namespace postrider::rewrite {

Result<std::optional<table::AddressMatch>> find_transport(const table::Maps& maps, std::string_view address,
                                                          const table::AddressContext& context,
                                                          bool plain_parents, Deadline deadline) {
  using Parents = table::AddressSearch::Parents;
  const table::AddressSearch search{.localpart_if_local = false,
                                    .at_domain = false,
                                    .domain = true,
                                    .parents = plain_parents ? Parents::plain : Parents::with_dot};
  auto match = TRY(table::find_address(maps, address, search, context, deadline));
  if (match) return match;
  auto any = TRY(maps.find("*", table::Where::fixed_keys, deadline));
  if (!any) return std::nullopt;
  return table::AddressMatch{
      .value = std::move(any->value), .origin = std::move(any->origin), .extension = {}};
}

void apply_transport_entry(std::string_view entry, std::string_view domain, Route& route) {
  const mail::TransportNexthop parts = mail::split_transport(entry);
  if (!parts.transport.empty()) {
    route.transport = parts.transport;
    // The nexthop of these is the text of the reply.
    const bool text = parts.transport == "error" || parts.transport == "retry";
    route.nexthop = text ? "Address is undeliverable" : domain;
  }
  if (!parts.nexthop.empty()) route.nexthop = parts.nexthop;
}

}  // namespace postrider::rewrite
