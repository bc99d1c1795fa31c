// Taking this system's own domains off an address, until a remote domain or a mere localpart is left.
#pragma once

#include <optional>
#include <string_view>

#include "mail/address.h"
#include "rewrite/local_domains.h"
#include "rewrite/rewriter.h"
#include "rewrite/settings.h"

namespace postrider::rewrite {

/// user%remote@here and here!remote!user are mail for the remote domain: a system that looked at the last
/// domain only would relay for strangers.
class DomainStripper {
 public:
  DomainStripper(const Settings& settings, const Rewriter& rewriter, const LocalDomains& local)
      : settings_(settings), rewriter_(rewriter), local_(local) {}

  struct Outcome {
    bool local = false;
    mail::TokenList address;              ///< Always with a domain.
    std::optional<table::Provenance> by;  ///< Why the domain that was taken off last is local.
  };
  /// `address` is in internal form. ErrorKind::temporary where a table does not answer, ErrorKind::limit
  /// where there is no end.
  Result<Outcome> strip(std::string_view address, Deadline deadline) const;

 private:
  class Run;

  const Settings& settings_;
  const Rewriter& rewriter_;
  const LocalDomains& local_;
};

}  // namespace postrider::rewrite
