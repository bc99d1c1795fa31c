#include "table/index_builder.h"

#include <algorithm>
#include <numeric>

#include "base/text.h"

namespace postrider::table {

std::vector<uint32_t> sorted_by_key(const StringMap& entries) {
  std::vector<uint32_t> order(entries.size());
  std::iota(order.begin(), order.end(), 0U);
  auto before = [&](uint32_t a, uint32_t b) { return entries.at(a).key < entries.at(b).key; };
  if (!std::is_sorted(order.begin(), order.end(), before)) std::sort(order.begin(), order.end(), before);
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
