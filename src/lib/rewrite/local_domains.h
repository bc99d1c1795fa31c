// Which domains are this system itself.
#pragma once

#include <string_view>
#include <vector>

#include "config/config.h"
#include "sys/socket.h"
#include "table/match_list.h"

namespace postrider::rewrite {

/// mydestination, and address literals of the interfaces that inet_interfaces and proxy_interfaces name.
class LocalDomains {
 public:
  /// `own` and `proxies` are the addresses behind the two parameters.
  LocalDomains(table::MatchList mydestination, std::vector<sys::Address> own,
               std::vector<sys::Address> proxies);

  struct Decision {
    bool local = false;
    /// What decided; nothing when the domain is found nowhere. For an address literal only the parameter and
    /// the key are set.
    std::optional<table::Provenance> by;
  };
  /// An error means that a table of mydestination does not answer.
  Result<Decision> match(std::string_view domain, Deadline deadline) const;

  const table::MatchList& mydestination() const { return mydestination_; }

 private:
  Decision match_literal(std::string_view literal) const;

  table::MatchList mydestination_;
  std::vector<sys::Address> own_, proxies_;
};

}  // namespace postrider::rewrite
