// What a delivery tells to patterns ($user, $home, ...) and to commands.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "local/scope.h"
#include "local/settings.h"
#include "proto/delivery.h"

namespace postrider::local {

struct Expanded {
  std::string text;
  bool undefined = false;       ///< A name without value was used.
  bool used_extension = false;  ///< The address extension has gone into the text.
};

/// Expands $name in forward_path, command_execution_directory or luser_relay. Characters of values that are
/// not in `allowed` become "_".
Result<Expanded> expand_for(const std::string& pattern, const Scope& scope,
                            const proto::DeliverRequest& request, const Settings& settings,
                            std::optional<std::string_view> allowed);

/// NAME=value for a command.
std::vector<std::string> environment_for(const Scope& scope, const proto::DeliverRequest& request,
                                         const Settings& settings);

}  // namespace postrider::local
