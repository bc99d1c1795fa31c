#include "tls/trace.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"

namespace postrider::tls {

namespace {

constexpr size_t kLine = 16;

bool is_blank(char c) {
  return c == ' ' || c == '\0';
}

long dump_io(BIO* bio, int operation, const char* bytes, size_t size, int, long, int result,
             size_t* processed) {
  bool reads = operation == (BIO_CB_READ | BIO_CB_RETURN);
  if (!reads && operation != (BIO_CB_WRITE | BIO_CB_RETURN)) return result;
  std::string head = fmt::format("{} {:X} [{:X}] ({} bytes => ", reads ? "read from" : "write to",
                                 reinterpret_cast<uintptr_t>(bio), reinterpret_cast<uintptr_t>(bytes), size);
  if (result <= 0) {
    log::info("{}{})", head, result);
    return result;
  }
  size_t count = processed ? *processed : static_cast<size_t>(result);
  log::info("{}{} (0x{:X}))", head, count, count);
  dump(std::string_view(bytes, count), [](const std::string& line) { log::info("{}", line); });
  return result;
}

}  // namespace

void dump(std::string_view bytes, const std::function<void(const std::string&)>& line) {
  size_t end = bytes.size();
  while (end > 0 && is_blank(bytes[end - 1]))
    --end;
  for (size_t at = 0; at < end; at += kLine) {
    std::string digits, text;
    for (size_t i = at; i < at + kLine; ++i) {
      if (i >= end) {
        digits += "   ";
        continue;
      }
      char c = bytes[i];
      digits += fmt::format("{:02x}{}", static_cast<unsigned char>(c),
                            i - at == kLine / 2 - 1 && i + 1 < end ? '|' : ' ');
      text += c >= ' ' && c <= '~' ? c : '.';
      if (i - at == kLine / 2 - 1 && i + 1 < end) text += ' ';
    }
    line(fmt::format("{:04x} {} {}", at, digits, text));
  }
  if (end < bytes.size()) line(fmt::format("{:04x} - <SPACES/NULLS>", end));
}

void start_dump(SSL* connection) {
  BIO_set_callback_ex(SSL_get_rbio(connection), dump_io);
}

void stop_dump(SSL* connection) {
  BIO_set_callback_ex(SSL_get_rbio(connection), nullptr);
}

}  // namespace postrider::tls
