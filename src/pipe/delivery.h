// Delivery of a message to a command.
#pragma once

#include <string>
#include <vector>

#include "delivery/agent.h"
#include "delivery/report.h"
#include "mail/dsn.h"
#include "mailbox/runner.h"
#include "pipe/attributes.h"

namespace postrider::pipe {

class Delivery {
 public:
  Delivery(const Attributes& attributes, mailbox::Runner& runner, delivery::Job& job)
      : attributes_(attributes), runner_(runner), job_(job) {}

  /// The outcome, which all recipients share; nothing when the queue file is damaged.
  std::optional<mail::DeliveryStatus> deliver();

 private:
  std::optional<mail::DeliveryStatus> refuse();
  std::optional<mail::DeliveryStatus> run(const std::vector<std::string>& argv);
  mail::DeliveryStatus delivered(std::string_view output) const;

  const Attributes& attributes_;
  mailbox::Runner& runner_;
  delivery::Job& job_;
};

}  // namespace postrider::pipe
