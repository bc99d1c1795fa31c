// Lookups in transport(5) tables.
#pragma once

#include <string>
#include <string_view>

#include "table/address_find.h"

namespace postrider::rewrite {

/// A transport and its nexthop, as they are being decided.
struct Route {
  std::string transport, nexthop;
};

/// Asks for user+extension@domain, user@domain, domain, its parents and "*".
Result<std::optional<table::AddressMatch>> find_transport(const table::Maps& maps, std::string_view address,
                                                          const table::AddressContext& context,
                                                          bool plain_parents, Deadline deadline);

/// Applies the right-hand side "transport:nexthop". An empty transport leaves the one that is set, and an
/// empty nexthop with it the nexthop; with a transport, an empty nexthop is `domain`.
void apply_transport_entry(std::string_view entry, std::string_view domain, Route& route);

}  // namespace postrider::rewrite
