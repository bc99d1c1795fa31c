// One message over one session.
#pragma once

#include <string>

#include "delivery/agent.h"
#include "smtp/agent.h"
#include "smtp/ledger.h"
#include "smtp/outgoing.h"
#include "smtp/server_session.h"
#include "smtp/settings.h"

namespace postrider::smtp_client {

class Transfer {
 public:
  Transfer(Agent& agent, delivery::Job& job, Ledger& ledger, ServerSession& session)
      : agent_(agent), settings_(agent.settings()), job_(job), ledger_(ledger), session_(session) {}

  /// Sends the message and decides about every recipient as far as the server allows. With `keep` the session
  /// is meant for further messages: then it is not ended. A session that is not new is probed first; when it
  /// turns out to be stale, nothing is decided.
  void run(bool keep);

 private:
  bool may_be_sent();
  Result<smtp::Envelope> make_envelope();
  Result<std::string> envelope_address(const std::string& address);
  Result<std::string> rcpt_command(const proto::DeliveryRecipient& recipient);
  void add_xforward(smtp::Envelope& envelope) const;
  bool take_envelope_replies(const smtp::EnvelopeReplies& replies);
  void fail_content(const Error& error);
  bool send_content();
  bool send_added_headers(Outgoing* outgoing);
  bool send_plain(std::string_view text, bool ends_line);
  bool content_failed(const ContentTrouble& trouble);
  void take_content_replies(const smtp::ContentReplies& replies);
  void finish_probe(const smtp::Reply& data_reply);

  void fail_message(const smtp::Reply& reply, std::string_view command);
  void fail_session(const smtp::SessionFailure& failure);
  void fail_data();
  void accept(size_t index, const smtp::Reply& reply);
  mail::DeliveryStatus refusal(const smtp::Reply& reply, std::string_view command);
  bool probes_only() const;
  bool must_downgrade() const;

  Agent& agent_;
  const Settings& settings_;
  delivery::Job& job_;
  Ledger& ledger_;
  ServerSession& session_;
};

}  // namespace postrider::smtp_client
