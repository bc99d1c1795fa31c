// Which mail filters mail from a client goes through.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "milter/settings.h"
#include "table/maps.h"

namespace postrider::smtpd {

class Milters {
 public:
  /// Opens smtpd_milter_maps; what it needs of the file system is added to `paths`. Throws ConfigError.
  Milters(const config::Config& config, table::Catalog& catalog, std::vector<std::string>& paths);

  const milter::Settings& settings() const { return settings_; }
  /// The filters for a client. An error is a line for the log: what the tables say cannot be used.
  Result<std::vector<milter::FilterSettings>> filters_for(std::string_view address, Deadline deadline) const;

 private:
  milter::Settings settings_;
  std::vector<milter::FilterSettings> filters_;
  table::Maps maps_;
};

}  // namespace postrider::smtpd
