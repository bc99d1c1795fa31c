#include "rewrite/resolver.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/params/rewrite.h"
#include "mail/address_parts.h"
#include "mail/dsn.h"
#include "mail/host_port.h"
#include "mail/hostname.h"
#include "mail/quote.h"

namespace postrider::rewrite {

namespace params = config::params;

std::string_view to_text(AddressClass address_class) {
  switch (address_class) {
    case AddressClass::local:
      return "local";
    case AddressClass::virtual_alias:
      return "virtual alias";
    case AddressClass::virtual_mailbox:
      return "virtual mailbox";
    case AddressClass::relay:
      return "relay";
    case AddressClass::other:
      return "default";
  }
  return "";
}

std::string_view to_text(Reason::Of of) {
  switch (of) {
    case Reason::Of::address_class:
      return "address class";
    case Reason::Of::transport:
      return "transport";
    case Reason::Of::nexthop:
      return "nexthop";
    case Reason::Of::transport_entry:
      return "transport table entry";
    case Reason::Of::relocated:
      return "relocated";
  }
  return "";
}

/// The work on one request. A step that returns false has ended it.
class Resolver::Run {
 public:
  Run(const Resolver& resolver, const Request& request, Deadline deadline)
      : resolver_(resolver),
        settings_(resolver.settings_),
        routes_(request.purpose == Purpose::delivery ? resolver.delivery_ : resolver.verification_),
        request_(request),
        deadline_(deadline) {}

  Resolution resolve() && {
    bool done = find_recipient() && choose_class() && use_own_nexthop() && ask_transport_maps() &&
                ask_relocated_maps();
    if (done && !settings_.allow_min_user && out_.recipient.starts_with('-'))
      out_.status = Resolution::Status::invalid;
    out_.transport = std::move(route_.transport);
    out_.nexthop = std::move(route_.nexthop);
    return std::move(out_);
  }

 private:
  using List = table::MatchList;
  using Found = Result<std::optional<table::AddressMatch>>;

  bool warn(std::string_view text) const {
    resolver_.catalog_.log(table::Severity::warning, text);
    return false;
  }

  bool try_later() {
    out_.status = Resolution::Status::try_later;
    return false;
  }

  bool lookup_failed(std::string_view parameter) {
    warn(fmt::format("{} lookup failure", parameter));
    return try_later();
  }

  void because(Reason::Of of, std::string_view parameter, std::string_view table = {},
               std::string_view key = {}) {
    if (!request_.explain) return;
    out_.because.push_back({.of = of,
                            .parameter = std::string(parameter),
                            .set_at = resolver_.config_.source(parameter).text(),
                            .table = std::string(table),
                            .key = std::string(key)});
  }
  void because(Reason::Of of, const std::optional<table::Provenance>& by) {
    if (by) because(of, by->parameter, by->source, by->key);
  }

  // ---- the recipient ------------------------------------------------------------------------------------

  bool find_recipient() {
    auto stripped = resolver_.stripper_.strip(request_.address, deadline_);
    if (!stripped) {
      if (stripped.error().kind == ErrorKind::limit) warn(stripped.error().text);
      return try_later();
    }
    local_ = stripped->local;
    local_by_ = std::move(stripped->by);
    out_.recipient = mail::write_internal(stripped->address);
    if (!check_domain()) return false;
    // Whatever this system's own settings are, the next one may act on these.
    out_.routed = out_.recipient.find_first_of("@!%") != out_.recipient.rfind('@');
    return true;
  }

  std::string_view domain() const { return mail::domain_of(out_.recipient); }

  bool check_domain() {
    std::string_view name = domain();
    if (name.starts_with('[') ? mail::valid_mailhost_literal(name)
                              : mail::valid_utf8_hostname(name, settings_.smtputf8)) {
      return true;
    }
    if (!settings_.resolve_numeric_domain || !mail::valid_host_address(name)) {
      out_.status = Resolution::Status::invalid;
      return false;
    }
    out_.recipient = fmt::format("{}@[{}]", mail::localpart_of(out_.recipient), name);
    auto decision = resolver_.local_.match(domain(), deadline_);
    if (!decision) return try_later();
    if (decision->local) {
      local_ = true;
      local_by_ = std::move(decision->by);
    }
    return true;
  }

  // ---- class, transport, nexthop ------------------------------------------------------------------------

