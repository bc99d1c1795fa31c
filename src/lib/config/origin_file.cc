#include "config/origin_file.h"

#include <cstring>

#include <fmt/format.h>

#include "base/text.h"
#include "sys/file.h"

namespace postrider::config {

Result<std::string> read_origin_file(const std::string& path) {
  constexpr size_t kMaxFile = 64 * 1024;
  auto text = sys::read_file(path, kMaxFile);
  if (!text) {
    std::string reason = text.error().code != 0 ? std::strerror(text.error().code) : text.error().text;
    return fail(ErrorKind::not_found, fmt::format("{}: cannot open file: {}", path, reason));
  }
  std::string line(trim(std::string_view(*text).substr(0, text->find('\n'))));
  if (line.empty()) return fail(ErrorKind::invalid, fmt::format("myorigin file {} is empty", path));
  return line;
}

}  // namespace postrider::config
