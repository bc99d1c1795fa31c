#include "table/string_map.h"

namespace postrider::table {

size_t StringMap::slot_of(std::string_view key, uint32_t hash) const {
  size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.item == kFree) return at;
    if (slot.hash == hash && this->at(slot.item).key == key) return at;
  }
}

void StringMap::grow() {
  std::vector<Slot> old = std::move(slots_);
  slots_.assign(old.empty() ? 16 : old.size() * 2, Slot{});
  size_t mask = slots_.size() - 1;
  for (const Slot& one : old) {
    if (one.item == kFree) continue;
    size_t slot = one.hash & mask;
    while (slots_[slot].item != kFree)
      slot = (slot + 1) & mask;
    slots_[slot] = one;
  }
}

void StringMap::append(std::string_view key, std::string_view value, uint32_t hash, size_t slot) {
  slots_[slot] = {hash, static_cast<uint32_t>(items_.size())};
  size_t offset = arena_.size();
  items_.push_back(
      {offset, offset + key.size(), static_cast<uint32_t>(key.size()), static_cast<uint32_t>(value.size())});
  arena_.append(key).append(value);
}

bool StringMap::insert(std::string_view key, std::string_view value) {
  if (3 * (items_.size() + 1) > 2 * slots_.size()) grow();
  uint32_t hash = hash_of(key);
  size_t slot = slot_of(key, hash);
  if (slots_[slot].item != kFree) return false;
  append(key, value, hash, slot);
  return true;
}

void StringMap::assign(std::string_view key, std::string_view value) {
  if (3 * (items_.size() + 1) > 2 * slots_.size()) grow();
  uint32_t hash = hash_of(key);
  size_t slot = slot_of(key, hash);
  if (slots_[slot].item == kFree) return append(key, value, hash, slot);
  Item& item = items_[slots_[slot].item];
  item.value_offset = arena_.size();
  item.value_size = static_cast<uint32_t>(value.size());
  arena_.append(value);
}

std::optional<std::string_view> StringMap::find(std::string_view key) const {
  if (slots_.empty()) return std::nullopt;
  const Slot& slot = slots_[slot_of(key, hash_of(key))];
  if (slot.item == kFree) return std::nullopt;
  return at(slot.item).value;
}

void StringMap::clear() {
  arena_.clear();
  items_.clear();
  slots_.clear();
}

}  // namespace postrider::table
