// The parameter table as a whole: for tools and for the configuration itself.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "config/param.h"

namespace postrider::config {

/// The parameters of one .def file.
struct ParamGroup {
  std::string_view name;
  std::span<const ParamInfo> rows;
};
std::span<const ParamGroup> param_groups();

/// All parameters, sorted by name.
const std::vector<const ParamInfo*>& all_params();
/// Null for names that are not in the table.
const ParamInfo* find_param(std::string_view name);

/// An old name whose end Postfix has announced; one that is not in the table has gone.
struct Deprecation {
  std::string_view name;
  std::string_view advice;  ///< What to do instead: 'specify "smtp_tls_security_level"'.
};
/// Sorted by name.
std::span<const Deprecation> deprecated_params();

}  // namespace postrider::config
