// What a name server answers.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "dns/message.h"

using namespace postrider::dns;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  constexpr Type kTypes[] = {Type::a,  Type::ns,  Type::cname, Type::soa, Type::ptr,
                             Type::mx, Type::txt, Type::aaaa,  Type::srv, Type::tlsa};
  Type type = kTypes[data[0] % std::size(kTypes)];
  Reply reply = parse_reply(std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1), type);
  if ((reply.outcome == Outcome::found) != !reply.records.empty()) abort();
  if (reply.records.size() > kMaxRecords) abort();
  for (const Record& record : reply.records) {
    (void)record.text();
    if ((type == Type::a || type == Type::aaaa) && !record.address()) abort();
  }
  return 0;
}
