// postconf -b and -t: the texts of notices.
#pragma once

#include "config/config.h"
#include "tools/postconf/options.h"

namespace postrider::postconf {

/// Whether the options ask for templates rather than parameters.
bool about_templates(const Options& options);

/// Prints the templates of bounce_template_file, or of the file that is the argument, as the bounce service
/// has them
/// (-t), or the texts that they give (-b). Speaks in the name of that service, on standard error and in the
/// log. An error ends the program.
void show_templates(const Options& options, const config::Config& config);

}  // namespace postrider::postconf
