// Building cdb files.
#include <unordered_map>

#include "sys/file.h"
#include "table/cdb_file.h"
#include "table/index_builder.h"

namespace postrider::table {

namespace {

void append_number(std::string& out, uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8)
    out += static_cast<char>(number >> shift & 0xff);
}

class CdbWriter : public IndexWriter {
 public:
  CdbWriter(std::string path, std::string name) : path_(std::move(path)), name_(std::move(name)) {}

  Result<void> write_all(const StringMap& entries) override {
    fd_ = TRY(sys::open_file(path_, O_RDWR | O_TRUNC));
    buffer_.assign(kCdbHeader, '\0');
    places_.reserve(entries.size());
    for (size_t i = 0; i < entries.size(); ++i)
      TRY(append(entries.at(i).key, entries.at(i).value));
    return {};
  }

  Result<bool> write(std::string_view key, std::string_view value, bool replace) override {
    uint32_t hash = cdb_hash(key);
    auto earlier = TRY(find(hash, key));
    if (earlier && !replace) return false;
    if (earlier) places_[*earlier].position = 0;
    TRY(append(key, value));
    by_hash_.emplace(hash, places_.size() - 1);
    return !earlier;
  }

  Result<void> finish() override {
    TRY(append_tables());
    TRY(flush());
    // The header was kept free.
    sys::Fd header = TRY(sys::open_file(path_, O_WRONLY));
    TRY(sys::write_all(header.get(), header_));
    fd_.reset();
    return {};
  }

 private:
  static constexpr size_t kFlushAt = size_t{1} << 20;
  struct Place {
    uint32_t hash, position;  ///< Position 0: replaced by a later one.
  };

  Result<void> append(std::string_view key, std::string_view value) {
    size_t position = flushed_ + buffer_.size();
    if (position + 8 + key.size() + value.size() > UINT32_MAX) return too_large();
    places_.push_back({cdb_hash(key), static_cast<uint32_t>(position)});
    append_number(buffer_, static_cast<uint32_t>(key.size()));
    append_number(buffer_, static_cast<uint32_t>(value.size()));
    buffer_ += key;
    buffer_ += value;
    return buffer_.size() >= kFlushAt ? flush() : Result<void>();
  }

  std::unexpected<Error> too_large() const {
    return fail(ErrorKind::limit, fmt::format("error writing {}: a cdb file holds 4 GB at most", name_));
  }

  Result<void> flush() {
    TRY(sys::write_all(fd_.get(), buffer_));
    flushed_ += buffer_.size();
    buffer_.clear();
    return {};
  }

  /// The place of the entry with this key.
  Result<std::optional<size_t>> find(uint32_t hash, std::string_view key) {
    if (by_hash_.empty())
      for (size_t i = 0; i < places_.size(); ++i)
        by_hash_.emplace(places_[i].hash, i);
    auto [begin, end] = by_hash_.equal_range(hash);
    for (auto at = begin; at != end; ++at) {
      const Place& place = places_[at->second];
      if (place.position != 0 && TRY(key_at(place.position, key.size() + 1)) == key) return at->second;
    }
    return std::nullopt;
  }

  /// The key of a record, or as much of it as `most`.
  Result<std::string> key_at(uint32_t position, size_t most) {
    TRY(flush());
    std::string out(8 + most, '\0');
    size_t count = TRY(sys::read_at(fd_.get(), out.data(), out.size(), position));
    out.resize(count);
    uint32_t size = 0;
    for (size_t i = 4; i > 0; --i)
      size = size << 8 | static_cast<unsigned char>(count >= 8 ? out[i - 1] : '\0');
    return out.substr(std::min<size_t>(8, count), size);
  }

  /// For each table twice as many slots as entries.
  Result<void> append_tables() {
    std::vector<uint32_t> counts(kCdbTables), begins(kCdbTables + 1);
    for (const Place& place : places_)
      if (place.position != 0) ++counts[place.hash % kCdbTables];
    for (size_t i = 0; i < kCdbTables; ++i)
      begins[i + 1] = begins[i] + counts[i];
    std::vector<Place> sorted(begins[kCdbTables]);
    std::vector<uint32_t> next(begins.begin(), begins.end() - 1);
    for (const Place& place : places_)
      if (place.position != 0) sorted[next[place.hash % kCdbTables]++] = place;
    for (size_t i = 0; i < kCdbTables; ++i) {
      size_t position = flushed_ + buffer_.size();
      uint32_t slots = counts[i] * 2;
      if (position + size_t{slots} * 8 > UINT32_MAX) return too_large();
      append_number(header_, static_cast<uint32_t>(position));
      append_number(header_, slots);
      std::vector<Place> table(slots);
      for (uint32_t at = begins[i]; at < begins[i + 1]; ++at) {
        uint32_t slot = (sorted[at].hash >> 8) % slots;
        while (table[slot].position != 0)
          slot = slot + 1 == slots ? 0 : slot + 1;
        table[slot] = sorted[at];
      }
      for (const Place& place : table) {
        append_number(buffer_, place.hash);
        append_number(buffer_, place.position);
      }
      if (buffer_.size() >= kFlushAt) TRY(flush());
    }
    return {};
  }

  std::string path_, name_;
  sys::Fd fd_;
  std::string buffer_, header_;
  size_t flushed_ = 0;
  std::vector<Place> places_;
  std::unordered_multimap<uint32_t, size_t> by_hash_;  // Made when entries come one by one.
};

}  // namespace

CreateResult create_cdb(std::string_view name, mode_t mode, const OpenOptions& options) {
  std::string index = fmt::format("{}.cdb", name), spec = fmt::format("cdb:{}", name);
  auto file = IndexFile::begin(index, mode, IndexFile::Lock::flock);
  if (!file) return std::unexpected(Error::from_errno("open database " + index, file.error().code));
  auto writer = std::make_unique<CdbWriter>(file->path(), spec);
  // Nobody locks these files for reading: they can only be replaced.
  auto refuse = [index](const std::string&, const std::string&, int) {
    return Result<void>(fail(ErrorKind::denied, fmt::format("rename {}.tmp: Permission denied", index)));
  };
  return std::make_unique<IndexBuilder>(spec, std::string(name), options, std::move(*file), std::move(writer),
                                        refuse);
}

}  // namespace postrider::table
