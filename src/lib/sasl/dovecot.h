// Authentication by a Dovecot server (smtpd_sasl_type = dovecot).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/stream.h"
#include "io/sync.h"
#include "sasl/dovecot_protocol.h"
#include "sasl/server.h"

namespace postrider::sasl {

/// All sessions of a process share one connection. It is made when it is needed, and anew when it is lost.
class DovecotService : public Service {
 public:
  explicit DovecotService(ServiceSettings settings) : settings_(std::move(settings)) {}
  ~DovecotService() override;

  std::unique_ptr<Server> begin(Peer peer, SecurityOptions options) override;

  class Link;

 private:
  friend class DovecotServer;

  /// The connection, the server's greeting read. Nothing when there is none now, which has been logged.
  std::shared_ptr<Link> link(Deadline deadline);
  Result<std::shared_ptr<Link>> connect(Deadline deadline) const;
  /// What the server offers, or has offered when it was here last.
  Result<std::vector<DovecotMechanism>> offered(Deadline deadline);

  ServiceSettings settings_;
  std::shared_ptr<Link> link_;
  io::Mutex connecting_;
  std::vector<DovecotMechanism> known_;
};

}  // namespace postrider::sasl
