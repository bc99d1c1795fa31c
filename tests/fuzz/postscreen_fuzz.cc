// What postscreen reads: the line of a load balancer, arguments of MAIL and RCPT, entries of its cache, DNS
// lists in its configuration and the addresses that they answer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/proxy_header.h"
#include "postscreen/dnsbl_sites.h"
#include "postscreen/path.h"
#include "postscreen/record.h"

using namespace postrider;
using namespace postrider::postscreen;

namespace {

void try_proxy_header(std::string_view input) {
  auto parsed = net::parse_proxy_header(input);
  if (!parsed || !*parsed) return;
  const net::ProxyHeader& header = (*parsed)->header;
  if ((*parsed)->length > input.size() || (*parsed)->length > net::kMaxProxyHeader) abort();
  if (header.local) return;
  if (!header.client.is_ip() || header.client.family() != header.server.family()) abort();
  // What is passed on says the same.
  auto again = net::parse_proxy_header(net::proxy_line(header.client, header.server));
  if (!again || !*again || !((*again)->header.client == header.client)) abort();
}

void try_sites(std::string_view input) {
  auto sites = DnsblSites::parse(input);
  if (!sites) return;
  DnsblScore score(*sites);
  const uint32_t listed[] = {0x7f000002, static_cast<uint32_t>(input.size())};
  for (const std::string& domain : sites->domains())
    score.add(domain, listed, static_cast<int64_t>(input.size()));
  if (!score.complete()) abort();
}

void try_record(std::string_view input) {
  auto record = Record::parse(input);
  if (record && Record::parse(record->entry()) != record) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      try_proxy_header(input);
      break;
    case 1:
      (void)path_argument(input);
      break;
    case 2:
      try_sites(input);
      break;
    default:
      try_record(input);
      break;
  }
  return 0;
}
