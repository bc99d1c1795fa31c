#include "table/server_list.h"

#include <algorithm>

#include "base/text.h"
#include "sys/name_service.h"
#include "sys/random.h"

namespace postrider::table {

ServerList::ServerList(std::vector<Entry> entries, seconds retry_after)
    : entries_(std::move(entries)),
      failed_until_(entries_.size(), Clock::time_point::min()),
      retry_after_(retry_after) {}

std::vector<size_t> ServerList::order(const std::vector<bool>& connected) const {
  std::vector<size_t> out;
  Clock::time_point now = Clock::now();
  for (size_t i = 0; i < entries_.size(); ++i) {
    // The only one is tried at once, as there is no other.
    if (entries_.size() == 1 || failed_until_[i] <= now) out.push_back(i);
  }
  for (size_t i = out.size(); i > 1; --i)
    std::swap(out[i - 1], out[sys::random_u64() % i]);
  auto rank = [&](size_t i) { return std::pair(!connected[i], entries_[i].server.path.empty()); };
  std::ranges::stable_sort(out, {}, rank);
  return out;
}

void ServerList::failed(size_t index) {
  failed_until_[index] = Clock::now() + retry_after_;
}

ServerList::Entry parse_server(std::string_view text) {
  ServerList::Entry out;
  out.text = out.shown = text;
  if (text.find("://") != std::string_view::npos) {
    out.server.url = text;
    return out;
  }
  for (std::string_view prefix : {"unix:", "inet:"})
    if (text.starts_with(prefix)) {
      text.remove_prefix(prefix.size());
      break;
    }
  out.shown = text;
  if (text.starts_with('/')) {
    out.server.path = text;
    return out;
  }
  std::string_view host = text, port;
  size_t close = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  if (close != std::string_view::npos) {
    host = text.substr(1, close - 1);
    std::string_view rest = text.substr(close + 1);
    if (rest.starts_with(':')) port = rest.substr(1);
  } else if (size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  out.server.host = host;
  if (auto number = parse_unsigned(port); number && *number <= UINT16_MAX)
    out.server.port = static_cast<uint16_t>(*number);
  else if (auto known = port.empty() ? std::optional<uint16_t>(0) : sys::service_port(std::string(port)))
    out.server.port = *known;
  else
    out.unknown_port = port;
  return out;
}

}  // namespace postrider::table
