// Looking up, and changing, on behalf of others.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "ipc/server.h"
#include "proto/proxymap.h"
#include "proxymap/approved.h"
#include "table/catalog.h"

namespace postrider::proxymap {

/// Whether this process may change tables.
enum class Role : unsigned char { reader, writer };

class Service {
 public:
  Service(const config::Config& config, Role role);

  void add_handlers(ipc::Dispatcher& dispatcher);
  /// What approved tables need of the file system.
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  /// Where one asker is in the sequence of a table's entries: with a table of its own, as a table has one
  /// place only.
  struct Reader {
    uint64_t number = 0;
    std::string table;
    std::unique_ptr<table::Catalog> catalog;
    std::shared_ptr<table::Table> opened;
  };

  Result<std::shared_ptr<table::Table>> open(const proto::ProxyTable& table, table::Catalog& catalog) const;
  Result<void> check(const proto::ProxyTable& table) const;
  Result<void> check_writer(const proto::ProxyTable& table) const;
  Result<proto::ProxyEntry> sequence(const proto::ProxySequence& request, Deadline deadline);
  Result<Reader*> reader(const proto::ProxySequence& request);

  Role role_;
  std::string service_;  ///< The name under which it is configured.
  table::OpenOptions options_;
  Approved approved_;
  std::vector<std::string> paths_;
  table::Catalog catalog_;
  std::vector<Reader> readers_;  ///< Those that asked last at the end.
};

}  // namespace postrider::proxymap
