// Messages go to the cleanup service.
#pragma once

#include "clients/cleanup.h"
#include "smtpd/mail_sink.h"
#include "smtpd/settings.h"

namespace postrider::smtpd {

class CleanupSystem : public MailSystem {
 public:
  CleanupSystem(const config::Config& config, const Settings& settings);
  Result<std::unique_ptr<MailSink>> begin(uint32_t flags, Deadline deadline) override;
  bool has_room(int64_t size) override;

 private:
  const Settings& settings_;
  clients::CleanupClient client_;
};

}  // namespace postrider::smtpd
