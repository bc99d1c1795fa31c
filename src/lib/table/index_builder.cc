#include "table/index_builder.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/text.h"

namespace postrider::table {

namespace {

/// A key to sort by: its beginning is at hand, where the whole of it is somewhere in memory.
struct Place {
  uint64_t first, second;  ///< Bytes as numbers, the first byte highest, zeros behind a short key.
  uint32_t index;
};

uint64_t number_at(std::string_view key, size_t offset) {
  std::array<char, sizeof(uint64_t)> bytes{};
  if (key.size() > offset) key.substr(offset).copy(bytes.data(), bytes.size());
  uint64_t out = std::bit_cast<uint64_t>(bytes);
  return std::endian::native == std::endian::little ? __builtin_bswap64(out) : out;
}

}  // namespace

std::vector<uint32_t> sorted_by_key(const StringMap& entries) {
  std::vector<Place> places;
  places.reserve(entries.size());
  for (uint32_t i = 0; i < entries.size(); ++i) {
    std::string_view key = entries.at(i).key;
    places.push_back({number_at(key, 0), number_at(key, sizeof(uint64_t)), i});
  }
  auto before = [&](const Place& a, const Place& b) {
    if (a.first != b.first) return a.first < b.first;
    if (a.second != b.second) return a.second < b.second;
    return entries.at(a.index).key < entries.at(b.index).key;
  };
  if (!std::ranges::is_sorted(places, before)) std::ranges::sort(places, before);
  std::vector<uint32_t> order;
  order.reserve(places.size());
  for (const Place& place : places)
    order.push_back(place.index);
  return order;
}

Result<bool> IndexBuilder::store() {
  bool replace = options().duplicates == Duplicates::replace;
  if (writing_) return TRY(writer_->write(key_, value_, replace)) || replace;
  if (replace) {
    entries_.assign(key_, value_);
  } else if (!entries_.insert(key_, value_)) {
    return false;
  }
  if (entries_.bytes() > kCollect) {
    TRY(writer_->write_all(entries_));
    entries_.clear();
    writing_ = true;
  }
  return true;
}

Result<void> IndexBuilder::do_add(std::string_view key, std::string_view value, bool terminated) {
  key_ = key;
  value_ = value;
  if (terminated) {
    key_ += '\0';
    value_ += '\0';
  }
  if (!TRY(store()) && options().duplicates == Duplicates::warn && options().log) {
    options().log(Severity::warning,
                  fmt::format("{}: duplicate entry: \"{}\"", duplicate_name_, printable(key)));
  }
  return {};
}

Result<void> IndexBuilder::commit() {
  // An entry that cannot be stored, say; another attempt would not help.
  auto for_good = [](Result<void> done) {
    if (!done && done.error().kind == ErrorKind::temporary) done.error().kind = ErrorKind::system;
    return done;
  };
  if (!writing_) TRY(for_good(writer_->write_all(entries_)));
  entries_.clear();
  TRY(for_good(writer_->finish()));
  return file_.publish(overwrite_);
}

}  // namespace postrider::table
