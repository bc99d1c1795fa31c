// Tables that another process holds open (proxymap, proxywrite). Types 96 to 111.
#pragma once

#include "ipc/codec.h"

namespace postrider::proto {

/// How the table is to be opened; tables of the same name and different flags are different tables.
enum ProxyFlag : uint32_t {
  kProxyFoldFixed = 1 << 0,     ///< Keys are case-folded where they are fixed strings.
  kProxyFoldPatterns = 1 << 1,  ///< Keys are case-folded where the table matches patterns.
  kProxyParanoid = 1 << 2,      ///< Nothing that a sender could influence.
  kProxyValuesAreFiles = 1 << 3,
  kProxyNoSubstitution = 1 << 4,  ///< No $1 in values.
};

/// Which table: the beginning of all requests.
struct ProxyTable {
  ipc::Text<ipc::kMaxPath> name;  ///< "unix:passwd.byname"
  uint32_t flags = 0;             ///< ProxyFlag
  void fields(auto& f) { f(name, flags); }
};

using ProxyKey = ipc::Text<8 * 1024>;
using ProxyValue = ipc::Text<256 * 1024>;

struct ProxyLookup {
  static constexpr uint16_t kType = 96;
  ProxyTable table;
  ProxyKey key;
  void fields(auto& f) { f(table, key); }
};
struct ProxyFound {
  static constexpr uint16_t kType = 97;
  std::optional<ProxyValue> value;
  void fields(auto& f) { f(value); }
};

/// Sets a value. Proxywrite only, as the next.
struct ProxyUpdate {
  static constexpr uint16_t kType = 98;
  ProxyTable table;
  ProxyKey key;
  ProxyValue value;
  void fields(auto& f) { f(table, key, value); }
};
struct ProxyDelete {
  static constexpr uint16_t kType = 99;
  ProxyTable table;
  ProxyKey key;
  void fields(auto& f) { f(table, key); }
};
/// Answers both.
struct ProxyChanged {
  static constexpr uint16_t kType = 100;
  bool existed = false;  ///< There was such an entry.
  void fields(auto& f) { f(existed); }
};

/// The first entry, or the one that follows the one returned last to this `reader`.
struct ProxySequence {
  static constexpr uint16_t kType = 101;
  ProxyTable table;
  uint64_t reader = 0;  ///< A number that the asker has chosen at random.
  bool first = false;
  void fields(auto& f) { f(table, reader, first); }
};
struct ProxyEntry {
  static constexpr uint16_t kType = 102;
  bool present = false;  ///< False at the end.
  ProxyKey key;
  ProxyValue value;
  void fields(auto& f) { f(present, key, value); }
};

}  // namespace postrider::proto
