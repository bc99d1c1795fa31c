// What an SMTP client says: command lines and their parameters, XCLIENT and XFORWARD, and content in chunks.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "smtp/server_command.h"
#include "smtp/server_parameters.h"
#include "smtpd/data_reader.h"
#include "smtpd/forwarded.h"

using namespace postrider;
using namespace postrider::smtp;

namespace {

void check_parameters(const CommandLine& line) {
  auto words = line.arguments();
  if (auto mail = parse_mail_parameters(words, {.xverp = true}); mail) {
    if (mail->size && *mail->size < 0) abort();
    if (!mail->verp_delimiters.empty() && mail->verp_delimiters.size() != 2) abort();
  } else if (mail.error().reply.find('\n') != std::string::npos) {
    abort();
  }
  (void)parse_rcpt_parameters(words, {});
  if (auto chunk = parse_chunk_parameters(words); chunk && chunk->size < 0) abort();
}

void check_identities(const CommandLine& line) {
  smtpd::Substitute substitute;
  auto applied = smtpd::apply_xclient(line.arguments(), substitute);
  if (!applied && applied.error().find('\n') != std::string::npos) abort();
  if (printable(substitute.client.names.name) != substitute.client.names.name) abort();
  if (substitute.helo_name && smtpd::harmless_name(*substitute.helo_name) != *substitute.helo_name) abort();
  smtpd::Forwarded forwarded;
  (void)smtpd::apply_xforward(line.arguments(), forwarded);
  if (printable(forwarded.label) != forwarded.label) abort();
}

/// No byte of content is lost or made up, however it is cut.
void check_chunks(std::string_view input) {
  constexpr size_t kLimit = 16;
  smtpd::ChunkReader reader(smtpd::BareLf::normalize, kLimit);
  std::string whole;
  auto take = [&] {
    const smtpd::ContentRecord& record = reader.record();
    if (record.text.size() > kLimit + 1) abort();
    whole += record.text;
    if (record.type == queue::RecordType::text) whole += '\n';
  };
  size_t half = input.size() / 2;
  for (std::string_view piece : {input.substr(0, half), input.substr(half)}) {
    while (reader.next(piece))
      take();
  }
  if (reader.finish()) take();
  std::string expected = replace_all(input, "\r\n", "\n");
  if (!expected.empty() && expected.back() != '\n') expected += '\n';
  if (whole != expected) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  for (std::string_view text : split_each(input, '\n')) {
    CommandLine line = parse_command_line(text);
    if (line.words.size() > kMaxCommandWords) abort();
    if (line.words.empty()) continue;
    (void)joined(line.words);
    check_parameters(line);
    check_identities(line);
  }
  check_chunks(input);
  return 0;
}
