#include "dns/cache.h"

namespace postrider::dns {

namespace {

size_t footprint(const std::string& key, const Reply& reply) {
  constexpr size_t kBookkeeping = 160;  // List node, index node, shared count.
  size_t bytes = kBookkeeping + sizeof(Reply) + key.size() + reply.alias.size();
  for (const Record& record : reply.records)
    bytes += sizeof record + record.owner.size() + record.data.size();
  for (const std::string& warning : reply.warnings)
    bytes += sizeof warning + warning.size();
  return bytes;
}

}  // namespace

Cache::Hit Cache::find(std::string_view key) {
  auto found = index_.find(key);
  if (found == index_.end()) return {};
  Entries::iterator entry = found->second;
  Clock::time_point now = Clock::now();
  if (entry->expires <= now) {
    drop(entry);
    return {};
  }
  entries_.splice(entries_.begin(), entries_, entry);
  auto age = std::chrono::duration_cast<seconds>(now - entry->stored).count();
  return {entry->reply, static_cast<uint32_t>(age)};
}

void Cache::store(std::string key, std::shared_ptr<const Reply> reply, seconds lifetime) {
  if (auto old = index_.find(key); old != index_.end()) drop(old->second);
  size_t bytes = footprint(key, *reply);
  if (lifetime <= seconds(0) || bytes > max_bytes_) return;
  while (bytes_ + bytes > max_bytes_)
    drop(std::prev(entries_.end()));
  Clock::time_point now = Clock::now();
  entries_.push_front({std::move(key), std::move(reply), now, now + lifetime, bytes});
  index_.emplace(entries_.front().key, entries_.begin());
  bytes_ += bytes;
}

void Cache::clear() {
  index_.clear();
  entries_.clear();
  bytes_ = 0;
}

void Cache::drop(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  index_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace postrider::dns
