// smtpd - receives mail by SMTP.

#include "clients/own_addresses.h"
#include "clients/tables.h"
#include "log/log.h"
#include "service/daemon.h"
#include "smtpd/cleanup_sink.h"
#include "smtpd/session.h"
#include "smtpd/world.h"

namespace postrider::smtpd {
namespace {

std::vector<sys::Address> own_addresses(const config::Config& config) {
  std::vector<sys::Address> out = clients::interface_addresses(config);
  for (sys::Address& address : clients::proxy_addresses(config))
    out.push_back(address);
  return out;
}

/// The process's one of everything.
struct Process {
  explicit Process(const service::Daemon& daemon)
      : settings(daemon.config(), daemon.arguments().stand_alone),
        tables(clients::table_options(daemon.config())),
        policy(daemon.config(), tables, own_addresses(daemon.config())),
        world(daemon.config()),
        cleanup(daemon.config(), settings.cleanup_service, "smtpd") {
    if (!settings.stand_alone) policy.require_relay_control();
  }

  Settings settings;
  table::Catalog tables;
  access::Policy policy;
  NetworkWorld world;
  clients::CleanupClient cleanup;
  CleanupSystem mail{cleanup};
  Server server{settings, policy, world, mail};
};

Client identify(Process& process, const service::Client& peer) {
  const Settings& settings = process.settings;
  if (settings.stand_alone) return local_user();
  Client client = describe_peer(peer.peer, sys::local_address(peer.stream.fd()).value_or(sys::Address()));
  if (settings.peername_lookup) process.world.name_client(client, Deadline::after(settings.timeout));
  client.make_label(settings.client_port_logging);
  return client;
}

void run(service::Daemon& daemon) {
  static Process process(daemon);
  process.world.prepare();
  daemon.drop_privileges();
  daemon.confine({.name = "smtpd", .read = process.policy.paths});
  daemon.serve([](service::Client peer) {
    Client client = identify(process, peer);
    Session(process.server, std::move(peer.stream), std::move(client)).run();
  });
}

}  // namespace
}  // namespace postrider::smtpd

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "smtpd"}, postrider::smtpd::run);
}
