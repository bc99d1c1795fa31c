#include "local/account.h"

namespace postrider::local {

template <typename Key>
Result<std::optional<sys::User>> Accounts::find(std::unordered_map<Key, Entry>& cache, const Key& key) {
  auto now = Clock::now();
  auto known = cache.find(key);
  if (known != cache.end() && now < known->second.until) return known->second.user;
  std::optional<sys::User> user = TRY(sys::find_user(key));
  // Entries live for seconds: dropping all of them costs less than keeping an order of use.
  if (cache.size() >= kMaxEntries) cache.clear();
  cache.insert_or_assign(key, Entry{user, now + kLifetime});
  return user;
}

Result<std::optional<sys::User>> Accounts::by_name(const std::string& name) {
  if (name.empty() || name.find('\0') != std::string::npos) return std::nullopt;
  return find(names_, name);
}

Result<std::optional<sys::User>> Accounts::by_uid(uid_t uid) {
  return find(uids_, uid);
}

}  // namespace postrider::local
