// A client that nobody knows, and what smtpd says to it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/policy.h"
#include "rewrite/resolver.h"
#include "table/catalog.h"
#include "tools/lint/model.h"

namespace postrider::lint {

/// What the client says in a session.
struct Attempt {
  std::string address;                         ///< Of the client.
  std::string name = "mail.stranger.example";  ///< Its name in the DNS.
  std::string helo = "mail.stranger.example";
  std::string sender = "someone@stranger.example";
  std::string recipient = "victim@elsewhere.example";
  Place entry;  ///< Of a table, which suggested it.
};

/// A rule that let something pass.
struct Permit {
  std::string parameter, restriction, table, key;
};
struct Verdict {
  bool accepted = false;
  std::vector<Permit> permits;  ///< In the order of the lists.
  std::string destination;      ///< The list of domains that has the recipient's, when one has.
};

/// The access rules of one smtpd service. Services and lists in the network are not asked: policy services
/// have no opinion, names resolve, and nothing is listed.
class Stranger {
 public:
  /// Throws ConfigError. An error is about the form of a table's name. `elsewhere_permits`: tables of other
  /// systems that are asked about senders and HELO names answer OK; else they know nothing.
  static Result<std::unique_ptr<Stranger>> create(const Model& model, const Service& service,
                                                  bool elsewhere_permits = false);

  Verdict try_relay(const Attempt& attempt) const;
  /// Whether smtpd starts with these rules at all.
  bool has_relay_control() const;

 private:
  Stranger(const config::Config& config, table::LogSink log);

  config::Config config_;
  table::Catalog catalog_;
  access::Policy policy_;
  std::unique_ptr<rewrite::Resolver> resolver_;
};

}  // namespace postrider::lint
