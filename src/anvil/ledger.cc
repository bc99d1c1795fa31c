#include "anvil/ledger.h"

#include <limits>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace postrider::anvil {

namespace {

constexpr std::string_view kNames[Statistics::kKinds] = {
    "connection rate", "connection count", "message rate", "recipient rate", "newtls rate", "auth rate"};

std::string clock_text(time_t when) {
  std::tm local{};
  localtime_r(&when, &local);
  return fmt::format("{:%b %d %H:%M:%S}", local);
}

void increase(uint32_t& number) {
  if (number < std::numeric_limits<uint32_t>::max()) ++number;
}

}  // namespace

void Statistics::note(Kind kind, uint32_t value, std::string_view ident, time_t when) {
  Peak& peak = peaks_[kind];
  if (value <= peak.value) return;
  peak.value = value;
  peak.ident = ident;
  peak.when = when;
}

void Statistics::note_size(size_t entries, time_t when) {
  if (entries <= most_entries_) return;
  most_entries_ = entries;
  most_when_ = when;
}

std::vector<std::string> Statistics::take(seconds time_unit) {
  std::vector<std::string> out;
  for (size_t i = 0; i < kKinds; ++i) {
    const Peak& peak = peaks_[i];
    if (peak.value == 0) continue;
    std::string unit = i == count ? "" : fmt::format("/{}s", time_unit.count());
    out.push_back(fmt::format("statistics: max {} {}{} for ({}) at {}", kNames[i], peak.value, unit,
                              peak.ident, clock_text(peak.when)));
  }
  if (most_entries_ > 0) {
    out.push_back(fmt::format("statistics: max cache size {} at {}", most_entries_, clock_text(most_when_)));
  }
  *this = {};
  return out;
}

Ledger::Entry* Ledger::find_or_make(std::string_view ident) {
  auto it = entries_.find(ident);
  if (it != entries_.end()) {
    renew(it->second);
    return &it->second;
  }
  if (entries_.size() >= max_entries_) return nullptr;
  Entry& entry = entries_[std::string(ident)];
  entry.start = now_();
  statistics_.note_size(entries_.size(), wall_());
  return &entry;
}

void Ledger::renew(Entry& entry) const {
  Clock::time_point now = now_();
  if (now - entry.start <= time_unit_) return;
  entry.start = now;
  entry.connection_rate = 0;
  entry.rates = {};
}

Result<Ledger::Answer> Ledger::connect(std::string_view ident) {
  Entry* entry = find_or_make(ident);
  if (!entry) return fail(ErrorKind::limit, "too many clients");
  increase(entry->connections);
  increase(entry->connection_rate);
  statistics_.note(Statistics::rate, entry->connection_rate, ident, wall_());
  statistics_.note(Statistics::count, entry->connections, ident, wall_());
  return Answer{entry->connections, entry->connection_rate};
}

void Ledger::disconnect(std::string_view ident) {
  auto it = entries_.find(ident);
  if (it != entries_.end() && it->second.connections > 0) --it->second.connections;
}

Result<uint32_t> Ledger::event(std::string_view ident, proto::AnvilEvent event, bool report_only) {
  Entry* entry = find_or_make(ident);
  if (!entry) return fail(ErrorKind::limit, "too many clients");
  auto index = static_cast<size_t>(event);
  if (index >= proto::kAnvilEvents) return fail(ErrorKind::invalid, "unknown event");
  uint32_t& rate = entry->rates[index];
  if (!report_only) {
    increase(rate);
    statistics_.note(static_cast<Statistics::Kind>(Statistics::message + index), rate, ident, wall_());
  }
  return rate;
}

void Ledger::expire() {
  Clock::time_point now = now_();
  std::erase_if(entries_, [&](const auto& item) {
    return item.second.connections == 0 && now - item.second.start > time_unit_;
  });
}

}  // namespace postrider::anvil
