// A queue file of any bytes: the envelope, its recipients in small portions, and the content are read or
// refused in bounded time and memory, and portions give the same recipients as one look.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bytes.h"
#include "queue/content.h"
#include "queue/envelope.h"

using namespace postrider;
using fuzz::Bytes;

namespace {

constexpr size_t kAll = 1'000'000;

void check(bool good) {
  if (!good) abort();
}

void append(std::vector<std::string>& out, const queue::Envelope& envelope) {
  for (const queue::Recipient& recipient : envelope.recipients)
    out.push_back(recipient.address + '\n' + recipient.original + '\n' + recipient.dsn_original);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const size_t portion = size % 8 + 1;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Bytes source(bytes);
  auto whole = queue::read_envelope(source, kAll);
  auto parts = queue::read_envelope(source, portion);
  // The first portion may end before the damage, or before a record that a good file has in front of its
  // recipients.
  if (!whole || !parts) return 0;
  std::vector<std::string> expected, found;
  append(expected, *whole);
  append(found, *parts);
  while (parts->resume != 0) {
    if (!queue::read_recipients(source, *parts, portion)) break;
    check(parts->recipients.size() <= portion);
    append(found, *parts);
    check(found.size() <= expected.size());
  }
  check(parts->resume != 0 || found == expected);

  queue::ContentReader content(source, whole->size);
  size_t pieces = 0;
  for (;;) {
    auto piece = content.next();
    if (!piece || !*piece) break;
    check(++pieces <= bytes.size());
  }
  return 0;
}
