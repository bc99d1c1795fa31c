// The tables of smtpd_dns_reply_filter and its like.
#pragma once

#include <memory>

#include "dns/resolver.h"
#include "table/maps.h"

namespace postrider::clients {

/// Records in the form of dns::Record::text() are looked up in `maps`, which are to be opened for keys that
/// are text, not names. Null when there are none.
std::shared_ptr<dns::ReplyFilter> dns_filter(table::Maps maps);

}  // namespace postrider::clients
