#include "scache/statistics.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/time_text.h"

namespace postrider::scache {

namespace {

/// "Nov 26 10:08:40"
std::string clock_text(time_t when) {
  return asctime_date(when).substr(4, 15);
}

void add_lookups(std::vector<std::string>& lines, const char* what, uint64_t hits, uint64_t misses) {
  if (hits + misses == 0) return;
  lines.push_back(fmt::format("statistics: {} lookup hits={} miss={} success={}%", what, hits, misses,
                              hits * 100 / (hits + misses)));
}

}  // namespace

void Statistics::add(uint64_t process, const proto::CacheReport& report) {
  destination_hits_ += report.destination_hits;
  destination_misses_ += report.destination_misses;
  address_hits_ += report.address_hits;
  address_misses_ += report.address_misses;
  Peak& peak = peaks_[process];
  peak.destinations = std::max(peak.destinations, report.destinations);
  peak.addresses = std::max(peak.addresses, report.addresses);
  peak.connections = std::max(peak.connections, report.connections);
}

std::vector<std::string> Statistics::take_lines(time_t now) {
  std::vector<std::string> lines;
  uint64_t destinations = 0, addresses = 0, connections = 0;
  for (const auto& [process, peak] : peaks_) {
    destinations += peak.destinations;
    addresses += peak.addresses;
    connections += peak.connections;
  }
  add_lookups(lines, "domain", destination_hits_, destination_misses_);
  add_lookups(lines, "address", address_hits_, address_misses_);
  if (destinations + addresses + connections > 0) {
    lines.push_back(fmt::format("statistics: max simultaneous domains={} addresses={} connection={}",
                                destinations, addresses, connections));
  }
  if (!lines.empty()) {
    lines.insert(lines.begin(), fmt::format("statistics: start interval {}", clock_text(start_)));
  }
  *this = Statistics(now);
  return lines;
}

}  // namespace postrider::scache
