// Delivery to |command.
#include "mailbox/command.h"

#include <fmt/format.h>

#include "base/text.h"
#include "local/delivery.h"
#include "local/environment.h"
#include "log/log.h"
#include "mailbox/copy.h"
#include "mailbox/failure.h"

namespace postrider::local {

Delivery::Disposition Delivery::deliver_to_command(const Scope& scope, const std::string& command) {
  if (!first_time(fmt::format("command {} {}", scope.rights.uid, command))) return Disposition::finished;
  std::string shown = printable(command);
  if (verify_only()) return report(scope, "2.0.0", "delivers to command: " + shown);

  mailbox::RunRequest request;
  if (!settings_.command_directory.empty()) {
    auto directory = expand_for(settings_.command_directory, scope, job_.request, settings_,
                                settings_.command_directory_filter);
    if (!directory) {
      log::warning("bad parameter value syntax for command_execution_directory: {}",
                   settings_.command_directory);
      return report(scope, mailbox::misconfigured("4.3.5"));
    }
    request.directory = directory->text;
  }
  mailbox::set_command(request, command, settings_.shell);
  for (std::string& entry : environment_for(scope, job_.request, settings_)) {
    request.environment.emplace_back(std::move(entry));
  }
  mailbox::Identity as = identity(scope.rights);
  request.switch_user = !settings_.rootless;
  request.uid = as.uid;
  request.gid = as.gid;
  request.time_limit = settings_.command_time_limit.count();

  mailbox::CopyFormat format = mailbox::CopyFormat::command();
  format.delivered_to = settings_.delivered_header.command;
  mailbox::Message message = message_for(scope);
  message.damaged = nullptr;  // A command may fail or be content before it comes to that.
  auto result = agent_.runner->run(std::move(request), [&](const mailbox::Sink& sink) {
    return mailbox::copy_message(message, format, sink);
  });
  // Without the helper this process can do no more than half of its work: another one takes its place.
  if (!result) log::fatal("command helper: {}", result.error().text);
  if (result->damaged()) damaged_ = true;
  mail::DeliveryStatus status = mailbox::command_status(*result, shown, settings_.service);
  if (status.status.is_success()) status.reason = "delivered to command: " + shown;
  return report_to_owner(scope, status);
}

}  // namespace postrider::local
