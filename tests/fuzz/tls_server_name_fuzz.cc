// The name that a client asks for before anything is known of it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "tls/server_name.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view extension(reinterpret_cast<const char*>(data), size);
  std::string name = postrider::tls::parse_server_name(extension);
  if (name.size() > 255 || extension.find(name) == std::string_view::npos) abort();
  return 0;
}
