#include "clients/queue_layout.h"

#include "base/text.h"
#include "config/params/qmgr.h"
#include "config/params/system.h"

namespace postrider::clients {

namespace params = config::params;

queue::Layout queue_layout(const config::Config& config) {
  queue::Layout out;
  std::string names = config.get(params::hash_queue_names);
  for (std::string_view name : split_any(names, kListSeparators))
    out.hashed.emplace_back(name);
  out.hash_depth = config.get(params::hash_queue_depth);
  out.long_ids = config.get(params::enable_long_queue_ids);
  return out;
}

queue::Layout removing_queue_layout(const config::Config& config) {
  queue::Layout out = queue_layout(config);
  out.keep_removed = config.get(params::dont_remove) != 0;
  return out;
}

}  // namespace postrider::clients
