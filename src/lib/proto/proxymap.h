// Look-ups in tables that another process holds open (proxymap). Types 96 to 103.
#pragma once

#include "ipc/codec.h"

namespace postrider::proto {

struct ProxyLookup {
  static constexpr uint16_t kType = 96;
  ipc::Text<ipc::kMaxPath> table;  ///< "unix:passwd.byname"
  uint32_t flags = 0;
  ipc::Text<ipc::kMaxAddress> key;
  void fields(auto& f) { f(table, flags, key); }
};
struct ProxyFound {
  static constexpr uint16_t kType = 97;
  std::optional<ipc::Text<100'000>> value;
  void fields(auto& f) { f(value); }
};

/// The properties of a table, asked once by each process that uses it.
struct ProxyOpen {
  static constexpr uint16_t kType = 98;
  ipc::Text<ipc::kMaxPath> table;
  uint32_t flags = 0;
  void fields(auto& f) { f(table, flags); }
};
struct ProxyOpened {
  static constexpr uint16_t kType = 99;
  bool patterns = false;  ///< The table matches patterns: whole keys only.
  bool folds = false;     ///< The table ignores case.
  void fields(auto& f) { f(patterns, folds); }
};

}  // namespace postrider::proto
