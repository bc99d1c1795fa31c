#include "pipe/delivery.h"

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mailbox/command.h"
#include "mailbox/delivered_to.h"
#include "mailbox/failure.h"
#include "pipe/arguments.h"

namespace postrider::pipe {

namespace {

/// Of the command's output in the report of a success.
constexpr size_t kShownOutput = 100;

}  // namespace

/// What speaks against running the command at all.
std::optional<mail::DeliveryStatus> Delivery::refuse() {
  const proto::DeliverRequest& request = job_.request;
  const mailbox::CopyFormat& format = attributes_.format;
  for (char flag : {'D', 'O'}) {
    bool wanted = flag == 'D' ? format.delivered_to : format.original_to;
    if (!wanted || request.recipients.size() == 1) continue;
    log::warning("pipe flag `{}' requires {}_destination_recipient_limit = 1", flag, attributes_.service);
    return mailbox::misconfigured("4.3.5");
  }
  if (attributes_.size_limit > 0 && request.data_size > attributes_.size_limit) {
    return mailbox::failed("5.2.3", "message too large");
  }
  if ((request.flags & proto::kDeliverVerifyOnly) != 0) {
    return mailbox::delivered("delivers to command: " + printable(attributes_.argv.front()));
  }
  if (format.delivered_to) {
    auto loops = mailbox::DeliveredTo::read(*job_.file, request.data_offset);
    const std::string& address = request.recipients.front().address;
    if (!loops) return mailbox::failed("4.3.0", "error reading message: " + loops.error().text);
    if (loops->contains(address))
      return mailbox::failed("5.4.6", "mail forwarding loop for " + printable(address));
  }
  return std::nullopt;
}

std::optional<mail::DeliveryStatus> Delivery::deliver() {
  if (auto refused = refuse()) return *refused;
  auto argv = expand_arguments(attributes_, job_.request);
  if (!argv) {
    log::warning("file {}/master.cf: {}", attributes_.config_directory, argv.error().text);
    return mailbox::misconfigured("4.3.5");
  }
  return run(*argv);
}

std::optional<mail::DeliveryStatus> Delivery::run(const std::vector<std::string>& argv) {
  const proto::DeliverRequest& request = job_.request;
  mailbox::RunRequest command;
  for (const std::string& argument : argv)
    command.argv.emplace_back(argument);
  for (const std::string& entry : attributes_.environment)
    command.environment.emplace_back(entry);
  command.root = attributes_.root;
  command.directory = attributes_.directory;
  command.switch_user = attributes_.switch_user;
  command.uid = attributes_.as.uid;
  command.gid = attributes_.as.gid;
  command.time_limit = attributes_.time_limit.count();

  mailbox::Message message{.file = job_.file.get(),
                           .data_offset = request.data_offset,
                           .sender = sender_for(attributes_, request.sender),
                           .original_recipient = attributes_.original_recipients
                                                     ? std::string(request.recipients.front().original)
                                                     : std::string(),
                           .delivered_to = request.recipients.front().address};
  auto result = runner_.run(std::move(command), [&](const mailbox::Sink& sink) {
    return mailbox::copy_message(message, attributes_.format, sink);
  });
  // Without the helper this process is of no use: another one takes its place.
  if (!result) log::fatal("command helper: {}", result.error().text);
  if (result->damaged()) return std::nullopt;
  mail::DeliveryStatus status = mailbox::command_status(*result, printable(attributes_.argv.front()), "pipe");
  return status.status.is_success() ? delivered(status.reason) : status;
}

mail::DeliveryStatus Delivery::delivered(std::string_view output) const {
  std::string shown(trim_right(output));
  if (!shown.empty()) shown = fmt::format(" ({})", shown.substr(0, kShownOutput));
  mail::DeliveryStatus status =
      mailbox::delivered(fmt::format("delivered via {} service{}", attributes_.service, shown));
  status.action = attributes_.final_delivery ? mail::Action::delivered : mail::Action::relayed;
  return status;
}

}  // namespace postrider::pipe
