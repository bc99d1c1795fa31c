// Greeting and EHLO, and what they tell about the server.
#pragma once

#include "delivery/agent.h"
#include "smtp/ledger.h"
#include "smtp/securing.h"
#include "smtp/server_session.h"
#include "smtp/settings.h"
#include "smtp/tables.h"

namespace postrider::smtp_client {

/// Makes a new session ready for mail. False when that came to nothing: then the recipients have been decided
/// about as far as no other server may have them.
class Introduction {
 public:
  Introduction(const Settings& settings, const Tables& tables, const proto::DeliverRequest& request,
               Ledger& ledger, ServerSession& session, TlsEngine& tls)
      : settings_(settings),
        tables_(tables),
        request_(request),
        ledger_(ledger),
        session_(session),
        securing_(tls, settings, ledger, session) {}

  bool run();

 private:
  bool fail(const smtp::SessionFailure& failure);
  bool refuse(const smtp::Reply& reply);
  bool loops();
  bool greet();
  bool say_hello();
  bool secure();
  bool set_pix_workarounds();
  Result<smtp::KeywordSet> discarded_keywords();

  const Settings& settings_;
  const Tables& tables_;
  const proto::DeliverRequest& request_;
  Ledger& ledger_;
  ServerSession& session_;
  Securing securing_;
};

/// False when the message needs SMTPUTF8 and the server does not offer it: then the recipients have failed.
bool offers_smtputf8(ServerSession& session, const proto::DeliverRequest& request, Ledger& ledger);

}  // namespace postrider::smtp_client
