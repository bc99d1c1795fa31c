// What all clients of the process share, and the way that each of them goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/text.h"
#include "config/config.h"
#include "postscreen/dnsbl_lookups.h"
#include "postscreen/dnsbl_sites.h"
#include "postscreen/record.h"
#include "postscreen/replies.h"
#include "postscreen/settings.h"
#include "postscreen/starttls.h"
#include "service/daemon.h"
#include "table/record_cache.h"

namespace postrider::postscreen {

/// A number of clients that counts one more while this lives.
class Counted {
 public:
  Counted(size_t& count, std::function<void()> changed) : count_(count), changed_(std::move(changed)) {
    ++count_;
    if (changed_) changed_();
  }
  ~Counted() {
    --count_;
    if (changed_) changed_();
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  size_t& count_;
  std::function<void()> changed_;
};

class Screener {
 public:
  /// All must outlive it.
  Screener(const config::Config& config, const Settings& settings, const Lists& lists,
           const DnsblSites& sites, table::RecordCache& cache);

  /// Serves one client to its end, or until another service has it.
  void serve(service::Client client);
  /// Whether an entry of the cache is of no use any more.
  bool is_expired(std::string_view entry) const;

  // For Visit.
  const Settings& settings() const { return settings_; }
  const Lists& lists() const { return lists_; }
  const Replies& replies() const { return replies_; }
  const TlsGateway& tls() const { return tls_; }
  DnsblLookups& dnsbl() { return dnsbl_; }
  const Settings::Patience* const& patience() const { return patience_; }
  /// Clients under test, and clients that wait for an SMTP server.
  size_t under_test = 0, waiting = 0;
  /// Looks whether there are too many clients to be patient.
  void watch_stress();
  size_t& connections_of(const std::string& ip) { return connections_[ip]; }
  void forget_connections(const std::string& ip) { connections_.erase(ip); }
  /// What is known of a client. A cache that does not answer knows nothing.
  std::optional<Record> find(const std::string& ip) const;
  void remember(const std::string& ip, const Record& record) const;

 private:
  const Settings& settings_;
  const Lists& lists_;
  table::RecordCache& cache_;
  Replies replies_;
  TlsGateway tls_;
  DnsblLookups dnsbl_;
  const Settings::Patience* patience_;
  bool stressed_ = false;
  std::unordered_map<std::string, size_t, TextHash, std::equal_to<>> connections_;
};

/// Seconds since 1970.
int64_t now();

}  // namespace postrider::postscreen
