#include "postscreen/dnsbl_sites.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "base/hostname.h"
#include "base/text.h"

namespace postrider::postscreen {

namespace {

std::unexpected<Error> bad(std::string text) {
  return fail(ErrorKind::invalid, std::move(text));
}

Result<int> parse_weight(std::string_view text, std::string_view item) {
  auto number = parse_int(text);
  if (!number || *number < std::numeric_limits<int>::min() || *number > std::numeric_limits<int>::max())
    return bad(fmt::format("bad DNSBL weight factor \"{}\" in \"{}\"", text, item));
  return static_cast<int>(*number);
}

Result<DnsblSite> parse_site(std::string_view item) {
  DnsblSite out;
  size_t star = item.find('*');
  if (star != std::string_view::npos) out.weight = TRY(parse_weight(item.substr(star + 1), item));
  std::string_view list = item.substr(0, star);
  size_t equals = list.find('=');
  if (equals != std::string_view::npos) {
    auto filter = dns::Ipv4Pattern::parse(list.substr(equals + 1));
    if (!filter) return bad(fmt::format("bad DNSBL filter syntax: {}", filter.error().text));
    out.filter = *filter;
  }
  out.domain = lowercase(list.substr(0, equals));
  if (!is_valid_hostname(out.domain))
    return bad(fmt::format("bad DNSBL domain name \"{}\" in \"{}\"", out.domain, item));
  return out;
}

bool listed_by(const DnsblSite& site, uint32_t address) {
  const std::array<uint8_t, 4> bytes{static_cast<uint8_t>(address >> 24U),
                                     static_cast<uint8_t>(address >> 16U),
                                     static_cast<uint8_t>(address >> 8U), static_cast<uint8_t>(address)};
  return !site.filter || site.filter->matches(bytes);
}

}  // namespace

Result<DnsblSites> DnsblSites::parse(std::string_view list) {
  DnsblSites out;
  for (std::string_view item : split_any(list, kListSeparators)) {
    DnsblSite site = TRY(parse_site(item));
    if (std::ranges::find(out.domains_, site.domain) == out.domains_.end())
      out.domains_.push_back(site.domain);
    out.sites_.push_back(std::move(site));
  }
  return out;
}

void DnsblScore::add(std::string_view domain, std::span<const uint32_t> listed, int64_t ttl) {
  --waits_for_;
  if (ttl >= 0) ttl_ = std::min(ttl_.value_or(ttl), ttl);
  for (size_t place = 0; place < sites_.sites().size(); ++place) {
    const DnsblSite& site = sites_.sites()[place];
    // An item counts once, whatever number of addresses it has.
    if (site.domain != domain ||
        !std::ranges::any_of(listed, [&](uint32_t address) { return listed_by(site, address); }))
      continue;
    total_ += site.weight;
    bool worse = site.weight > worst_weight_ ||
                 (site.weight == worst_weight_ && !worst_domain_.empty() && place < worst_place_);
    if (site.weight <= 0 || !worse) continue;
    worst_weight_ = site.weight;
    worst_place_ = place;
    worst_domain_ = site.domain;
  }
}

}  // namespace postrider::postscreen
