// The tables that the administrator lets others use through this service.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace postrider::proxymap {

/// All tables that a list names as "proxy:type:name", also inside "/file/name" lists and restriction classes.
class Approved {
 public:
  /// `list` is the expanded value of proxy_read_maps or proxy_write_maps.
  Approved(const config::Config& config, std::string_view list);

  /// `table` is without "proxy:".
  bool contains(std::string_view table) const { return tables_.contains(table); }
  const std::set<std::string, std::less<>>& tables() const { return tables_; }

 private:
  void add(std::string_view list, int depth);
  void add_file(const std::string& path, int depth);
  void add_class(std::string_view name, int depth);

  const config::Config& config_;
  std::set<std::string, std::less<>> classes_;  ///< Names in smtpd_restriction_classes.
  std::set<std::string, std::less<>> seen_;     ///< Files and classes that were looked into.
  std::set<std::string, std::less<>> tables_;
};

}  // namespace postrider::proxymap