  /// Whether the domain is in a list; also what said so. Nothing when the list does not answer.
  std::optional<bool> in(const List& list, std::optional<table::Provenance>* by = nullptr) {
    auto decision = list.match(domain(), deadline_);
    if (!decision) return std::nullopt;
    if (by) *by = std::move(decision->by);
    return decision->matched;
  }

  void warn_if_also_in(std::string_view parameter, const List& other) {
    if (!settings_.helpful_warnings || !in(other).value_or(false)) return;
    warn(fmt::format("do not list domain {} in BOTH {} and {}", domain(), parameter, other.parameter()));
  }

  void use(AddressClass address_class, const Setting& transport, const std::optional<table::Provenance>& by) {
    out_.address_class = address_class;
    because(Reason::Of::address_class, by);
    because(Reason::Of::transport, transport.parameter);
    route_.transport = transport.value;
    route_.nexthop = domain();
    blame_ = transport.parameter;
  }

  bool choose_class() {
    const Domains& domains = resolver_.domains_;
    if (local_) {
      std::string_view mine = resolver_.local_.mydestination().parameter();
      warn_if_also_in(mine, domains.virtual_alias);
      warn_if_also_in(mine, domains.virtual_mailbox);
      use(AddressClass::local, routes_.local_transport, local_by_);
      return true;
    }
    std::optional<table::Provenance> by;
    auto alias = in(domains.virtual_alias, &by);
    if (!alias) return lookup_failed(domains.virtual_alias.parameter());
    if (*alias) return use_virtual_alias(by);
    auto mailbox = in(domains.virtual_mailbox, &by);
    if (!mailbox) return lookup_failed(domains.virtual_mailbox.parameter());
    if (*mailbox) {
      warn_if_also_in(domains.virtual_mailbox.parameter(), domains.relay);
      use(AddressClass::virtual_mailbox, routes_.virtual_transport, by);
      return true;
    }
    auto relay = in(domains.relay, &by);
    if (!relay) return lookup_failed(domains.relay.parameter());
    if (*relay) {
      use(AddressClass::relay, routes_.relay_transport, by);
    } else if (!use_default_transport()) {
      return false;
    }
    return choose_relayhost();
  }

  /// Its addresses should all have been replaced by others when the message came in.
  bool use_virtual_alias(const std::optional<table::Provenance>& by) {
    const Domains& domains = resolver_.domains_;
    warn_if_also_in(domains.virtual_alias.parameter(), domains.virtual_mailbox);
    warn_if_also_in(domains.virtual_alias.parameter(), domains.relay);
    out_.address_class = AddressClass::virtual_alias;
    because(Reason::Of::address_class, by);
    route_.transport = "error";
    route_.nexthop = "5.1.1 User unknown";
    if (settings_.show_unknown_table) route_.nexthop += " in virtual alias table";
    return true;
  }

  bool use_default_transport() {
    auto match = find_by_sender(routes_.sender_default_transport, settings_.empty_sender_transport_key);
    if (!match) return lookup_failed(routes_.sender_default_transport.parameter());
    use(AddressClass::other, routes_.default_transport, std::nullopt);
    if (!*match || equals_ignore_case((*match)->value, "DUNNO")) return true;
    if (request_.explain) out_.because.pop_back();
    because(Reason::Of::transport, (*match)->origin);
    route_.transport = std::move((*match)->value);
    blame_ = routes_.sender_default_transport.parameter();
    return true;
  }

  bool choose_relayhost() {
    auto match = find_by_sender(routes_.sender_relayhost, settings_.empty_sender_relayhost_key);
    if (!match) {
      route_.nexthop.clear();
      return lookup_failed(routes_.sender_relayhost.parameter());
    }
    if (*match && !equals_ignore_case((*match)->value, "DUNNO")) {
      because(Reason::Of::nexthop, (*match)->origin);
      route_.nexthop = std::move((*match)->value);
    } else if (!routes_.relayhost.value.empty()) {
      because(Reason::Of::nexthop, routes_.relayhost.parameter);
      route_.nexthop = routes_.relayhost.value;
    }
    return true;
  }

  /// "transport:nexthop" in main.cf or a sender-dependent table: the nexthop wins over what was chosen
  /// before.
  bool use_own_nexthop() {
    const std::string value = std::move(route_.transport);
    const mail::TransportNexthop parts = mail::split_transport(value);
    // The virtual alias class has no transport of anybody's choice, and its text no colon.
    route_.transport = parts.transport;
    if (!parts.nexthop.empty()) route_.nexthop = parts.nexthop;
    if (!route_.transport.empty()) return true;
    warn(fmt::format("file {}: parameter {}: null transport is not allowed", settings_.main_cf, blame_));
    return try_later();
  }

