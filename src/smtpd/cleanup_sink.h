// Messages go to the cleanup service.
#pragma once

#include "clients/cleanup.h"
#include "smtpd/mail_sink.h"

namespace postrider::smtpd {

class CleanupSystem : public MailSystem {
 public:
  explicit CleanupSystem(clients::CleanupClient& client) : client_(client) {}
  Result<std::unique_ptr<MailSink>> begin(uint32_t flags, Deadline deadline) override;

 private:
  clients::CleanupClient& client_;
};

}  // namespace postrider::smtpd
