#include "smtp/session_cache.h"

#include <algorithm>

namespace postrider::smtp_client {

namespace {

/// Whether the server has hung up, or said something that nobody asked for.
bool has_ended(smtp::ClientSession& client) {
  io::Stream& stream = client.stream();
  if (stream.broken() || stream.at_end() || !stream.buffered().empty()) return true;
  return stream.fill_available() || stream.at_end();
}

void drop_from(auto& index, std::string_view key, auto entry) {
  auto [first, last] = index.equal_range(key);
  for (auto it = first; it != last; ++it) {
    if (it->second == entry) {
      index.erase(it);
      return;
    }
  }
}

}  // namespace

SessionCache::SessionCache(Clock::duration idle, size_t capacity)
    : idle_(idle), capacity_(capacity), timer_([this] { expire(); }) {}

SessionCache::~SessionCache() = default;

void SessionCache::store(std::unique_ptr<ServerSession> session, std::string destination,
                         std::string address) {
  if (capacity_ == 0) return;
  if (entries_.size() >= capacity_) remove(entries_.begin());
  entries_.push_back({std::move(session), std::move(destination), std::move(address), Clock::now() + idle_});
  auto entry = std::prev(entries_.end());
  if (!entry->destination.empty()) by_destination_.emplace(entry->destination, entry);
  by_address_.emplace(entry->address, entry);
  auto raise = [](uint32_t& peak, size_t value) { peak = std::max(peak, static_cast<uint32_t>(value)); };
  raise(counts_.destinations, by_destination_.size());
  raise(counts_.addresses, by_address_.size());
  raise(counts_.connections, entries_.size());
  if (!timer_.pending()) timer_.start(idle_);
}

void SessionCache::remove(Entries::iterator entry) {
  if (!entry->destination.empty()) drop_from(by_destination_, entry->destination, entry);
  drop_from(by_address_, entry->address, entry);
  entries_.erase(entry);
}

void SessionCache::expire() {
  Clock::time_point now = Clock::now();
  while (!entries_.empty() && entries_.front().until <= now)
    remove(entries_.begin());
  if (!entries_.empty()) timer_.start(entries_.front().until - now);
}

std::unique_ptr<ServerSession> SessionCache::take(Index& index, std::string_view key) {
  for (auto it = index.find(key); it != index.end(); it = index.find(key)) {
    Entries::iterator entry = it->second;
    std::unique_ptr<ServerSession> session = std::move(entry->session);
    bool usable = entry->until > Clock::now() && !has_ended(session->client);
    remove(entry);
    if (usable) return session;
  }
  return nullptr;
}

std::unique_ptr<ServerSession> SessionCache::take_by_destination(std::string_view destination) {
  auto session = take(by_destination_, destination);
  ++(session ? counts_.destination_hits : counts_.destination_misses);
  return session;
}

std::unique_ptr<ServerSession> SessionCache::take_by_address(std::string_view address) {
  auto session = take(by_address_, address);
  ++(session ? counts_.address_hits : counts_.address_misses);
  return session;
}

}  // namespace postrider::smtp_client
