// Building hash and btree files.
#include <algorithm>
#include <bit>
#include <cerrno>
#include <numeric>

#include "sys/file.h"
#include "table/berkeley_db.h"
#include "table/index_builder.h"

namespace postrider::table {

namespace {

/// The hash function of the file format.
uint32_t hash_of(std::string_view key) {
  uint32_t hash = 0;
  for (char c : key)
    hash = (hash * 16777619U) ^ static_cast<unsigned char>(c);
  return hash;
}

/// The library lets a hash file grow bucket by bucket and rewrites most pages many times over. Knowing all
/// the entries, we have it begin with the number of buckets that they need, and fill one after the other.
class HashPlan {
 public:
  explicit HashPlan(const StringMap& entries) : entries_(entries), hashes_(entries.size()) {
    size_t total = 0;
    for (size_t i = 0; i < entries.size(); ++i) {
      hashes_[i] = hash_of(entries.at(i).key);
      total += size_in_page(i);
    }
    // Small files fit into the cache while they grow.
    if (total > kWorthwhile) lay_out(total);
  }

  const HashLayout& layout() const { return layout_; }

  std::vector<uint32_t> order() const {
    std::vector<uint32_t> out(entries_.size());
    std::iota(out.begin(), out.end(), 0U);
    if (layout_.buckets == 0) return out;
    uint32_t mask = layout_.buckets - 1;
    std::stable_sort(out.begin(), out.end(),
                     [&](uint32_t a, uint32_t b) { return (hashes_[a] & mask) < (hashes_[b] & mask); });
    return out;
  }

 private:
  static constexpr size_t kWorthwhile = 1 << 20;
  static constexpr uint32_t kPageSize = 8192;
  static constexpr uint32_t kUsable = kPageSize - 64;
  static constexpr uint32_t kMaxBuckets = 1 << 20;

  size_t size_in_page(size_t index) const {
    constexpr size_t kOverhead = 6;  // For key and value together: two offsets and two type bytes.
    auto entry = entries_.at(index);
    return entry.key.size() + entry.value.size() + kOverhead;
  }

  /// Whether every bucket fits into its page; a bucket that does not makes the file grow.
  bool fits(uint32_t buckets, uint32_t& most) const {
    std::vector<uint32_t> bytes(buckets), counts(buckets);
    for (size_t i = 0; i < hashes_.size(); ++i) {
      uint32_t bucket = hashes_[i] & (buckets - 1);
      bytes[bucket] += static_cast<uint32_t>(std::min<size_t>(size_in_page(i), kUsable));
      ++counts[bucket];
    }
    most = *std::max_element(counts.begin(), counts.end());
    return *std::max_element(bytes.begin(), bytes.end()) <= kUsable;
  }

  void lay_out(size_t total) {
    // From three quarters full down to an eighth; then some entries are too large for this to matter.
    size_t least = total / (kPageSize * 3 / 4) + 1;
    if (least > kMaxBuckets) return;
    uint32_t buckets = std::bit_ceil(static_cast<uint32_t>(least));
    uint32_t most = 0;
    for (int i = 0; i < 2 && !fits(buckets, most); ++i)
      buckets *= 2;
    layout_ = {.page_size = kPageSize, .buckets = buckets, .per_bucket = 2 * most};
    // Buckets times entries is a 32-bit parameter of the library.
    if (uint64_t{buckets} * layout_.per_bucket > UINT32_MAX) layout_ = {};
  }

  const StringMap& entries_;
  std::vector<uint32_t> hashes_;
  HashLayout layout_;
};

class BerkeleyWriter : public IndexWriter {
 public:
  BerkeleyWriter(std::string path, DBTYPE type, size_t cache)
      : path_(std::move(path)), type_(type), cache_(cache) {}

  Result<void> write_all(const StringMap& entries) override {
    if (type_ == DB_BTREE) {
      TRY(open({}));
      return write_in(entries, sorted_by_key(entries));
    }
    HashPlan plan(entries);
    TRY(open(plan.layout()));
    return write_in(entries, plan.order());
  }

  Result<bool> write(std::string_view key, std::string_view value, bool replace) override {
    DBT k = to_dbt(key), v = to_dbt(value);
    int error = file_->put(file_.get(), nullptr, &k, &v, replace ? 0 : DB_NOOVERWRITE);
    if (error == DB_KEYEXIST) return false;
    if (error != 0) return failed(error);
    return true;
  }

  Result<void> finish() override { return file_.close(); }

 private:
  static constexpr size_t kBatch = 4 << 20;

  std::unexpected<Error> failed(int error) const {
    return berkeley_error(fmt::format("error writing {}", path_), error);
  }

  Result<void> open(const HashLayout& layout) {
    file_ = TRY(BerkeleyFile::open(path_, type_, DB_CREATE | DB_TRUNCATE, cache_, layout));
    return {};
  }

  /// In batches: fewer calls, and each page is looked up once for its run of keys.
  Result<void> write_in(const StringMap& entries, const std::vector<uint32_t>& order) {
    std::vector<uint32_t> buffer(kBatch / sizeof(uint32_t));  // The library stores lengths in it.
    size_t at = 0;
    while (at < order.size()) {
      DBT batch{};
      batch.data = buffer.data();
      batch.ulen = kBatch;
      batch.flags = DB_DBT_USERMEM | DB_DBT_BULK;
      void* position = nullptr;
      DB_MULTIPLE_WRITE_INIT(position, &batch);
      size_t begin = at;
      for (; at < order.size(); ++at) {
        auto entry = entries.at(order[at]);
        DB_MULTIPLE_KEY_WRITE_NEXT(position, &batch, entry.key.data(), entry.key.size(), entry.value.data(),
                                   entry.value.size());
        if (position == nullptr) break;
      }
      if (at == begin) {  // Larger than a batch.
        auto entry = entries.at(order[at++]);
        TRY(write(entry.key, entry.value, true));
        continue;
      }
      DBT unused{};
      if (int error = file_->put(file_.get(), nullptr, &batch, &unused, DB_MULTIPLE_KEY))
        return failed(error);
    }
    return {};
  }

  std::string path_;
  DBTYPE type_;
  size_t cache_;
  BerkeleyFile file_;
};

CreateResult create(std::string_view type_name, DBTYPE type, std::string_view name, mode_t mode,
                    const OpenOptions& options) {
  std::string index = fmt::format("{}.db", name);
  auto old = sys::stat_file(index);
  bool missing = !old && old.error().code == ENOENT;
  // As Postfix's words are.
  if (old && S_ISDIR(old->st_mode)) return std::unexpected(Error::from_errno("open " + index, EISDIR));
  if (old && old->st_size == 0 && options.log)
    options.log(Severity::warning, fmt::format("removing zero-length database file: {}", index));
  auto file = IndexFile::begin(index, mode, IndexFile::Lock::flock);
  if (!file)
    return std::unexpected(
        Error::from_errno((missing ? "open database " : "open ") + index, file.error().code));
  auto writer = std::make_unique<BerkeleyWriter>(file->path(), type, options.berkeley_db_create_buffer_size);
  return std::make_unique<IndexBuilder>(fmt::format("{}:{}", type_name, index), index, options,
                                        std::move(*file), std::move(writer));
}

}  // namespace

CreateResult create_berkeley_hash(std::string_view name, mode_t mode, const OpenOptions& options) {
  return create("hash", DB_HASH, name, mode, options);
}

CreateResult create_berkeley_btree(std::string_view name, mode_t mode, const OpenOptions& options) {
  return create("btree", DB_BTREE, name, mode, options);
}

}  // namespace postrider::table
