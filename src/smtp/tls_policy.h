// How TLS is to be used with one server.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "smtp/peer_names.h"
#include "smtp/require_tls.h"
#include "smtp/tls_settings.h"
#include "tls/client.h"
#include "tls/dane.h"
#include "tls/level.h"

namespace postrider::smtp_client {

/// What a policy of MTA-STS (RFC 8461) says, as a policy table gives it.
struct StsPolicy {
  std::string type;    ///< "sts", "no-policy-found"; empty: nothing is said.
  std::string domain;  ///< The domain that the policy is of.
  std::vector<std::string> mx_patterns;
  std::vector<std::string> lines;  ///< Of the policy itself, for reports.
  /// Why there is no telling what the policy demands: "sts-policy-fetch-error" and its kin. No server
  /// satisfies it then. Empty: nothing of that kind.
  std::string failure;
  bool restricts_hosts = false;  ///< Only hosts that fit the patterns may be used.

  /// Whether the host is one of those that the policy allows; "*.example.com" stands for one label.
  bool allows(std::string_view host) const;
};

/// What the DNS says about the keys of a host, for reports.
struct DaneFacts {
  std::string base_domain;
  std::vector<std::string> records;  ///< "3 1 1 0A0B...". None: the DNS says nothing.
  bool unusable = false;             ///< None of them can be made use of.
};

struct TlsPolicy {
  tls::Level level = tls::Level::none;
  /// The level that the configuration asks for, where the DNS has made another of it.
  tls::Level configured = tls::Level::none;
  // Empty optionals: as main.cf has it.
  std::optional<std::string> protocols, cipher_grade, cipher_exclusions, server_name;
  /// Names, or "hostname", "nexthop", "dot-nexthop", that the server's certificate may have.
  std::vector<std::string> match;
  /// Of DNS, fingerprints, or trust anchors.
  std::vector<tls::Tlsa> records;
  std::string base_domain;        ///< With records of DNS.
  bool connection_reuse = false;  ///< Sessions may be kept for other mail.
  bool by_host = false;           ///< Another host of the destination may have another policy.
  StsPolicy sts;
  DaneFacts dane;
  RequireTls require = RequireTls::off;  ///< What the sender has asked for, as far as it counts here.

  /// The same text for policies that let each other's sessions be used.
  std::string identity() const;
};

/// Reads an entry of smtp_tls_policy_maps. Nothing: it is wrong, and that is logged; `where` tells of the
/// place.
std::optional<TlsPolicy> parse_tls_policy(std::string_view text, std::string_view where,
                                          const TlsSettings& settings);

/// Fills in what the policy leaves to main.cf. False: nothing can be sent that way, and that is logged.
bool complete_tls_policy(TlsPolicy& policy, const TlsSettings& settings, std::string_view nexthop);

/// The policy in the terms of a handshake.
tls::Demands demands_of(const TlsPolicy& policy, const smtp::PeerNames& names);

}  // namespace postrider::smtp_client
