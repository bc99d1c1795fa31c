// Accounts of this machine, remembered for a short time.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "base/deadline.h"
#include "base/result.h"
#include "sys/user.h"

namespace postrider::local {

/// The passwd database. It is asked on the loop's own thread: this process has one delivery at a time, so
/// nobody else waits, and a second thread would make each change of identity many times more expensive.
class Accounts {
 public:
  /// Nothing when there is no such user; an error when the name service cannot answer.
  Result<std::optional<sys::User>> by_name(const std::string& name);
  Result<std::optional<sys::User>> by_uid(uid_t uid);

 private:
  static constexpr seconds kLifetime{10};
  static constexpr size_t kMaxEntries = 10'000;

  struct Entry {
    std::optional<sys::User> user;
    Clock::time_point until;
  };
  template <typename Key>
  Result<std::optional<sys::User>> find(std::unordered_map<Key, Entry>& cache, const Key& key);

  std::unordered_map<std::string, Entry> names_;
  std::unordered_map<uid_t, Entry> uids_;
};

}  // namespace postrider::local
