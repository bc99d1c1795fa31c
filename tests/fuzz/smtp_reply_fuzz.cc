// What an SMTP server says: replies, and the EHLO reply in particular.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/text.h"
#include "mail/dsn.h"
#include "smtp/ehlo.h"
#include "smtp/reply.h"

using namespace postrider;
using namespace postrider::smtp;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kLimit = 200;
  ReplyParser parser(kLimit);
  std::string_view input(reinterpret_cast<const char*>(data), size);
  for (std::string_view raw : split_each(input, '\n')) {
    std::string line = printable(raw.substr(0, kLimit));
    ReplyParser::Step step = parser.add(line);
    if (parser.text().size() > 2 * kLimit + 1) abort();
    if (step == ReplyParser::Step::endless) return 0;
    if (step != ReplyParser::Step::complete) continue;
    Reply reply = parser.take();
    if (reply.code < 0 || reply.code > 999 || !mail::StatusCode::parse(reply.dsn)) abort();
    if (reply.one_line().size() != reply.text.size()) abort();
    Capabilities capabilities = parse_ehlo(reply.text, {});
    if (capabilities.size_limit && !capabilities.has(Keyword::size)) abort();
    (void)keyword_text(capabilities.offered);
  }
  return 0;
}
