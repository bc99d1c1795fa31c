// One message over one session.
#pragma once

#include <string>

#include "delivery/agent.h"
#include "queue/record.h"
#include "smtp/ledger.h"
#include "smtp/server_session.h"
#include "smtp/settings.h"

namespace postrider::smtp_client {

class Transfer {
 public:
  Transfer(const Settings& settings, delivery::Job& job, Ledger& ledger, ServerSession& session)
      : settings_(settings), job_(job), ledger_(ledger), session_(session) {}

  /// Sends the message and decides about every recipient as far as the server allows. With `keep` the session
  /// is meant for further messages: then it is not ended.
  void run(bool keep);

 private:
  bool may_be_sent();
  smtp::Envelope make_envelope() const;
  bool take_envelope_replies(const smtp::EnvelopeReplies& replies);
  bool send_content();
  void take_content_replies(const smtp::ContentReplies& replies);
  void fail_message(const smtp::Reply& reply, std::string_view command);
  void fail_session(const smtp::SessionFailure& failure);
  void accept(size_t index, const smtp::Reply& reply);
  mail::DeliveryStatus refusal(const smtp::Reply& reply, std::string_view command) const;
  bool probes_only() const;
  bool must_downgrade() const;

  const Settings& settings_;
  delivery::Job& job_;
  Ledger& ledger_;
  ServerSession& session_;
};

}  // namespace postrider::smtp_client
