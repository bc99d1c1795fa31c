#include "clients/queue_layout.h"

#include "base/text.h"
#include "config/params/qmgr.h"

namespace postrider::clients {

namespace params = config::params;

queue::Layout queue_layout(const config::Config& config) {
  queue::Layout out;
  std::string names = config.get(params::hash_queue_names);
  for (std::string_view name : split_any(names, kListSeparators)) out.hashed.emplace_back(name);
  out.hash_depth = config.get(params::hash_queue_depth);
  out.long_ids = config.get(params::enable_long_queue_ids);
  return out;
}

}  // namespace postrider::clients
