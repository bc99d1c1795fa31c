// "postfix set-permissions" and "postfix upgrade-configuration".
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"

namespace postrider::postfix {

// `arguments` are name=value settings of where things are and whom they belong to; they are stored in main.cf
// first. The result is an exit status; what goes wrong is logged.

/// Gives the directories of the queue, the configuration and the programs the owners and modes that they
/// need.
int set_permissions(const config::Config& config, const std::vector<std::string>& arguments);

/// Adds the services to master.cf that the mail system needs and that are missing there.
int upgrade_configuration(const config::Config& config, const std::vector<std::string>& arguments);

/// Where things are and whom they belong to, by name, for the environment of a manager of instances
/// (postfix(1)).
std::vector<std::pair<std::string, std::string>> installation_settings(const config::Config& config);

}  // namespace postrider::postfix
