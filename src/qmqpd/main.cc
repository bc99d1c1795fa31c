// qmqpd - receives mail by QMQP, the protocol of qmail's clients, from hosts that may send to anybody.
#include "clients/tables.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "dns/host.h"
#include "dns/resolver.h"
#include "qmqpd/session.h"
#include "service/daemon.h"

namespace postrider::qmqpd {
namespace {

namespace params = config::params;
using table::MatchList;

/// The process's one of everything.
struct Process {
  explicit Process(const config::Config& config)
      : settings(config),
        tables(clients::table_options(config)),
        authorized(clients::open_match_list(tables, config, params::qmqpd_authorized_clients,
                                            MatchList::Kind::host, paths)),
        cleanup(config, config.get(params::cleanup_service_name), "qmqpd") {
    debug_peers =
        clients::open_match_list(tables, config, params::debug_peer_list, MatchList::Kind::host, paths);
  }

  Settings settings;
  table::Catalog tables;
  std::vector<std::string> paths;
  MatchList authorized, debug_peers;
  clients::CleanupClient cleanup;
  dns::Resolver resolver{{}};
  dns::HostLookup hosts{resolver, {}};
  Server server{
      .settings = settings, .authorized = authorized, .debug_peers = debug_peers, .cleanup = cleanup};
};

clients::RemoteClient identify(Process& process, const service::Client& peer) {
  auto here = sys::local_address(peer.stream.fd()).value_or(sys::Address());
  clients::RemoteClient client = clients::describe_peer(peer.peer, here);
  if (auto address = sys::Address::from_ip(client.address)) {
    client.names = dns::find_client_name(process.hosts, *address, Deadline::after(process.settings.timeout));
  }
  client.make_label(process.settings.client_port_logging);
  return client;
}

void run(service::Daemon& daemon) {
  static Process process(daemon.config());
  process.resolver.prepare();
  process.hosts.prepare();
  daemon.drop_privileges();
  daemon.confine(
      {.name = "qmqpd", .read = process.paths, .write = {queue::SpillFile::kDirectory}, .connect = true});
  daemon.serve([](service::Client peer) {
    clients::RemoteClient client = identify(process, peer);
    auto session = std::make_unique<Session>(process.server, std::move(peer.stream), std::move(client));
    session->run();
  });
}

}  // namespace
}  // namespace postrider::qmqpd

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "qmqpd"}, postrider::qmqpd::run);
}
