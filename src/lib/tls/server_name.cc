#include "tls/server_name.h"

namespace postrider::tls {

namespace {

constexpr size_t kHead = 5;  // The length of the list, the kind of name, the length of the name.
constexpr char kHostName = 0;
constexpr size_t kMaxName = 255;

}  // namespace

std::string parse_server_name(std::string_view extension) {
  auto number = [&](size_t at) {
    return static_cast<size_t>(static_cast<unsigned char>(extension[at])) << 8 |
           static_cast<unsigned char>(extension[at + 1]);
  };
  if (extension.size() < kHead || number(0) + 2 != extension.size() || extension[2] != kHostName) return {};
  size_t length = number(3);
  if (length + kHead > extension.size() || length > kMaxName) return {};
  return std::string(extension.substr(kHead, length));
}

}  // namespace postrider::tls
