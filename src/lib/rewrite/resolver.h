// Where mail for an address goes: address class, transport, nexthop and the recipient's final form.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "rewrite/local_domains.h"
#include "rewrite/rewriter.h"
#include "rewrite/settings.h"
#include "rewrite/stripper.h"
#include "rewrite/transport_map.h"

namespace postrider::rewrite {

/// The classes of domains (ADDRESS_CLASS_README).
enum class AddressClass : unsigned char { local, virtual_alias, virtual_mailbox, relay, other };
std::string_view to_text(AddressClass address_class);  ///< "local", "virtual alias", ..., "default".

/// What decided a part of a result.
struct Reason {
  enum class Of : unsigned char {
    address_class,
    transport,
    nexthop,
    transport_entry,  ///< transport_maps, which can change both.
    relocated,
  };
  Of of;
  std::string parameter;  ///< "mydestination".
  std::string set_at;     ///< Where it is set: "/etc/postfix/main.cf line 12".
  std::string table;      ///< The table or list item; empty where the parameter's value itself counts.
  std::string key;        ///< What was looked up.
};
std::string_view to_text(Reason::Of of);

struct [[nodiscard]] Resolution {
  enum class Status : unsigned char {
    ok,
    invalid,    ///< No mail can go there: the domain is malformed, or the localpart could be taken for an
                ///< option.
    try_later,  ///< A table did not answer, or a parameter has no usable value. It has been logged.
  };
  Status status = Status::ok;
  AddressClass address_class = AddressClass::other;
  bool routed = false;  ///< The localpart has routing operators, which the next system may act on.
  std::string transport, nexthop;
  std::string recipient;        ///< In internal form.
  std::vector<Reason> because;  ///< In the order of the decisions; only when asked for.
};

class Resolver {
 public:
  /// Opens all tables. `own` and `proxies` are the addresses behind inet_interfaces and proxy_interfaces.
  /// Throws ConfigError where a parameter has no good value; an error is about the form of a table's name.
  /// The catalog must outlive the object; warnings go to its log.
  static Result<std::unique_ptr<Resolver>> create(const config::Config& config, table::Catalog& catalog,
                                                  std::vector<sys::Address> own,
                                                  std::vector<sys::Address> proxies);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  struct Request {
    std::string_view sender;   ///< In internal form; empty for the null sender.
    std::string_view address;  ///< In internal form.
    Purpose purpose = Purpose::delivery;
    bool explain = false;
  };
  Resolution resolve(const Request& request, Deadline deadline) const;

  const Rewriter& rewriter() const { return rewriter_; }
  const LocalDomains& local_domains() const { return local_; }

 private:
  class Run;

  struct Tables {
    Domains domains;
    Routes delivery, verification;
    table::Maps relocated;
    table::MatchList mydestination;
  };
  Resolver(const config::Config& config, table::Catalog& catalog, Tables tables,
           std::vector<sys::Address> own, std::vector<sys::Address> proxies);

  config::Config config_;
  table::Catalog& catalog_;
  Settings settings_;
  Rewriter rewriter_;
  Domains domains_;
  Routes delivery_, verification_;
  table::Maps relocated_;
  LocalDomains local_;
  DomainStripper stripper_;
};

}  // namespace postrider::rewrite
