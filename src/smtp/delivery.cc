#include "smtp/delivery.h"

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "smtp/transfer.h"

namespace postrider::smtp_client {

namespace {

constexpr uint16_t kSmtpPort = 25;
/// For all name server queries of one destination; single queries have the resolver's own limits.
constexpr seconds kLookupTime{600};

}  // namespace

Delivery::Delivery(Agent& agent, delivery::Job& job)
    : agent_(agent),
      settings_(agent.settings()),
      job_(job),
      ledger_(agent.reporter(), job, agent.settings().soft_bounce) {}

proto::DeliverReply Delivery::run() {
  try_destinations();
  if (!ledger_.empty()) fail_rest();
  return ledger_.take_reply();
}

void Delivery::try_destinations() {
  std::vector<std::string_view> sites = split_destinations(job_.request.nexthop);
  size_t own_sites = sites.size();
  sites.insert(sites.end(), settings_.fallback_relays.begin(), settings_.fallback_relays.end());
  for (size_t i = 0; i < sites.size() && !ledger_.empty(); ++i) {
    at_fallback_ = i >= own_sites;
    last_destination_ = i + 1 == sites.size();
    ledger_.set_last_server(false);
    auto destination = settings_.lmtp()
                           ? parse_lmtp_destination(sites[i], settings_.default_port, settings_.ports)
                           : parse_smtp_destination(sites[i], settings_.default_port, settings_.ports);
    if (!destination) {
      log::warning("{}: {}", job_.request.queue_id, destination.error().text);
      ledger_.remember(local_failure("4.3.5", "mail system configuration error"));
    } else if (destination->kind == Destination::Kind::path) {
      try_path(*destination);
    } else {
      try_destination(*destination);
    }
    if (last_destination_) break;
  }
  if (!ledger_.empty()) excuse_configuration();
}

void Delivery::try_path(const Destination& destination) {
  ledger_.set_last_server(last_destination_);
  auto address = sys::Address::from_path(destination.name);
  if (!address) {
    ledger_.remember(local_failure("4.3.5", "mail system configuration error"));
    return log::warning("{}: {}", job_.request.queue_id, address.error().text);
  }
  auto session = connect(*address, {.host = settings_.myhostname, .address = destination.name, .port = 0});
  if (!session) return;
  if (introduce(*session)) Transfer(settings_, job_, ledger_, *session).run(false);
  finish(std::move(session));
}

dns::Route Delivery::look_up(const Destination& destination, bool loop_check) {
  Deadline deadline = Deadline::after(kLookupTime);
  dns::MailRouter& router = agent_.router(loop_check);
  bool by_domain = destination.kind == Destination::Kind::domain && settings_.look_up_mx;
  return by_domain ? router.by_domain(destination.name, deadline)
                   : router.by_host(destination.name, deadline);
}

void Delivery::try_destination(const Destination& destination) {
  bool loop_check = !settings_.lmtp() && destination.port == kSmtpPort;
  dns::Route route = look_up(destination, loop_check);
  // When this system is among the mail exchangers, only better ones may have the mail. A loop stays one.
  if (route.found_self || route.loops()) last_destination_ = true;
  if (route.hosts.empty()) {
    ledger_.remember(local_failure(route.status, route.reason));
  } else {
    try_hosts(destination, route);
  }
}

void Delivery::try_hosts(const Destination& destination, const dns::Route& route) {
  size_t addresses = 0, sessions = 0;
  unsigned best = route.hosts.front().preference;
  for (size_t i = 0; i < route.hosts.size() && !ledger_.empty(); ++i) {
    const dns::MailHost& host = route.hosts[i];
    bool last = i + 1 == route.hosts.size() || ++addresses == settings_.mx_address_limit;
    sys::Address address = host.address;
    address.set_port(host.port.value_or(destination.port));
    smtp::Peer peer{.host = settings_.cname_is_host_name ? host.canonical : host.name,
                    .address = address.ip(),
                    .port = address.port()};
    auto session = connect(address, std::move(peer));
    if (session) {
      session->best_mx = host.preference == best;
      ledger_.set_last_server(last_destination_ && last);
      if (introduce(*session)) {
        // Only sessions that got this far count.
        last = last || ++sessions == settings_.mx_session_limit;
        ledger_.set_last_server(last_destination_ && last);
        Transfer(settings_, job_, ledger_, *session).run(false);
      }
      finish(std::move(session));
    } else {
      log::info("{}", ledger_.why()->reason);
    }
    if (last) break;
  }
}

std::unique_ptr<ServerSession> Delivery::connect(const sys::Address& address, smtp::Peer peer) {
  auto stream = io::connect(address, std::nullopt, settings_.connect_deadline());
  if (!stream) {
    ledger_.remember(
        local_failure("4.4.1", fmt::format("connect to {}: {}", peer.name_with_port(), stream.error().text)));
    return nullptr;
  }
  smtp::ClientSettings settings = settings_.session;
  settings.detect_loops = !settings_.lmtp() && peer.port == kSmtpPort;
  auto session = std::make_unique<ServerSession>(std::move(*stream), std::move(peer), std::move(settings));
  session->client.set_queue_id(job_.request.queue_id);
  session->uses = 1;
  ledger_.use_relay(session->relay(), session->uses);
  return session;
}

void Delivery::refuse_to_talk(ServerSession& session, const smtp::Reply& reply) {
  session.spent = session.say_goodbye = true;
  ledger_.fail_all(remote_failure(reply, session.host(),
                                  fmt::format("host {} refused to talk to me: {}",
                                              session.client.peer().name(), reply.one_line())),
                   Blame::destination);
}

/// Greeting and EHLO. False when the session came to nothing.
bool Delivery::introduce(ServerSession& session) {
  auto failed = [&](const smtp::SessionFailure& failure) {
    session.spent = true;
    ledger_.fail_all(local_failure(failure.dsn, failure.text), Blame::destination);
    return false;
  };
  for (bool greeting : {true, false}) {
    auto reply = greeting ? session.client.read_greeting() : session.client.hello();
    if (!reply) return failed(reply.error());
    if (reply->positive()) continue;
    refuse_to_talk(session, *reply);
    return false;
  }
  if (!session.client.is_myself()) return true;
  session.spent = session.say_goodbye = true;
  ledger_.fail_all(local_failure(session.best_mx ? "5.4.6" : "4.4.6",
                                 fmt::format("mail for {} loops back to myself", job_.request.nexthop)),
                   Blame::destination);
  return false;
}

void Delivery::finish(std::unique_ptr<ServerSession> session) {
  if (session->say_goodbye && !session->client.failure())
    (void)session->client.quit(!settings_.skip_quit_response);
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
  }
}

void Delivery::fail_rest() {
  ledger_.set_last_server(true);
  ledger_.fail_all(mail::DeliveryStatus(*ledger_.why()), Blame::destination);
  ledger_.settle();
}

}  // namespace postrider::smtp_client
