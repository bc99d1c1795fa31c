// One delivery request: from the next hop to the last report.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "delivery/agent.h"
#include "dns/mail_routing.h"
#include "smtp/agent.h"
#include "smtp/authentication.h"
#include "smtp/destination.h"
#include "smtp/ledger.h"
#include "smtp/server_session.h"

namespace postrider::smtp_client {

/// Tries the servers of the next hop one after the other, then those of the fallback relays, until every
/// recipient is taken, refused, or out of servers.
class Delivery {
 public:
  Delivery(Agent& agent, delivery::Job& job);
  proto::DeliverReply run();

 private:
  /// How far the hosts of one destination have been tried.
  struct Progress {
    std::vector<dns::MailHost> hosts;  ///< Not tried yet, in order.
    size_t addresses = 0, sessions = 0;
    unsigned best = 0;  ///< The best preference of all.
  };

  bool suits_service_flags();
  void reject(std::string_view status, std::string reason);
  void try_destinations();
  void try_destination(const smtp::Destination& destination);
  void try_path(const smtp::Destination& destination);
  void try_hosts(const smtp::Destination& destination, Progress& progress);
  bool try_host(const smtp::Destination& destination, const dns::MailHost& host, const TlsPolicy& policy,
                Progress& progress, bool& last);
  dns::Route look_up(const smtp::Destination& destination, bool loop_check);

  // Sessions that wait for a message.
  void read_cache_policy(const smtp::Destination& destination);
  void try_kept_sessions(const smtp::Destination& destination, Progress& progress);
  void forget_host(Progress& progress, const std::string& address) const;
  std::unique_ptr<ServerSession> take_kept(const smtp::Destination& destination, const dns::MailHost& host);
  bool use_kept(std::unique_ptr<ServerSession> session, const Progress& progress);
  bool may_keep(const ServerSession& session) const;
  std::string kept_key(std::string_view address, unsigned port, const TlsPolicy& policy) const;

  // How TLS is used.
  void find_base_policy(std::string_view nexthop, std::string_view name);
  std::optional<mail::DeliveryStatus> disappointment(const TlsPolicy& policy) const;
  std::optional<TlsPolicy> policy_for(const smtp::Destination& destination, const dns::MailHost& host);
  smtp::TlsHost tls_host(const smtp::Destination& destination, const dns::MailHost& host) const;
  bool plain_will_do(ServerSession& session);
  void note_tls_level(const TlsPolicy& policy);
  std::optional<TlsReportOrder> find_report_order(const TlsPolicy& policy) const;

  std::unique_ptr<ServerSession> connect(const sys::Address& address, smtp::Peer peer,
                                         const TlsPolicy& policy, smtp::PeerNames names);
  Authentication authentication(ServerSession& session);
  bool introduce(ServerSession& session);
  void transfer(ServerSession& session);
  void finish(std::unique_ptr<ServerSession> session);
  const std::string& name_of(const dns::MailHost& host) const;
  void excuse_configuration();
  void pass_to_best_mx_transport();
  void fail_rest();

  Agent& agent_;
  const Settings& settings_;
  delivery::Job& job_;
  Ledger ledger_;
  bool first_destination_ = true, last_destination_ = false, at_fallback_ = false;
  bool load_sessions_ = false, store_sessions_ = false;
  std::string nexthop_;    ///< The destination that is being tried, as it was given.
  std::string cache_key_;  ///< Of the destination whose first good session is found by it; or empty.
  dns::Route route_;       ///< Of that destination; its hosts are in Progress.
  TlsPolicies::Found<TlsPolicy> base_policy_{TlsPolicy()};
  std::string report_domain_;  ///< That may want to hear of TLS sessions with its hosts; empty: none.
  std::map<std::string, TlsPolicies::Found<TlsPolicy>> policies_;  ///< By what smtp::TlsHost has.
  std::set<std::string> kept_used_;  ///< Addresses whose kept sessions were tried.
};

}  // namespace postrider::smtp_client
