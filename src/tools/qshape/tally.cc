#include "tools/qshape/tally.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::qshape {

namespace {

constexpr std::string_view kNullSender = "MAILER-DAEMON";
constexpr size_t kMinNameWidth = 18;
constexpr size_t kMinCellWidth = 2;

std::string domain_or_text(std::string_view address) {
  if (address.empty()) return std::string(kNullSender);
  size_t at = address.rfind('@');
  std::string_view domain = at == address.npos ? address : address.substr(at + 1);
  return lowercase(printable(domain));
}

/// The end of a name that is too long, which tells more than its beginning.
std::string shortened(std::string_view name, size_t width) {
  if (name.size() <= width) return std::string(name);
  std::string_view mark = name.starts_with('.') ? ".+" : "+";
  return std::string(mark) + std::string(name.substr(name.size() - (width - mark.size())));
}

}  // namespace

Tally::Tally(const Shape& shape) : shape_(shape), total_(static_cast<size_t>(shape.buckets) + 1) {
  int64_t limit = shape.bucket_minutes;
  for (int i = 1; i < shape.buckets; ++i) {
    limits_.push_back(limit);
    limit = shape.linear ? limit + shape.bucket_minutes : limit * 2;
  }
}

void Tally::count(Counts& counts, size_t bucket) {
  counts.resize(total_.size());
  ++counts[0];
  ++counts[bucket + 1];
}

void Tally::add(std::string_view address, int64_t age) {
  auto bucket = static_cast<size_t>(
      std::ranges::find_if(limits_, [age](int64_t minutes) { return age < minutes * 60; }) - limits_.begin());
  std::string domain = domain_or_text(address);
  count(total_, bucket);
  count(domains_[domain], bucket);
  if (shape_.parents) count_parents(domain, bucket);
}

void Tally::count_parents(const std::string& domain, size_t bucket) {
  std::string child = domain;
  for (size_t dot = domain.find('.'); dot != domain.npos; dot = domain.find('.', dot + 1)) {
    // What has no further dot is a top-level domain.
    if (domain.find('.', dot + 1) == domain.npos) return;
    std::string parent = domain.substr(dot);
    count(parents_[parent], bucket);
    children_[parent].insert(child);
    child = parent;
  }
}

std::vector<Tally::Row> Tally::rows() const {
  std::vector<Row> out;
  for (const auto& [name, counts] : domains_)
    out.push_back({name, &counts});
  for (const auto& [name, counts] : parents_) {
    if (children_.at(name).size() >= shape_.min_subdomains) out.push_back({name, &counts});
  }
  std::ranges::stable_sort(out, [](const Row& a, const Row& b) { return (*a.counts)[0] > (*b.counts)[0]; });
  if (shape_.top_domains > 0 && out.size() > shape_.top_domains) out.resize(shape_.top_domains);
  return out;
}

std::vector<std::string> Tally::labels() const {
  std::vector<std::string> out = {"T"};
  for (int64_t limit : limits_)
    out.push_back(fmt::format("{}", limit));
  out.push_back(fmt::format("{}+", limits_.empty() ? 0 : limits_.back()));
  return out;
}

std::string Tally::line(std::string_view name, const std::vector<std::string>& cells,
                        const std::vector<size_t>& widths, size_t name_width) const {
  std::string out = fmt::format("{:>{}}", shortened(name, name_width), name_width);
  for (size_t i = 0; i < cells.size(); ++i)
    out += fmt::format(" {:>{}}", cells[i], widths[i]);
  return out + "\n";
}

std::string Tally::table() const {
  auto cells_of = [](const Counts& counts) {
    std::vector<std::string> out;
    for (uint64_t number : counts)
      out.push_back(fmt::format("{}", number));
    return out;
  };
  std::vector<std::string> heads = labels(), totals = cells_of(total_);
  std::vector<size_t> widths;
  size_t needed = 0;
  for (size_t i = 0; i < heads.size(); ++i) {
    widths.push_back(std::max({kMinCellWidth, heads[i].size(), totals[i].size()}));
    needed += widths.back() + 1;
  }
  size_t name_width = std::max(kMinNameWidth, shape_.width > needed ? shape_.width - needed : 0);
  std::string out = line("", heads, widths, name_width) + line("TOTAL", totals, widths, name_width);
  for (const Row& row : rows())
    out += line(row.name, cells_of(*row.counts), widths, name_width);
  return out;
}

}  // namespace postrider::qshape
