// Decides whether a client's request is accepted, by the restrictions of the configuration.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/facts.h"
#include "access/policy.h"
#include "base/deadline.h"
#include "dns/resolver.h"
#include "proto/rewrite.h"
#include "proto/verify.h"
#include "sys/name_service.h"
#include "table/address_find.h"

namespace postrider::access {

/// What restrictions ask of the world.
class World {
 public:
  virtual ~World() = default;
  /// Where mail for an address goes, once it has been completed as local addresses are. An error, and
  /// kResolveFailed, are temporary.
  virtual Result<proto::ResolveReply> resolve(std::string_view sender, std::string_view address,
                                              Deadline deadline) = 0;
  /// The first of the types for which there are records.
  virtual dns::Answer lookup(std::string_view name, std::span<const dns::Type> types, Deadline deadline) = 0;
  /// The addresses of a host.
  virtual sys::HostAnswer addresses(std::string_view host, Deadline deadline) = 0;
  /// Whether mail for an address can be delivered, as trying it shows; waits a while for that. An error is
  /// temporary.
  virtual Result<proto::VerifyAnswer> verify(std::string_view address, Deadline deadline) = 0;
};

/// One look at one request. `memory` is the session's; Facts::sender and so on are what the request is about.
/// Each stage gives the refusal, or nothing.
class Judge {
 public:
  Judge(const Policy& policy, World& world, Journal& journal, const Facts& facts, Memory& memory,
        Deadline deadline)
      : policy_(policy),
        world_(world),
        journal_(journal),
        facts_(facts),
        memory_(memory),
        deadline_(deadline) {}

  using Answer = std::optional<Refusal>;
  Answer client();
  Answer helo();
  Answer mail();
  /// Also what smtpd_delay_reject has put off. Postmaster without a domain is always accepted.
  Answer rcpt();
  Answer data();
  Answer end_of_data();
  Answer etrn(std::string_view domain);
  /// A request of `size` bytes (SIZE=).
  Answer size(int64_t size);
  /// There is no room for the message.
  Answer no_space();

  /// Whether addresses in this client's headers are completed with local domains.
  Result<bool> rewrites_headers();
  /// That cannot be told now.
  Answer rewriting_unknown();

 private:
  enum class Verdict : unsigned char {
    undecided,
    permit,
    reject,
    nested,  ///< A list within has to decide first.
  };

  /// What the texts of refusals say.
  struct Target {
    std::string_view name, about;
    Subject default_subject = Subject::none;  ///< For tables without a word before them.
  };

  /// A list that is being gone through. Lists within lists stand on a stack of our own: tables can nest them
  /// deeper than a fiber's stack is.
  struct Level {
    const RestrictionList* list;
    std::unique_ptr<RestrictionList> owned;
    Target target;
    size_t next = 0;
    /// Not empty: a permit does not count (kSilently), or is a mistake of the configuration, with this text.
    std::string cannot_permit;
  };

  // judge.cc: lists
  Verdict run(const RestrictionList& list, const Target& target);
  Verdict run_levels();
  Verdict unwind(Verdict verdict);
  Verdict apply(const Restriction& restriction, const Target& target);
  Verdict enter(const RestrictionList& list, std::unique_ptr<RestrictionList> owned, const Target& target);
  Verdict permit(std::string_view action, const Target& target, std::string_view table = {});
  Verdict refuse(Complaint complaint);
  Verdict refuse(int code, std::string_view status, std::string text, ErrorClass error = ErrorClass::policy);
  Verdict configuration_error();
  Verdict lookup_failure(std::string_view subject);
  Verdict defer_if_permit(TempFail mode, int code, std::string_view status, std::string text);
  Verdict defer_if_reject(int code, std::string_view status, std::string text);
  void warn_if_followed(std::string_view name) const;
  Answer answer(Verdict verdict);
  void start_stage(Memory::Kept before);
  Because because() const;
  void event(std::string_view what, std::string_view text) { journal_.event(what, text, facts_, because()); }

  // names.cc: clients and what they call themselves
  Verdict permit_mynetworks(const Target& target);
  Verdict permit_inet_interfaces();
  Verdict unknown_client();
  Verdict unknown_reverse_client();
  Verdict invalid_hostname(std::string_view name);
  Verdict invalid_address_literal(std::string_view name);
  Verdict non_fqdn_hostname(std::string_view name);
  Verdict unknown_hostname(std::string_view name);
  Verdict helo_restriction(const Restriction& restriction);

  // logins.cc: who has logged in
  bool knows_logins(std::string_view restriction) const;
  Verdict sender_login(std::string_view restriction);

