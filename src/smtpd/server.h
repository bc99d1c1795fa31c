// What all sessions of a process share.
#pragma once

#include "access/judge.h"
#include "access/policy.h"
#include "smtpd/mail_sink.h"
#include "smtpd/settings.h"

namespace postrider::smtpd {

struct Server {
  const Settings& settings;
  const access::Policy& policy;
  access::World& world;
  MailSystem& mail;
};

}  // namespace postrider::smtpd
