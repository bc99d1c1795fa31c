// postscreen_dnsbl_sites: DNS lists, what counts in their replies, and how much.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dns/list.h"

namespace postrider::postscreen {

/// One item, "domain=filter*weight".
struct DnsblSite {
  std::string domain;
  std::optional<dns::Ipv4Pattern> filter;
  int weight = 1;
};

class DnsblSites {
 public:
  /// An error's text is Postfix's "fatal:" line.
  static Result<DnsblSites> parse(std::string_view list);

  const std::vector<DnsblSite>& sites() const { return sites_; }
  /// Each domain that has to be asked, once.
  const std::vector<std::string>& domains() const { return domains_; }

 private:
  std::vector<DnsblSite> sites_;
  std::vector<std::string> domains_;
};

/// What the lists say of one client, put together.
class DnsblScore {
 public:
  explicit DnsblScore(const DnsblSites& sites) : sites_(sites), waits_for_(sites.domains().size()) {}

  /// The answer of a list: the addresses that it has (as proto::DnsblogReply), and for how long that holds
  /// (-1: not known).
  void add(std::string_view domain, std::span<const uint32_t> listed, int64_t ttl);
  /// A list gave no answer.
  void give_up() { --waits_for_; }

  bool complete() const { return waits_for_ == 0; }
  int64_t total() const { return total_; }
  /// The list that counts most against the client; empty: none does.
  const std::string& worst_domain() const { return worst_domain_; }
  /// The shortest time for which an answer holds; nothing when no list has told.
  std::optional<int64_t> ttl() const { return ttl_; }

 private:
  const DnsblSites& sites_;
  size_t waits_for_;
  int64_t total_ = 0;
  int worst_weight_ = 0;
  size_t worst_place_ = 0;
  std::string worst_domain_;
  std::optional<int64_t> ttl_;
};

}  // namespace postrider::postscreen
