// What all sessions of a process share.
#pragma once

#include "access/judge.h"
#include "access/policy.h"
#include "proto/flush.h"
#include "sasl/server.h"
#include "smtpd/before_queue_filter.h"
#include "smtpd/limits.h"
#include "smtpd/lists.h"
#include "smtpd/mail_sink.h"
#include "smtpd/milters.h"
#include "smtpd/reply_rules.h"
#include "smtpd/settings.h"
#include "smtpd/transcript.h"
#include "tls/server.h"

namespace postrider::smtpd {

/// Delivers what waits for a destination (ETRN).
class Flusher {
 public:
  virtual ~Flusher() = default;
  virtual proto::FlushResult flush(std::string_view site) = 0;
};

struct Server {
  const Settings& settings;
  const EventLimits& limits;
  const Lists& lists;
  const access::Policy& policy;
  const ReplyRules& reply_rules;
  access::World& world;
  MailSystem& mail;
  EventCounter& counter;
  Postmaster& postmaster;
  Flusher& flusher;
  sasl::Service* sasl = nullptr;  ///< Null: nobody can log in.
  tls::Server* tls = nullptr;     ///< Null: it is not wanted, or cannot be had.
  tls::ServerSupport* tls_support = nullptr;
  const FilterSettings* filter = nullptr;  ///< Null: messages go into the queue.
  const Milters* milters = nullptr;        ///< Null: mail filters are not wanted.
};

}  // namespace postrider::smtpd
