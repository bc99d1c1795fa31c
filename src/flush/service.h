// What the flush service does.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "config/config.h"
#include "flush/ledger.h"
#include "proto/flush.h"
#include "queue/store.h"
#include "table/catalog.h"
#include "table/match_list.h"

namespace postrider::flush {

class Service {
 public:
  explicit Service(const config::Config& config);

  // What fast_flush_domains does not list is denied.

  proto::FlushResult add(const std::string& site, const std::string& queue_id, Deadline deadline);
  /// Moves everything that waits for a destination to the front.
  proto::FlushResult send_site(const std::string& site, Deadline deadline);
  /// The same for one message, whatever its destination.
  proto::FlushResult send_message(const std::string& queue_id, Deadline deadline);

  /// Works off lists that nobody asked for during `max_age`, so that they do not grow for ever, and removes
  /// those that have been empty for long.
  void refresh(seconds max_age);
  seconds refresh_time() const { return refresh_time_; }

  /// What the tables in fast_flush_domains need of the file system.
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  /// Whether destinations that do not answer are to be tried all the same.
  enum class DeadSites : bool { leave, retry };

  proto::FlushResult check(const std::string& site, Deadline deadline) const;
  proto::FlushResult drain(const std::string& name, DeadSites dead_sites, Deadline deadline);
  void wake_queue_manager() const;

  const config::Config& config_;
  queue::Store store_;
  Ledger ledger_;
  seconds refresh_time_, purge_time_;
  std::string queue_socket_;
  table::Catalog catalog_;
  std::vector<std::string> paths_;
  table::MatchList domains_;
};

}  // namespace postrider::flush
