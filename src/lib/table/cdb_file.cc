#include "table/cdb_file.h"

#include <algorithm>

namespace postrider::table {

uint32_t cdb_hash(std::string_view key) {
  uint32_t hash = 5381;
  for (char c : key)
    hash = ((hash << 5) + hash) ^ static_cast<unsigned char>(c);
  return hash;
}

std::optional<uint32_t> CdbView::number_at(size_t position) const {
  if (position > bytes_.size() || bytes_.size() - position < 4) return std::nullopt;
  auto byte = [&](size_t i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(bytes_[position + i]));
  };
  return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
}

Result<CdbView> CdbView::over(std::string_view bytes) {
  if (bytes.size() < kCdbHeader) return fail(ErrorKind::invalid, "not a cdb file");
  CdbView out;
  out.bytes_ = bytes;
  // The hash tables follow the records at once.
  out.records_end_ = static_cast<uint32_t>(std::min<size_t>(bytes.size(), UINT32_MAX));
  for (size_t i = 0; i < kCdbTables; ++i)
    out.records_end_ = std::min(out.records_end_, *out.number_at(i * 8));
  if (out.records_end_ < kCdbHeader) return fail(ErrorKind::invalid, "not a cdb file");
  return out;
}

std::optional<CdbView::Record> CdbView::record_at(uint32_t position) const {
  if (position >= records_end_) return std::nullopt;
  auto key_size = number_at(position), value_size = number_at(size_t{position} + 4);
  if (!key_size || !value_size) return std::nullopt;
  size_t key_at = size_t{position} + 8, end = key_at + *key_size + *value_size;
  if (end > records_end_) return std::nullopt;
  return Record{bytes_.substr(key_at, *key_size), bytes_.substr(key_at + *key_size, *value_size),
                static_cast<uint32_t>(end)};
}

std::optional<std::string_view> CdbView::find(std::string_view key) const {
  uint32_t hash = cdb_hash(key);
  size_t entry = (hash % kCdbTables) * 8;
  auto table = number_at(entry), slots = number_at(entry + 4);
  if (!table || !slots || *slots == 0) return std::nullopt;
  uint32_t slot = (hash >> 8) % *slots;
  for (uint32_t seen = 0; seen < *slots; ++seen) {
    size_t at = *table + size_t{slot} * 8;
    auto stored = number_at(at), position = number_at(at + 4);
    if (!stored || !position || *position == 0) return std::nullopt;
    if (*stored == hash) {
      auto record = record_at(*position);
      if (record && record->key == key) return record->value;
    }
    if (++slot == *slots) slot = 0;
  }
  return std::nullopt;
}

}  // namespace postrider::table
