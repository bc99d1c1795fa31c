#include "tls/openssl.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include "base/text.h"
#include "log/log.h"

namespace postrider::tls {

std::vector<std::string> take_errors() {
  std::vector<std::string> out;
  const char *file = nullptr, *function = nullptr, *data = nullptr;
  int line = 0, flags = 0;
  while (unsigned long error = ERR_get_error_all(&file, &line, &function, &data, &flags)) {
    char text[1024];
    ERR_error_string_n(error, text, sizeof text);
    std::string message = fmt::format("{}:{}:{}:", text, file ? file : "", line);
    if (data != nullptr && (flags & ERR_TXT_STRING) != 0 && *data != '\0')
      message += fmt::format("{}:", data);
    out.push_back(printable(message));
  }
  return out;
}

void log_errors() {
  for (const std::string& error : take_errors())
    log::warning("TLS library problem: {}", error);
}

}  // namespace postrider::tls
