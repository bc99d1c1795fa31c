#include "smtp/peer_names.h"

#include "base/idna.h"
#include "base/text.h"

namespace postrider::smtp {

std::string ascii_name(const std::string& name) {
  return is_all_ascii(name) ? name : domain_to_ascii(name, IdnaMapping::idna2008).value_or(name);
}

std::string match_name(const std::string& word, const PeerNames& names) {
  if (equals_ignore_case(word, "hostname")) return ascii_name(names.host);
  if (equals_ignore_case(word, "nexthop")) return ascii_name(names.nexthop);
  if (equals_ignore_case(word, "dot-nexthop")) return "." + ascii_name(names.nexthop);
  return ascii_name(word);
}

}  // namespace postrider::smtp
