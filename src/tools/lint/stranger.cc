#include "tools/lint/stranger.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "access/judge.h"
#include "base/text.h"
#include "table/syntax.h"
#include "tools/lint/access_lists.h"
#include "tools/lint/tables.h"

namespace postrider::lint {

namespace {

/// Tables with answers that only another system knows, about what a client says of itself.
bool asks_elsewhere(std::string_view restriction, std::string_view table) {
  bool claimed = equals_ignore_case(restriction, "check_sender_access") ||
                 equals_ignore_case(restriction, "check_helo_access");
  return claimed && std::ranges::any_of(tables_in(table, TableRole::maps),
                                        [](const TableUse& use) { return is_elsewhere(use.type); });
}

/// The list without what would ask somebody else, or wait.
std::string without_others(std::string_view list, bool elsewhere_permits) {
  std::string out;
  std::string_view rest = list, before;
  while (auto word = table::next_item(rest)) {
    std::string_view restriction = std::exchange(before, *word);
    if (elsewhere_permits && asks_elsewhere(restriction, *word)) *word = "static:OK";
    if (equals_ignore_case(*word, "check_policy_service") || equals_ignore_case(*word, "sleep")) {
      (void)table::next_item(rest);
      continue;
    }
    out += out.empty() ? "" : " ";
    out += *word;
  }
  // A class must not be empty; this has nothing to say here.
  return out.empty() && !list.empty() ? "reject_unauth_pipelining" : out;
}

/// The configuration of the service as it is asked here.
Result<config::Config> asked_here(const Model& model, const Service& service, bool elsewhere_permits) {
  config::LoadOptions options{.directory = model.config().directory(),
                              .process_name = service.program,
                              .service_name = service.entry.name};
  for (const Override& override_ : service.overrides)
    options.overrides.push_back({override_.name, override_.value});
  for (const std::string& parameter : list_parameters(model, &service))
    options.overrides.push_back(
        {parameter, without_others(model.value(parameter, &service), elsewhere_permits)});
  // Every permit is told.
  options.overrides.push_back({"smtpd_log_access_permit_actions", "static:all"});
  // These may need the network.
  options.overrides.push_back({"smtpd_reject_unlisted_sender", "no"});
  return config::Config::load(options);
}

class Surroundings : public access::World {
 public:
  explicit Surroundings(const rewrite::Resolver& resolver, std::string_view client)
      : resolver_(resolver), client_(client) {}

  Result<proto::ResolveReply> resolve(std::string_view sender, std::string_view address,
                                      Deadline deadline) override {
    std::string complete = resolver_.rewriter().rewrite(rewrite::Context::local, address);
    auto found = resolver_.resolve({.sender = sender, .address = complete}, deadline);
    proto::ResolveReply out;
    out.transport = found.transport;
    out.nexthop = found.nexthop;
    out.recipient = found.recipient;
    switch (found.address_class) {
      case rewrite::AddressClass::local:
        out.flags = proto::kResolveLocal;
        break;
      case rewrite::AddressClass::virtual_alias:
        out.flags = proto::kResolveVirtualAlias;
        break;
      case rewrite::AddressClass::virtual_mailbox:
        out.flags = proto::kResolveVirtualMailbox;
        break;
      case rewrite::AddressClass::relay:
        out.flags = proto::kResolveRelay;
        break;
      case rewrite::AddressClass::other:
        out.flags = proto::kResolveDefault;
        break;
    }
    if (found.routed) out.flags |= proto::kResolveRouted;
    if (found.status == rewrite::Resolution::Status::invalid) out.flags |= proto::kResolveInvalid;
    if (found.status == rewrite::Resolution::Status::try_later) out.flags |= proto::kResolveFailed;
    return out;
  }

