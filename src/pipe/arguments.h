// The command's arguments for one delivery.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "pipe/attributes.h"
#include "proto/delivery.h"

namespace postrider::pipe {

/// What ${sender} stands for, and the sender in message headers: the null sender is replaced.
std::string sender_for(const Attributes& attributes, const std::string& sender);

/// Arguments with ${recipient} and the like come once for each recipient. The error text, about a name that
/// there is not, is for the log.
Result<std::vector<std::string>> expand_arguments(const Attributes& attributes,
                                                  const proto::DeliverRequest& request);

}  // namespace postrider::pipe
