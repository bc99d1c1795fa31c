// Asking name servers.
//
// Fibers ask, c-ares works on the event loop. Identical questions that are asked at the same time become one,
// and answers are remembered as long as their TTL allows. What is said in replies and logs when a name cannot
// be found is what Postfix says.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "dns/record.h"
#include "dns/resolv_conf.h"

namespace postrider::dns {

/// What a lookup came to. The order is that of importance: of several lookups for one name, the result with
/// the greater status is the one to report.
enum class Status : unsigned char {
  not_found,     ///< No such name, or no record of this type; Answer::no_such_name tells which.
  null_service,  ///< The domain says that it does not offer the service: a null MX or SRV record.
  failed,        ///< The name server cannot answer, and will not later.
  malformed,     ///< The answer has names that are no host names.
  try_again,     ///< No name server answered, or the answer was damaged.
  policy,        ///< A reply filter has left nothing.
  found,
};

struct Answer {
  Status status = Status::try_again;
  bool no_such_name = false;    ///< NXDOMAIN, as opposed to a name without records of the type.
  std::vector<Record> records;  ///< In the order of the answer; not empty exactly for Status::found.
  std::string text;             ///< For a reply or a log line; empty for Status::found.
  /// Status::not_found: for how many seconds that is so (RFC 2308), where the name server tells.
  std::optional<uint32_t> negative_ttl;
  bool found() const { return status == Status::found; }
};

/// How names without enough dots are completed from resolv.conf: smtp_dns_resolver_options.
struct SearchOptions {
  bool default_domain = false;  ///< res_defnames: the first search domain, for names without any dot.
  bool search_list = false;     ///< res_dnsrch: all search domains.
};

struct LookupOptions {
  bool dnssec = false;  ///< Ask for validation; without it no record counts as validated.
  SearchOptions search;
  /// For several types: the first type that has records is enough, and so is what a domain says of its MX.
  bool stop_when_found = false;
  bool filter = true;  ///< Apply ResolverSettings::filter.
  bool warn = true;    ///< Log what is odd about an answer.
};

/// Decides about each record of an answer: *_dns_reply_filter. May suspend.
class ReplyFilter {
 public:
  virtual ~ReplyFilter() = default;
  /// The name of the parameter, for warnings.
  virtual std::string_view name() const = 0;
  /// What the tables say about a record in the form of Record::text().
  virtual Result<std::optional<std::string>> action(std::string_view record, Deadline deadline) = 0;
};

struct ResolverSettings {
  /// Read at the first lookup, and again when it has changed. While it cannot be seen, what was read stays.
  std::string resolv_conf_path = "/etc/resolv.conf";
  Clock::duration conf_check_interval = seconds(1);  ///< How often to look whether it has changed, at most.
  /// Used instead of that file when set.
  std::optional<ResolvConf> fixed;
  std::shared_ptr<ReplyFilter> filter;
  /// "type:name" asked for once a DNSSEC lookup was not validated, to find out whether the name server
  /// validates at all; empty: never. See dnssec_probe.
  std::string dnssec_probe = "ns:.";
  size_t cache_bytes = 4 * 1024 * 1024;
  /// Answers are not remembered for longer, whatever their TTL: a corrected zone should be noticed soon. The
  /// name server behind resolv.conf has a cache as well.
  seconds max_ttl{300};
  seconds max_negative_ttl{60};
};

/// One per process, on its loop; destroy it before the loop.
class Resolver {
 public:
  explicit Resolver(ResolverSettings settings);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Reads resolv.conf now: for a process that is about to lose sight of it.
  void prepare();
  /// Follows aliases. A deadline that passes is Status::try_again. Warnings about odd answers are logged.
  Answer lookup(std::string_view name, Type type, const LookupOptions& options, Deadline deadline);
  /// One name, several types: all records found, or the most important failure. All are asked for at once
  /// unless the first that has records is enough.
  Answer lookup(std::string_view name, std::span<const Type> types, const LookupOptions& options,
                Deadline deadline);
  /// Starts a lookup whose answer will be wanted soon.
  void prefetch(std::string_view name, Type type, bool dnssec);

  /// Questions that were sent to name servers, for tests and statistics.
  size_t queries_sent() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace postrider::dns