  // addresses.cc: senders and recipients
  Verdict address_restriction(const Restriction& restriction, const Target& target);
  Verdict non_fqdn_address(std::string_view address, std::string_view about);
  Verdict unknown_domain(std::string_view address, std::string_view about);
  Verdict unknown_mailhost(std::string_view domain, std::string_view address, std::string_view about);
  /// permit for a destination that mail may be sent to by anybody.
  Verdict authorized_destination(std::string_view address);
  Verdict unlisted(std::string_view address, std::string_view about);
  Result<bool> is_listed(const table::Maps& maps, std::string_view address) const;
  Result<bool> is_mapped(std::string_view address, bool sender) const;
  Result<bool> is_known_local(std::string_view address) const;
  /// Where mail for an address goes. The recipient is in the form that tables are asked for. An error when
  /// that cannot be told now.
  Result<proto::ResolveReply> resolve(std::string_view sender, std::string_view address);
  Result<std::optional<table::AddressMatch>> find(const table::Maps& maps, std::string_view address,
                                                  const table::AddressSearch& search) const;
  std::string_view sender() const { return facts_.sender.value_or(std::string_view()); }

  // tables.cc: what tables are asked for
  struct Hit {
    std::string value, key;
  };
  using Found = Result<std::optional<Hit>>;
  Verdict check_access(const Restriction& restriction, Subject subject, const Target& target);
  Verdict check_itself(const Restriction& restriction, Subject subject, const Target& target);
  Verdict check_mail(const Restriction& restriction, std::string_view address, const Target& target);
  Verdict check_servers(const Restriction& restriction, std::string_view name, const Target& target);
  Verdict check_hosts(const Restriction& restriction, const std::vector<std::string>& hosts, dns::Type type,
                      const Target& target);
  std::optional<std::vector<std::string>> servers_of(std::string_view name, dns::Type type);
  Found find_domain(const table::Maps& maps, std::string_view domain) const;
  Found find_address(const table::Maps& maps, std::string_view ip) const;
  Found find_key(const table::Maps& maps, std::string_view key) const;
  Verdict found(const Restriction& restriction, Found found, const Target& target,
                std::string cannot_permit = {});
  std::string forbids_permit(const Restriction& restriction, std::string_view name) const;
  Verdict permit_does_not_count(std::string_view cannot_permit);
  static constexpr std::string_view kSilently = "-";

  // certificates.cc: clients with TLS certificates
  bool certificates_are_asked_for(std::string_view restriction) const;
  Result<bool> certificate_is_listed(const table::Maps& maps) const;
  Verdict permit_by_certificate(const Restriction& restriction);
  Verdict check_certificate(const Restriction& restriction, const Target& target);

  // dns_lists.cc: what lists in the DNS say
  struct Listed {
    std::string name, text;  ///< As the question has it, and as people read it.
    std::string_view about;
  };
  Verdict dns_list(const Restriction& restriction);
  std::optional<Listed> listed_subject(const Restriction& restriction) const;
  Result<const DnsListing*> listing(const Restriction& restriction, const std::string& name);
  Result<std::string> listed_template(const Restriction& restriction) const;
  Verdict refuse_listed(const Restriction& restriction, const Listed& subject, const std::string& reason);

  // delegation.cc: decisions of others
  Verdict ask_policy_service(const Restriction& restriction, const Target& target);
  policy::Attributes policy_request(const policy::ServiceSettings& service) const;
  Verdict mx_backup(std::string_view recipient, const Target& target);
  std::optional<std::vector<sys::Address>> exchanger_addresses(const std::string& host,
                                                               const std::string& what, const Target& target);
  void cannot_look_up(std::string_view what, std::string_view why, const Target& target);
  Result<bool> is_exchanger(const std::vector<dns::Record>& servers, const Target& target);
  Result<bool> may_back_up(const std::vector<dns::Record>& servers, const Target& target);

  // verified.cc: addresses that are tried
  Verdict unverified(const Restriction& restriction);

  // actions.cc: what they answer
  Verdict act(const Restriction& restriction, const Hit& hit, const Target& target,
              std::string cannot_permit);
  Verdict act_on_message(std::string_view action, std::string_view text, const Restriction& restriction,
                         const Hit& hit, const Target& target);
  bool can_act_on_message(std::string_view action, const Restriction& restriction,
                          const Target& target) const;
  Verdict nested_list(const Restriction& restriction, const Hit& hit, const Target& target,
                      std::string cannot_permit);

  const Policy& policy_;
  World& world_;
  Journal& journal_;
  const Facts& facts_;
  Memory& memory_;
  Deadline deadline_;

  std::vector<Level> levels_;
  size_t warn_level_ = 0;  // Where warn_if_reject applies; 0: nowhere.
  std::string etrn_domain_;
  // What the restriction at hand has found.
  const Restriction* current_ = nullptr;
  std::string_view parameter_;  // Outside of lists: the parameter that asks for a check.
  std::string table_, key_;
  std::optional<Refusal> refusal_;
};

}  // namespace postrider::access