  // ---- tables -------------------------------------------------------------------------------------------

  table::AddressContext context() const {
    return {
        .extensions = settings_.extensions(),
        .is_local = [this](std::string_view name, Deadline deadline) -> Result<bool> {
          if (equals_ignore_case(name, resolver_.rewriter_.origin())) return true;
          return TRY(resolver_.local_.match(name, deadline)).local;
        },
        .key_form = [](std::string_view key) { return mail::quote_822_local(key); },
        .localpart_form = [](std::string_view localpart) { return mail::quote_822_localpart(localpart); }};
  }

  Found find_by_sender(const table::Maps& maps, std::string_view empty_key) const {
    if (maps.empty()) return std::nullopt;
    std::string_view key = request_.sender.empty() ? empty_key : request_.sender;
    return table::find_address(maps, key, {}, context(), deadline_);
  }

  /// The error text of an alias domain is not for a transport table to change.
  bool ask_transport_maps() {
    if (routes_.transport.empty() || out_.address_class == AddressClass::virtual_alias) return true;
    auto match = find_transport(routes_.transport, out_.recipient, context(),
                                settings_.transport_parents_plain, deadline_);
    if (!match) return lookup_failed(routes_.transport.parameter());
    if (!*match) return true;
    because(Reason::Of::transport_entry, (*match)->origin);
    apply_transport_entry((*match)->value, domain(), route_);
    return true;
  }

  bool ask_relocated_maps() {
    const table::Maps& maps = resolver_.relocated_;
    if (maps.empty()) return true;
    auto match = table::find_address(maps, out_.recipient, {}, context(), deadline_);
    if (!match) return lookup_failed(maps.parameter());
    if (!*match) return true;
    because(Reason::Of::relocated, (*match)->origin);
    route_ = {.transport = "error", .nexthop = relocated_text((*match)->value)};
    return true;
  }

  std::string relocated_text(const std::string& value) const {
    if (settings_.relocated_prefix) return "5.1.6 User has moved to " + value;
    auto code = mail::StatusCode::parse_prefix(value);
    if (code && !code->is_success() && code->text().size() < value.size()) return value;
    warn(fmt::format("{}: ignoring a result for {} that does not begin with a 4.X.X or 5.X.X status code: {}",
                     resolver_.relocated_.parameter(), printable(out_.recipient), printable(value)));
    return "5.2.0 Mailbox is unavailable";
  }

  const Resolver& resolver_;
  const Settings& settings_;
  const Routes& routes_;
  const Request& request_;
  Deadline deadline_;
  Resolution out_;
  Route route_;
  bool local_ = false;
  std::optional<table::Provenance> local_by_;
  std::string_view blame_;  // the parameter that the transport comes from
};

Result<std::unique_ptr<Resolver>> Resolver::create(const config::Config& config, table::Catalog& catalog,
                                                   std::vector<sys::Address> own,
                                                   std::vector<sys::Address> proxies) {
  auto relocated =
      table::Maps::create(catalog, params::relocated_maps.name(), config.get(params::relocated_maps));
  Tables tables{.domains = TRY(open_domains(config, catalog)),
                .delivery = TRY(open_routes(config, catalog, Purpose::delivery)),
                .verification = TRY(open_routes(config, catalog, Purpose::verification)),
                .relocated = TRY(std::move(relocated)),
                .mydestination = TRY(open_mydestination(config, catalog))};
  return std::unique_ptr<Resolver>(
      new Resolver(config, catalog, std::move(tables), std::move(own), std::move(proxies)));
}

Resolver::Resolver(const config::Config& config, table::Catalog& catalog, Tables tables,
                   std::vector<sys::Address> own, std::vector<sys::Address> proxies)
    : config_(config),
      catalog_(catalog),
      settings_(read_settings(config)),
      rewriter_(config),
      domains_(std::move(tables.domains)),
      delivery_(std::move(tables.delivery)),
      verification_(std::move(tables.verification)),
      relocated_(std::move(tables.relocated)),
      local_(std::move(tables.mydestination), std::move(own), std::move(proxies)),
      stripper_(settings_, rewriter_, local_) {}

Resolution Resolver::resolve(const Request& request, Deadline deadline) const {
  return Run(*this, request, deadline).resolve();
}

}  // namespace postrider::rewrite
