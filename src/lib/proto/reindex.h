// Asking nbdb_reindexd for the index of a table. Types 156 and 157.
#pragma once

#include "ipc/codec.h"

namespace postrider::proto {

struct Reindex {
  static constexpr uint16_t kType = 156;
  ipc::Text<ipc::kMaxName> type;  ///< "hash" or "btree": what the configuration says.
  ipc::Text<ipc::kMaxPath> path;  ///< Of the source.
  void fields(auto& f) { f(type, path); }
};
/// The index is there. That it cannot be made is a Failure.
struct Reindexed {
  static constexpr uint16_t kType = 157;
  void fields(auto&) {}
};

}  // namespace postrider::proto
