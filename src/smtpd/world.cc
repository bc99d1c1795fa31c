#include "smtpd/world.h"

#include "config/own_addresses.h"
#include "mail/quote.h"

namespace postrider::smtpd {

namespace {

dns::ResolverSettings with_filter(std::shared_ptr<dns::ReplyFilter> filter) {
  dns::ResolverSettings out;
  out.filter = std::move(filter);
  return out;
}

}  // namespace

NetworkWorld::NetworkWorld(const config::Config& config, std::shared_ptr<dns::ReplyFilter> filter)
    : rewrite_(config, "smtpd"),
      verify_(config, "smtpd"),
      resolver_(with_filter(std::move(filter))),
      hosts_(resolver_, {}) {
  auto protocols = config::inet_protocols(config);
  if (!protocols) throw config::ConfigError(protocols.error().text, config.source("inet_protocols"), "");
  if (protocols->ipv4) families_.push_back(AF_INET);
  if (protocols->ipv6) families_.push_back(AF_INET6);
}

void NetworkWorld::prepare() {
  resolver_.prepare();
  hosts_.prepare();
}

void NetworkWorld::name_client(Client& client, Deadline deadline) {
  auto address = sys::Address::from_ip(client.address);
  if (address) client.names = dns::find_client_name(hosts_, *address, deadline);
}

Result<proto::ResolveReply> NetworkWorld::resolve(std::string_view sender, std::string_view address,
                                                  Deadline deadline) {
  // The resolver wants addresses completed, as those of local senders are.
  std::string complete = TRY(rewrite_.rewrite("local", mail::quote_822_local(address), deadline));
  return rewrite_.resolve(sender, mail::unquote_822_local(complete), deadline);
}

dns::Answer NetworkWorld::lookup(std::string_view name, std::span<const dns::Type> types, Deadline deadline) {
  dns::LookupOptions options;
  options.stop_when_found = true;
  return resolver_.lookup(name, types, options, deadline);
}

sys::HostAnswer NetworkWorld::addresses(std::string_view host, Deadline deadline) {
  return hosts_.addresses(host, families_, deadline);
}

Result<proto::VerifyAnswer> NetworkWorld::verify(std::string_view address, Deadline deadline) {
  return verify_.verify(address, deadline);
}

}  // namespace postrider::smtpd