  /// Every domain has a mail server; no list has anybody.
  dns::Answer lookup(std::string_view name, std::span<const dns::Type> types, Deadline) override {
    dns::Answer out;
    bool mail = std::ranges::find(types, dns::Type::mx) != types.end();
    bool servers = std::ranges::find(types, dns::Type::ns) != types.end();
    out.status = mail || servers ? dns::Status::found : dns::Status::not_found;
    if (!out.found()) return out;
    out.records.push_back({.owner = std::string(name),
                           .type = mail ? dns::Type::mx : dns::Type::ns,
                           .data = mail ? "mx.stranger.example" : "ns.stranger.example"});
    return out;
  }

  sys::HostAnswer addresses(std::string_view, Deadline) override {
    sys::HostAnswer out;
    if (auto address = sys::Address::from_ip(client_)) out.addresses.push_back(*address);
    return out;
  }

  Result<proto::VerifyAnswer> verify(std::string_view, Deadline) override {
    proto::VerifyAnswer out;
    out.status = proto::AddressStatus::deliverable;
    return out;
  }

 private:
  const rewrite::Resolver& resolver_;
  std::string client_;
};

class PermitJournal : public access::Journal {
 public:
  explicit PermitJournal(std::vector<Permit>& permits) : permits_(permits) {}
  void event(std::string_view what, std::string_view, const access::Facts&,
             const access::Because& because) override {
    if (what == "permit")
      permits_.push_back({because.parameter, because.restriction, because.table, because.key});
  }

 private:
  std::vector<Permit>& permits_;
};

}  // namespace

Stranger::Stranger(const config::Config& config, table::LogSink log)
    : config_(config), catalog_(offline_options(config, std::move(log))), policy_(config_, catalog_, {}) {}

Result<std::unique_ptr<Stranger>> Stranger::create(const Model& model, const Service& service,
                                                   bool elsewhere_permits) {
  config::Config config = TRY(asked_here(model, service, elsewhere_permits));
  std::unique_ptr<Stranger> out(new Stranger(config, {}));
  out->resolver_ = TRY(rewrite::Resolver::create(out->config_, out->catalog_, {}, {}));
  return out;
}

bool Stranger::has_relay_control() const {
  try {
    policy_.require_relay_control();
  } catch (const config::ConfigError&) {
    return false;
  }
  return true;
}

Verdict Stranger::try_relay(const Attempt& attempt) const {
  Verdict out;
  access::Facts facts;
  std::string client = fmt::format("{}[{}]", attempt.name, attempt.address);
  facts.client_name = attempt.name;
  facts.client_address = attempt.address;
  facts.client = client;
  facts.reverse_name = attempt.name;
  facts.name_status = facts.reverse_status =
      attempt.name == "unknown" ? dns::NameCheck::permanent : dns::NameCheck::ok;
  facts.helo_name = attempt.helo;
  facts.sender = attempt.sender;
  facts.recipient = attempt.recipient;
  facts.where = "RCPT";
  facts.protocol = "ESMTP";
  Surroundings world(*resolver_, attempt.address);
  PermitJournal journal(out.permits);
  access::Memory memory;
  access::Judge judge(policy_, world, journal, facts, memory, Deadline::never());
  // What is not put off until RCPT comes before.
  if (!policy_.settings.delay_reject && (judge.client() || judge.helo() || judge.mail())) return out;
  bool accepted = !judge.rcpt();
  out.accepted = accepted && !memory.effects.discard && memory.effects.redirect.empty() && !memory.hang_up;
  if (out.accepted) {
    auto found = resolver_->resolve({.sender = attempt.sender, .address = attempt.recipient, .explain = true},
                                    Deadline::never());
    for (const rewrite::Reason& reason : found.because) {
      bool ours = found.address_class != rewrite::AddressClass::other;
      if (ours && reason.of == rewrite::Reason::Of::address_class) out.destination = reason.parameter;
    }
  }
  std::erase_if(out.permits, [](const Permit& permit) {
    return permit.parameter != "smtpd_relay_restrictions" &&
           permit.parameter != "smtpd_recipient_restrictions";
  });
  return out;
}

}  // namespace postrider::lint
