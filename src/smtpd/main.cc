// smtpd - receives mail by SMTP.
#include <algorithm>
#include <iterator>

#include "clients/flush.h"
#include "clients/own_addresses.h"
#include "clients/receive_overrides.h"
#include "clients/tables.h"
#include "clients/tls_support.h"
#include "config/params/instance.h"
#include "config/params/smtpd_tls.h"
#include "log/log.h"
#include "net/proxy_header.h"
#include "queue/spill_file.h"
#include "sasl/server.h"
#include "service/daemon.h"
#include "smtpd/cleanup_sink.h"
#include "smtpd/postdrop_sink.h"
#include "smtpd/postmaster_mail.h"
#include "smtpd/session.h"
#include "smtpd/world.h"

namespace postrider::smtpd {
namespace {

class FlushService : public Flusher {
 public:
  FlushService(const config::Config& config, const Settings& settings)
      : client_(config, "smtpd"), timeout_(settings.ipc_timeout) {}
  proto::FlushResult flush(std::string_view site) override {
    return client_.send_site(site, Deadline::after(timeout_));
  }

 private:
  clients::FlushClient client_;
  seconds timeout_;
};

std::vector<sys::Address> own_addresses(const config::Config& config) {
  std::vector<sys::Address> out = clients::interface_addresses(config);
  for (sys::Address& address : clients::proxy_addresses(config))
    out.push_back(address);
  return out;
}

std::unique_ptr<sasl::Service> open_sasl(const config::Config& config, const Settings& settings) {
  if (!settings.sasl.enabled) return nullptr;
  namespace params = config::params;
  auto service = sasl::create_service({.type = config.get(params::smtpd_sasl_type),
                                       .path = config.get(params::smtpd_sasl_path),
                                       .service = config.get(params::smtpd_sasl_service),
                                       .hostname = settings.myhostname,
                                       .realm = config.get(params::smtpd_sasl_local_domain),
                                       .config_path = config.get(params::cyrus_sasl_config_path),
                                       .config_directory = config.get(params::config_directory)});
  if (service) return std::move(*service);
  log::warning("{}", service.error().text);
  throw config::ConfigError("SASL per-process initialization failed",
                            config.source(params::smtpd_sasl_type.name()),
                            "`postconf -a` lists what smtpd_sasl_type can be");
}

/// Null where TLS is not wanted, or cannot be had: the log says why then.
std::unique_ptr<tls::Server> make_tls_server(const config::Config& config, const Settings& settings) {
  if (!settings.tls.wanted()) return nullptr;
  return tls::Server::create(tls::ServerSettings(config), tls::LibrarySettings(config),
                             settings.tls.required);
}

/// The process's one of everything.
struct Process {
  explicit Process(const service::Daemon& daemon)
      : settings(daemon.config(), daemon.arguments().stand_alone),
        filter(daemon.config()),
        limits(daemon.config()),
        tables(clients::table_options(daemon.config())),
        policy(daemon.config(), tables, own_addresses(daemon.config())),
        lists(daemon.config(), tables, policy.paths),
        world(daemon.config(), lists.dns_filter),
        cleanup(daemon.config(), settings),
        counter(daemon.config()),
        postmaster(daemon.config()),
        flusher(daemon.config(), settings),
        sasl(open_sasl(daemon.config(), settings)),
        tls(make_tls_server(daemon.config(), settings)) {
    if (sasl) std::ranges::copy(sasl->paths(), std::back_inserter(policy.paths));
    if (tls) {
      tls_support.emplace(daemon.config(), "smtpd", tables, policy.paths);
      server.tls_support = &*tls_support;
      for (std::string& path : tls->required_paths())
        policy.paths.push_back(std::move(path));
    }
    if (!settings.stand_alone) policy.require_relay_control();
    if (!settings.stand_alone && clients::receive_overrides(daemon.config()).milters) {
      milters.emplace(daemon.config(), tables, policy.paths);
      server.milters = &*milters;
    }
  }

  Settings settings;
  FilterSettings filter;
  EventLimits limits;
  table::Catalog tables;
  access::Policy policy;
  Lists lists;
  ReplyRules reply_rules{settings, lists};
  NetworkWorld world;
  CleanupSystem cleanup;
  PostdropSystem postdrop{settings.postdrop};
  AnvilCounter counter;
  PostmasterMail postmaster;
  FlushService flusher;
  std::unique_ptr<sasl::Service> sasl;
  std::unique_ptr<tls::Server> tls;
  std::optional<clients::TlsServerSupport> tls_support;
  std::optional<Milters> milters;
  Server server{.settings = settings,
                .limits = limits,
                .lists = lists,
                .policy = policy,
                .reply_rules = reply_rules,
                .world = world,
                .mail = settings.stand_alone ? static_cast<MailSystem&>(postdrop) : cleanup,
                .counter = counter,
                .postmaster = postmaster,
                .flusher = flusher,
                .sasl = sasl.get(),
                .tls = tls.get(),
                .filter = filter.endpoint.empty() ? nullptr : &filter};
};

/// Whom the load balancer in front has told, or itself when it asks for its own sake.
Client identify_behind_haproxy(const Settings& settings, service::Client& peer, Client balancer) {
  auto header = net::read_proxy_header(peer.stream, Deadline::after(settings.proxy_timeout));
  if (header) return header->local ? balancer : describe_peer(header->client, header->server);
  log::warning("haproxy read: {}",
               header.error().kind == ErrorKind::timeout ? "timeout error" : header.error().text);
  balancer.unidentified = true;
  return balancer;
}

Client identify(Process& process, service::Client& peer) {
  const Settings& settings = process.settings;
  if (settings.stand_alone) return local_user();
  sys::Address local =
      peer.local ? *peer.local : sys::local_address(peer.stream.fd()).value_or(sys::Address());
  Client client = describe_peer(peer.peer, local);
  client.passed = peer.passed;
  if (settings.behind_haproxy && peer.passed) {
    log::warning("ignoring non-empty smtpd_upstream_proxy_protocol setting behind postscreen");
  } else if (settings.behind_haproxy) {
    client = identify_behind_haproxy(settings, peer, std::move(client));
  }
  if (settings.peername_lookup) {
    process.world.name_client(client, Deadline::after(settings.timeout));
  }
  client.make_label(settings.client_port_logging);
  return client;
}

void run(service::Daemon& daemon) {
  static Process process(daemon);
  process.world.prepare();
  daemon.drop_privileges();
  // A user's own process may do what the user may, and has to start postdrop.
  if (!daemon.arguments().stand_alone) {
    std::vector<std::string> write;
    if (process.server.filter && process.filter.speed_adjust)
      write.emplace_back(queue::SpillFile::kDirectory);
    daemon.confine(
        {.name = "smtpd", .read = process.policy.paths, .write = std::move(write), .connect = true});
  }
  if (process.tls) daemon.at_start([] { process.tls_support->seed(Deadline::after(seconds(10))); });
  daemon.serve([](service::Client peer) {
    // Not on the fiber's stack, of which an idle session needs little then.
    Client client = identify(process, peer);
    auto session = std::make_unique<Session>(process.server, std::move(peer.stream), std::move(client));
    session->run();
  });
}

}  // namespace
}  // namespace postrider::smtpd

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "smtpd"}, postrider::smtpd::run);
}
