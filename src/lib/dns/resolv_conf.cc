#include "dns/resolv_conf.h"

#include <algorithm>

#include "base/text.h"

namespace postrider::dns {

namespace {

constexpr size_t kMaxServers = 3;
constexpr size_t kMaxSearch = 32;
constexpr uint64_t kMaxNdots = 15, kMaxTimeout = 30, kMaxAttempts = 5;  // As the C libraries limit them.
constexpr uint16_t kPort = 53;
constexpr std::string_view kBlanks = " \t\r";

void read_option(std::string_view option, ResolvConf& conf) {
  size_t colon = option.find(':');
  std::string_view name = option.substr(0, colon);
  std::optional<uint64_t> value;
  if (colon != std::string_view::npos) value = parse_unsigned(option.substr(colon + 1));
  if (name == "ndots" && value) conf.ndots = static_cast<unsigned>(std::min(*value, kMaxNdots));
  if (name == "timeout" && value) conf.timeout = seconds(std::clamp<uint64_t>(*value, 1, kMaxTimeout));
  if (name == "attempts" && value)
    conf.attempts = static_cast<unsigned>(std::clamp<uint64_t>(*value, 1, kMaxAttempts));
  if (name == "rotate") conf.rotate = true;
  if (name == "use-vc") conf.use_tcp = true;
}

}  // namespace

ResolvConf parse_resolv_conf(std::string_view text, std::string_view host_name) {
  ResolvConf conf;
  bool search_set = false;
  for (std::string_view line : split_each(text, '\n')) {
    size_t comment = line.find_first_of("#;");
    // A comment fills its line; behind a value it is the file's mistake, which costs nothing to forgive.
    std::string_view rest = line.substr(0, comment);
    auto keyword = next_token(rest, kBlanks);
    if (!keyword) continue;
    if (*keyword == "nameserver") {
      auto value = next_token(rest, kBlanks);
      auto address = value ? sys::Address::from_ip(*value, kPort) : std::nullopt;
      if (address && conf.servers.size() < kMaxServers) conf.servers.push_back(*address);
    } else if (*keyword == "domain" || *keyword == "search") {
      conf.search.clear();
      search_set = true;
      size_t limit = *keyword == "domain" ? 1 : kMaxSearch;
      while (auto domain = next_token(rest, kBlanks)) {
        while (domain->ends_with('.'))
          domain->remove_suffix(1);
        if (!domain->empty() && conf.search.size() < limit) conf.search.emplace_back(*domain);
      }
    } else if (*keyword == "options") {
      while (auto option = next_token(rest, kBlanks))
        read_option(*option, conf);
    }
  }
  size_t dot = host_name.find('.');
  if (!search_set && dot != std::string_view::npos) conf.search.emplace_back(host_name.substr(dot + 1));
  if (conf.servers.empty()) conf.servers.push_back(*sys::Address::from_ip("127.0.0.1", kPort));
  return conf;
}

}  // namespace postrider::dns
