// Ports by name: known_tcp_ports, then the system's services database.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "base/text.h"
#include "config/config.h"

namespace postrider::config {

class TcpPorts {
 public:
  /// Throws ConfigError where known_tcp_ports does not follow its grammar: for start-up.
  explicit TcpPorts(const Config& config);
  /// The port of a number or of a service name. The error text is Postfix's.
  Result<uint16_t> find(std::string_view service) const;

 private:
  std::unordered_map<std::string, uint16_t, TextHash, std::equal_to<>> known_;
};

}  // namespace postrider::config
