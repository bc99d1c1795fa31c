// Transcripts of sessions go to the postmaster by mail.
#pragma once

#include <string>

#include "clients/internal_mail.h"
#include "config/config.h"
#include "smtpd/transcript.h"

namespace postrider::smtpd {

class PostmasterMail : public Postmaster {
 public:
  explicit PostmasterMail(const config::Config& config);
  void report(std::string_view client, const Transcript& transcript, ErrorClasses errors,
              std::string_view reason) override;

 private:
  Result<void> send(std::string_view client, const Transcript& transcript, ErrorClasses errors,
                    std::string_view reason);

  clients::InternalMailer mailer_;
  std::string mail_name_, sender_, recipient_, bounce_recipient_;
  seconds timeout_;
};

}  // namespace postrider::smtpd
