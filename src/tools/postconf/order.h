// The order in which settings are looked at, and so that of the warnings about their values.
#pragma once

#include <string>
#include <vector>

namespace postrider::postconf {

/// Names that Postfix keeps in a hash table, in the order in which it visits them when NORANDOMIZE is in its
/// environment (without it the order changes from run to run): comparisons of outputs need no sorting.
/// `names` are distinct and in the order in which they came into the table.
std::vector<std::string> visiting_order(const std::vector<std::string>& names);

}  // namespace postrider::postconf
