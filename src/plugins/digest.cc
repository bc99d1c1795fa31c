// The plug-in for tables with a key_digest.
#include <openssl/evp.h>

#include "table/driver.h"

namespace postrider::plugins {
namespace {

class Driver : public table::driver::DigestDriver {
 public:
  std::optional<std::string> digest(const std::string& algorithm, std::string_view text) override {
    const EVP_MD* method = EVP_get_digestbyname(algorithm.c_str());
    if (method == nullptr) return std::nullopt;
    std::string out(EVP_MAX_MD_SIZE, '\0');
    unsigned length = 0;
    if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(out.data()), &length, method,
                   nullptr) != 1)
      return std::nullopt;
    out.resize(length);
    return out;
  }
};

}  // namespace
}  // namespace postrider::plugins

POSTRIDER_EXPORT_DRIVER(digest, DigestDriver) {
  static postrider::plugins::Driver driver;
  return &driver;
}
