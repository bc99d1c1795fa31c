#include "verify/cache.h"

#include <utility>

#include <fmt/format.h>

#include "io/fiber.h"

namespace postrider::verify {

using proto::AddressStatus;

namespace {

/// Entries looked at in one turn of the loop.
constexpr size_t kSweepStep = 100;
/// Longer texts help nobody and fill the table.
constexpr size_t kMaxText = 1000;

std::optional<int64_t> take_number(std::string_view& rest) {
  size_t colon = rest.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto number = parse_unsigned(rest.substr(0, colon));
  rest.remove_prefix(colon + 1);
  if (!number || *number > INT64_MAX) return std::nullopt;
  return static_cast<int64_t>(*number);
}

}  // namespace

std::string Knowledge::entry() const {
  return fmt::format("{}:{}:{}:{}", static_cast<int>(status), probed, updated, text.substr(0, kMaxText));
}

std::optional<Knowledge> Knowledge::parse(std::string_view entry) {
  auto status = take_number(entry);
  auto probed = status ? take_number(entry) : std::nullopt;
  auto updated = probed ? take_number(entry) : std::nullopt;
  if (!updated || *status > static_cast<int64_t>(AddressStatus::in_progress) || entry.empty())
    return std::nullopt;
  if (*probed == 0 && *updated == 0) return std::nullopt;
  return Knowledge{static_cast<AddressStatus>(*status), *probed, *updated, std::string(entry)};
}

Result<std::optional<Knowledge>> Cache::find(std::string_view address, Deadline deadline) {
  if (table_) {
    auto entry = TRY(table_->lookup(address, deadline));
    return entry ? Knowledge::parse(*entry) : std::nullopt;
  }
  auto it = memory_.find(address);
  return it == memory_.end() ? std::nullopt : Knowledge::parse(it->second);
}

Result<void> Cache::store(std::string_view address, const Knowledge& knowledge, Deadline deadline) {
  if (table_) {
    dirty_ = true;
    return table_->put(address, knowledge.entry(), deadline);
  }
  if (memory_.size() >= max_entries_ && !memory_.contains(address)) memory_.erase(memory_.begin());
  memory_.insert_or_assign(std::string(address), knowledge.entry());
  return {};
}

Result<Cache::Counts> Cache::sweep(const std::function<bool(const Knowledge&)>& expired) {
  if (table_) return sweep_table(expired);
  Counts counts;
  counts.dropped = std::erase_if(memory_, [&](const auto& item) {
    auto knowledge = Knowledge::parse(item.second);
    return !knowledge || expired(*knowledge);
  });
  counts.retained = memory_.size();
  return counts;
}

Result<Cache::Counts> Cache::sweep_table(const std::function<bool(const Knowledge&)>& expired) {
  // The table may be closed while this waits.
  std::shared_ptr<table::Table> table = table_;
  Counts counts;
  for (auto entry = TRY(table->first(Deadline::never())); entry; entry =
                                                                     TRY(table->next(Deadline::never()))) {
    auto knowledge = Knowledge::parse(entry->value);
    if (!knowledge || expired(*knowledge)) {
      TRY(table->remove(entry->key, Deadline::never()));
      ++counts.dropped;
    } else {
      ++counts.retained;
    }
    if ((counts.dropped + counts.retained) % kSweepStep == 0) io::sleep_for(milliseconds(1));
    if (!table_) return counts;
  }
  TRY(table->sync());
  return counts;
}

Result<void> Cache::flush() {
  if (!table_ || !std::exchange(dirty_, false)) return {};
  return table_->sync();
}

void Cache::close() {
  if (table_) (void)table_->sync();
  table_.reset();
}

}  // namespace postrider::verify
