// Which tables may be indexed with the rights of their owner.
//
// Whoever can ask (a daemon that was taken over) could try to have a file written that is none of his, by
// names made for it, or by changing files and directories while they are looked at. So the rules of
// nbdb_reindexd(8) leave only places that nobody but the owner and root can change.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postrider::nbdb_reindexd {

/// The directories of one parameter.
class Prefixes {
 public:
  /// Relative names in `value` are passed over with a warning.
  Prefixes(std::string_view parameter, std::string value);

  /// Whether the path is below one of them. "/../" is not.
  bool match(std::string_view path) const;
  const std::vector<std::string>& directories() const { return directories_; }
  std::string_view parameter() const { return parameter_; }
  const std::string& value() const { return value_; }

 private:
  std::string_view parameter_;
  std::string value_;
  std::vector<std::string> directories_;
};

/// A file or directory and what is known of it.
struct Seen {
  std::string path;
  struct stat status{};
};

/// Owned by root or `uid`, and nobody else can write to it.
bool is_safe_for(uid_t uid, const struct stat& status);

struct SafetyRules {
  Prefixes root, user;

  /// Whether `source` can be indexed as the owner of its old index; the error says what is in the way, and
  /// how to change that.
  Result<void> check(const Seen& source, const Seen& old_index, const Seen& directory) const;
};

}  // namespace postrider::nbdb_reindexd
