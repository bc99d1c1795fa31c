// Counting mail by domain and age.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::qshape {

struct Shape {
  int buckets = 10;
  int64_t bucket_minutes = 5;
  bool linear = false;   ///< Ages are multiples of bucket_minutes; else each bucket is twice the one before.
  bool parents = false;  ///< Also a row for each parent domain
  size_t min_subdomains = 5;  ///< that has at least so many children.
  size_t width = 80;          ///< Columns of the table, unless it needs more.
  size_t top_domains = 0;     ///< Rows that are shown; 0: all.
};

class Tally {
 public:
  explicit Tally(const Shape& shape);

  /// Counts an address, or a text without domain as it is, of a message that is `age` seconds old.
  void add(std::string_view address, int64_t age);

  /// The table: domains with most mail first.
  std::string table() const;

 private:
  using Counts = std::vector<uint64_t>;  ///< All, then by age.
  struct Row {
    std::string name;
    const Counts* counts;
  };

  void count(Counts& counts, size_t bucket);
  void count_parents(const std::string& domain, size_t bucket);
  std::vector<Row> rows() const;
  std::vector<std::string> labels() const;
  std::string line(std::string_view name, const std::vector<std::string>& cells,
                   const std::vector<size_t>& widths, size_t name_width) const;

  Shape shape_;
  std::vector<int64_t> limits_;  ///< Minutes; what is older than all belongs to the last bucket.
  Counts total_;
  std::map<std::string, Counts> domains_;
  std::map<std::string, Counts> parents_;                  ///< By ".example.com".
  std::map<std::string, std::set<std::string>> children_;  ///< Of the parents.
};

}  // namespace postrider::qshape
