#include "smtp/delivery.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "delivery/pass.h"
#include "log/log.h"
#include "mailbox/delivered_to.h"
#include "smtp/authentication.h"
#include "smtp/connector.h"
#include "smtp/introduction.h"
#include "smtp/transfer.h"

namespace postrider::smtp_client {

namespace {

constexpr uint16_t kSmtpPort = 25, kSmtpsPort = 465;
/// For all name server queries of one destination; single queries have the resolver's own limits.
constexpr seconds kLookupTime{600};

std::string address_key(std::string_view address, unsigned port) {
  return fmt::format("{} {}", address, port);
}

}  // namespace

Delivery::Delivery(Agent& agent, delivery::Job& job)
    : agent_(agent),
      settings_(agent.settings()),
      job_(job),
      ledger_(agent.reporter(), job, agent.settings().soft_bounce) {
  if (!settings_.tls.log_status) ledger_.hide_tls();
}

proto::DeliverReply Delivery::run() {
  if (!suits_service_flags()) return ledger_.take_reply();
  try_destinations();
  if (!ledger_.empty()) excuse_configuration();
  if (!ledger_.empty()) fail_rest();
  return ledger_.take_reply();
}

void Delivery::reject(std::string_view status, std::string reason) {
  ledger_.set_last_server(true);
  ledger_.use_relay(settings_.service_name, 0);
  ledger_.fail_all(local_failure(status, std::move(reason)), Blame::message);
  ledger_.settle();
}

/// Headers that name the recipient make sense for one recipient only, and show mail that comes back.
bool Delivery::suits_service_flags() {
  const ServiceFlags& flags = settings_.flags;
  for (auto [wanted, letter] : {std::pair(flags.delivered_to, 'D'), std::pair(flags.original_to, 'O')}) {
    if (!wanted || job_.request.recipients.size() <= 1) continue;
    log::warning("flag `{}' requires {}_destination_recipient_limit = 1", letter, settings_.service_name);
    reject("4.3.5", "mail system configuration error");
    return false;
  }
  if (!flags.delivered_to || job_.request.recipients.empty()) return true;
  const std::string& address = job_.request.recipients.front().address;
  auto visited = mailbox::DeliveredTo::read(*job_.file, job_.request.data_offset);
  if (visited && !visited->contains(address)) return true;
  if (visited) {
    reject("5.4.6", fmt::format("mail forwarding loop for {}", address));
  } else {
    log::warning("{}: {}", job_.request.queue_id, visited.error().text);
    reject("4.3.0", "local data error");
  }
  return false;
}

void Delivery::try_destinations() {
  std::vector<std::string_view> sites = smtp::split_destinations(job_.request.nexthop);
  size_t own_sites = sites.size();
  sites.insert(sites.end(), settings_.fallback_relays.begin(), settings_.fallback_relays.end());
  for (size_t i = 0; i < sites.size() && !ledger_.empty(); ++i) {
    first_destination_ = i == 0;
    at_fallback_ = i >= own_sites;
    last_destination_ = i + 1 == sites.size();
    ledger_.set_last_server(false);
    auto destination = settings_.lmtp()
                           ? smtp::parse_lmtp_destination(sites[i], settings_.default_port, settings_.ports)
                           : smtp::parse_smtp_destination(sites[i], settings_.default_port, settings_.ports);
    if (!destination) {
      log::warning("{}: {}", job_.request.queue_id, destination.error().text);
      return ledger_.remember(local_failure("4.3.5", "mail system configuration error"));
    }
    nexthop_ = destination->text;
    if (destination->kind == smtp::Destination::Kind::path) {
      try_path(*destination);
    } else {
      try_destination(*destination);
    }
    if (last_destination_) break;
  }
}

void Delivery::try_path(const smtp::Destination& destination) {
  ledger_.set_last_server(last_destination_);
  auto address = sys::Address::from_path(destination.name);
  if (!address) {
    ledger_.remember(local_failure("4.3.5", "mail system configuration error"));
    return log::warning("{}: {}", job_.request.queue_id, address.error().text);
  }
  route_ = {};
  find_base_policy(destination.text, settings_.myhostname);
  read_cache_policy(destination);
  cache_key_.clear();
  report_domain_.clear();
  auto policy = policy_for(destination, {.name = settings_.myhostname});
  if (!policy) return;
  if (policy->level == tls::Level::may) {
    log::warning(
        "smtp_connect_local: opportunistic TLS encryption is not appropriate for unix-domain destinations.");
    policy->level = tls::Level::none;
  }
  if (load_sessions_) {
    auto kept = agent_.cache().take_by_address(kept_key(destination.name, 0, *policy));
    if (kept && use_kept(std::move(kept), {})) return;
  }
  auto session = connect(*address, {.host = settings_.myhostname, .address = destination.name, .port = 0},
                         *policy, {settings_.myhostname, settings_.myhostname});
  if (!session) return;
  if (introduce(*session)) transfer(*session);
  finish(std::move(session));
}

dns::Route Delivery::look_up(const smtp::Destination& destination, bool loop_check) {
  Deadline deadline = Deadline::after(kLookupTime);
  dns::MailRouter& router = agent_.router(loop_check);
  if (!destination.bracketed && !settings_.srv_services.empty() &&
      std::ranges::find(settings_.srv_services, lowercase(destination.service)) !=
          settings_.srv_services.end()) {
    return router.by_service(destination.name, destination.service, deadline);
  }
  bool by_domain = destination.kind == smtp::Destination::Kind::domain && settings_.look_up_mx;
  return by_domain ? router.by_domain(destination.name, deadline)
                   : router.by_host(destination.name, deadline);
}

void Delivery::try_destination(const smtp::Destination& destination) {
  if (destination.port == kSmtpsPort && !settings_.tls.wrapper && settings_.session.helpful_warnings) {
    log::info(
        "SMTPS wrappermode (TCP port 465) requires setting \"{} = yes\", and \"{} = encrypt\" (or stronger)",
        settings_.parameter("tls_wrappermode"), settings_.parameter("tls_security_level"));
  }
  bool loop_check = !settings_.lmtp() && destination.port == kSmtpPort;
  route_ = look_up(destination, loop_check);
  // When this system is among the mail exchangers, only better ones may have the mail. A loop stays one.
  if (route_.found_self || route_.loops()) last_destination_ = true;
  if (route_.hosts.empty()) return ledger_.remember(local_failure(route_.status, route_.reason));
  Progress progress{.hosts = std::move(route_.hosts)};
  progress.best = progress.hosts.front().preference;
  find_base_policy(destination.text, destination.name);
  if (first_destination_) read_cache_policy(destination);
  if (load_sessions_) try_kept_sessions(destination, progress);
  try_hosts(destination, progress);
}

const std::string& Delivery::name_of(const dns::MailHost& host) const {
  return settings_.cname_is_host_name ? host.canonical : host.name;
}

void Delivery::try_hosts(const smtp::Destination& destination, Progress& progress) {
  bool without_tls = false;  // The host is tried a second time.
  for (size_t i = 0; i < progress.hosts.size() && !ledger_.empty();) {
    const dns::MailHost& host = progress.hosts[i];
    bool last = i + 1 == progress.hosts.size() || progress.addresses + 1 == settings_.mx_address_limit;
    bool again = false;
    auto policy = policy_for(destination, host);
    if (policy && without_tls) policy->level = tls::Level::none;
    if (policy) again = try_host(destination, host, *policy, progress, last);
    without_tls = again;
    if (again) continue;
    if (last) break;
    ++progress.addresses;
    ++i;
  }
}

/// True when the host is to be tried again, without TLS.
bool Delivery::try_host(const smtp::Destination& destination, const dns::MailHost& host,
                        const TlsPolicy& policy, Progress& progress, bool& last) {
  sys::Address address = host.address;
  address.set_port(host.port.value_or(destination.port));
  auto session = connect(address, {.host = name_of(host), .address = address.ip(), .port = address.port()},
                         policy, {name_of(host), destination.name});
  if (!session) {
    log::info("{}", ledger_.why()->reason);
    return false;
  }
  session->best_mx = host.preference == progress.best;
  ledger_.set_last_server(last_destination_ && last);
  if (introduce(*session)) {
    // Only sessions that got this far count.
    bool enough = progress.sessions + 1 == settings_.mx_session_limit;
    ledger_.set_last_server(last_destination_ && (last || enough));
    transfer(*session);
    if (!session->again_without_tls) {
      ++progress.sessions;
      last = last || enough;
    }
  }
  bool again = session->again_without_tls;
  finish(std::move(session));
  return again;
}

void Delivery::read_cache_policy(const smtp::Destination& destination) {
  auto listed = agent_.tables().cache_destinations.match(destination.name, Deadline::after(kLookupTime));
  if (listed && listed->matched) {
    load_sessions_ = store_sessions_ = true;
  } else {
    load_sessions_ = settings_.cache.on_demand && (job_.request.flags & proto::kDeliverConnectionLoad) != 0;
    store_sessions_ = settings_.cache.on_demand && (job_.request.flags & proto::kDeliverConnectionStore) != 0;
  }
  // A session in which one sender has logged in is not for others.
  if (settings_.sasl.by_sender) load_sessions_ = store_sessions_ = false;
  // Where hosts have policies of their own, sessions are found by host alone.
  cache_key_.clear();
  if (!base_policy_ || base_policy_->by_host) return;
  cache_key_ =
      fmt::format("{} {}", address_key(destination.text, destination.port), base_policy_->identity());
}

/// A host whose kept session was used is done with; with enough sessions, so are all.
void Delivery::forget_host(Progress& progress, const std::string& address) const {
  if (progress.sessions == settings_.mx_session_limit || progress.sessions == settings_.mx_address_limit) {
    progress.hosts.clear();
  } else {
    auto same = [&](const dns::MailHost& host) { return host.address.ip() == address; };
    auto found = std::ranges::find_if(progress.hosts, same);
    if (found != progress.hosts.end()) progress.hosts.erase(found);
  }
}

std::unique_ptr<ServerSession> Delivery::take_kept(const smtp::Destination& destination,
                                                   const dns::MailHost& host) {
  auto policy = policy_for(destination, host);
  if (!policy) return nullptr;
  unsigned port = host.port.value_or(destination.port);
  auto session = agent_.cache().take_by_address(kept_key(host.address.ip(), port, *policy));
  if (session) session->client.set_host(name_of(host));
  return session;
}

/// First the session that served this destination before: so hosts that did not answer then are not waited
/// for again. Then those to the best hosts.
void Delivery::try_kept_sessions(const smtp::Destination& destination, Progress& progress) {
  std::erase_if(progress.hosts,
                [&](const dns::MailHost& host) { return kept_used_.contains(host.address.ip()); });
  auto use = [&](std::unique_ptr<ServerSession> session) {
    session->best_mx = true;
    std::string address = session->client.peer().address;
    ++progress.sessions;
    Progress after = progress;
    forget_host(after, address);
    if (use_kept(std::move(session), after)) {
      progress = std::move(after);
      progress.addresses = progress.sessions;
    } else {
      --progress.sessions;
    }
  };
  if (first_destination_ && !cache_key_.empty()) {
    if (auto session = agent_.cache().take_by_destination(cache_key_)) use(std::move(session));
  }
  for (size_t i = 0; i < progress.hosts.size() && !ledger_.empty();) {
    if (progress.hosts[i].preference != progress.best) break;
    size_t before = progress.hosts.size();
    if (auto session = take_kept(destination, progress.hosts[i])) use(std::move(session));
    if (progress.hosts.size() == before) ++i;
  }
}

/// False when the session turned out to be of no use; nothing has happened then.
bool Delivery::use_kept(std::unique_ptr<ServerSession> session, const Progress& progress) {
  kept_used_.insert(session->client.peer().address);
  ledger_.set_last_server(last_destination_ && progress.hosts.empty());
  ledger_.use_relay(session->relay(), ++session->uses);
  note_tls_level(session->policy);
  if (session->tls != nullptr) {
    agent_.tls().client->log_reuse(*session->tls);
    ledger_.mark_tls(TlsMark::satisfied);
  } else if (session->policy.configured > tls::Level::none) {
    ledger_.mark_tls(TlsMark::plain);
  }
  ledger_.mark_require(require_mark(*session));
  session->plain_will_do = false;
  transfer(*session);
  if (session->stale) {
    ledger_.no_relay();
    return false;
  }
  finish(std::move(session));
  return true;
}

/// The same server may be another one to somebody who logs in: passwords go by next hop, too. And a session
/// that was made by one TLS policy is not for mail with another.
std::string Delivery::kept_key(std::string_view address, unsigned port, const TlsPolicy& policy) const {
  std::string out = fmt::format("{} {}", address_key(address, port), policy.identity());
  return settings_.sasl.enabled ? fmt::format("{} {}", out, nexthop_) : out;
}

bool Delivery::may_keep(const ServerSession& session) const {
  const CacheRules& rules = settings_.cache;
  return store_sessions_ && (session.tls == nullptr || session.policy.connection_reuse) &&
         Clock::now() < session.started + rules.reuse_time &&
         (rules.reuse_count <= 0 || session.uses <= rules.reuse_count);
}

std::unique_ptr<ServerSession> Delivery::connect(const sys::Address& address, smtp::Peer peer,
                                                 const TlsPolicy& policy, smtp::PeerNames names) {
  auto stream = open_connection(settings_, address, peer);
  if (!stream) {
    ledger_.remember(std::move(stream).error());
    return nullptr;
  }
  smtp::ClientSettings settings = settings_.session;
  settings.detect_loops = !settings_.lmtp() && peer.port == kSmtpPort;
  auto watched = agent_.tables().debug_peers.match(peer.host, peer.address, Deadline::after(kLookupTime));
  settings.log_dialogue = watched && watched->matched;
  auto session = std::make_unique<ServerSession>(std::move(*stream), std::move(peer), std::move(settings));
  session->client.set_queue_id(job_.request.queue_id);
  session->uses = 1;
  session->policy = policy;
  session->tls_names = std::move(names);
  session->plain_will_do = plain_will_do(*session);
  session->report_order = find_report_order(policy);
  ledger_.use_relay(session->relay(), session->uses);
  note_tls_level(policy);
  return session;
}

Authentication Delivery::authentication(ServerSession& session) {
  return {
      *agent_.sasl(), agent_.refused_logins(), settings_, agent_.tables(), job_.request, nexthop_, ledger_,
      session};
}

bool Delivery::introduce(ServerSession& session) {
  Introduction introduction(settings_, agent_.tables(), job_.request, ledger_, session, agent_.tls());
  return introduction.run() && (!agent_.sasl() || authentication(session).run());
}

void Delivery::transfer(ServerSession& session) {
  Transfer(agent_, job_, ledger_, session).run(may_keep(session));
}

void Delivery::finish(std::unique_ptr<ServerSession> session) {
  bool good = !session->spent && !session->client.failure() && !session->client.protocol_error();
  Deadline tls_limit = Deadline::after(settings_.tls.timeout);
  if (session->tls != nullptr) agent_.tls().client->keep(*session->tls, agent_.tls().sessions, tls_limit);
  auto tell_postmaster = [&] {
    session->trouble.protocol |= session->client.saw_garbage();
    agent_.notices().consider(*session, job_.request.sender);
    session->trouble = {};
  };
  if (good && may_keep(*session)) {
    tell_postmaster();
    const smtp::Peer& peer = session->client.peer();
    std::string key = kept_key(peer.address, peer.port, session->policy);
    agent_.cache().store(std::move(session), std::exchange(cache_key_, {}), std::move(key));
  } else {
    if (session->say_goodbye && !session->client.failure()) {
      (void)session->client.quit(!settings_.skip_quit_response);
    }
    if (!session->client.failure())
      session->client.stream().end_transport(tls_limit, !settings_.tls.fast_shutdown);
    tell_postmaster();
    if (good) cache_key_.clear();
  }
  ledger_.settle();
}

/// What looks like a mistake in the configuration is no reason to return mail.
void Delivery::excuse_configuration() {
  auto& why = ledger_.why();
  if (!why) {
    // All hosts were left out, because they had been tried before.
    return ledger_.remember(local_failure("4.3.0", "server unavailable or unable to receive mail"));
  }
  if (why->status.is_temporary()) return;
  if (at_fallback_) {
    log::warning("{} configuration problem", settings_.parameter("fallback_relay"));
    why->status = "4.3.5";
  } else if (!settings_.lmtp() && job_.request.nexthop == settings_.relayhost) {
    log::warning("relayhost configuration problem");
    why->status = "4.3.5";
  } else if (why->status == mail::StatusCode("5.4.6") && !settings_.best_mx_transport.empty()) {
    pass_to_best_mx_transport();
  }
}

void Delivery::pass_to_best_mx_transport() {
  std::string_view name = settings_.best_mx_transport;
  std::string_view transport = name.substr(0, name.find(':'));
  proto::DeliverRequest request = job_.request;
  std::erase_if(request.recipients, [&](const proto::DeliveryRecipient& recipient) {
    for (size_t i = 0; i < ledger_.size(); ++i) {
      if (ledger_.recipient(i).offset == recipient.offset &&
          ledger_.recipient(i).address == recipient.address) {
        return false;
      }
    }
    return true;
  });
  if (transport.size() < name.size()) request.nexthop = name.substr(transport.size() + 1);
  delivery::Handover handover(agent_.config(), settings_.service_name);
  auto reply = handover.pass_on(transport, request, Deadline::after(seconds(100)));
  if (reply) return ledger_.drop_all(reply->deferred);
  log::warning("{}", reply.error().text);
  ledger_.remember(local_failure("4.3.0", "mail transport unavailable"));
}

void Delivery::fail_rest() {
  ledger_.set_last_server(true);
  ledger_.fail_all(mail::DeliveryStatus(*ledger_.why()), Blame::destination);
  ledger_.settle();
}

}  // namespace postrider::smtp_client
