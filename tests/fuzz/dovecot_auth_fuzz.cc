// What an authentication server says: its greeting, mechanisms and answers.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "sasl/dovecot_protocol.h"

using namespace postrider;
using namespace postrider::sasl;

namespace {

void check(DovecotReader& reader) {
  if (reader.mechanisms().size() > kMaxMechanisms) abort();
  for (const DovecotAnswer& answer : reader.take_answers()) {
    const Outcome& outcome = answer.outcome;
    if (!reader.ready() || outcome.text.size() > kMaxDovecotLine) abort();
    // What goes to clients and into the log is one line of it.
    if (outcome.kind == Outcome::Kind::challenge && !is_base64_text(outcome.text)) abort();
    if (outcome.text.find_first_of("\r\n") != std::string::npos) abort();
    if (outcome.login && outcome.login->find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      abort();
    if (outcome.kind == Outcome::Kind::done && (!outcome.login || outcome.login->empty())) abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  // The first byte says in which pieces the rest comes.
  size_t piece = data[0] == 0 ? input.size() : data[0];
  DovecotReader reader;
  for (; !input.empty(); input.remove_prefix(std::min(piece, input.size()))) {
    if (!reader.add(input.substr(0, piece))) return 0;
    check(reader);
  }
  return 0;
}
