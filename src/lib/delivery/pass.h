// Handing a delivery to another transport.
#pragma once

#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "config/config.h"
#include "proto/delivery.h"

namespace postrider::delivery {

/// Asks the delivery agent of `transport` to do what the request says, and waits as long as that takes. The
/// agent reports the recipients and marks them in the queue file. An error means that it could not be asked,
/// or died: nothing is known of the recipients then, and they have to be tried again.
Result<proto::DeliverReply> pass_on(const config::Config& config, std::string_view transport,
                                    const proto::DeliverRequest& request, std::string_view asker,
                                    Deadline deadline);

}  // namespace postrider::delivery
