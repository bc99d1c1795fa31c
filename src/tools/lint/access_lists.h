// The restriction lists of a service as smtpd reads them, with tables opened as far as they are here.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/restriction.h"
#include "table/catalog.h"
#include "tools/lint/model.h"

namespace postrider::lint {

/// The parameters with lists of restrictions, and the classes of the service; main.cf's without one.
std::vector<std::string> list_parameters(const Model& model, const Service* service);

class AccessLists {
 public:
  /// Throws ConfigError for a class that is not defined.
  AccessLists(const Model& model, const Service* service);

  access::RestrictionList read(std::string_view value) const { return reader_.read_text(value); }

 private:
  const config::Config& config_;
  table::Catalog catalog_;
  std::vector<std::string> paths_;
  access::RestrictionReader reader_;
};

}  // namespace postrider::lint
