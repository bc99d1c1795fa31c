// REQUIRETLS (RFC 8689): senders who want their message to travel over verified TLS only.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "config/config.h"
#include "table/catalog.h"
#include "table/maps.h"

namespace postrider::smtp_client {

/// What is made of the request at a destination, in ascending order.
enum class RequireTls : unsigned char {
  off,            ///< It was not made, or does not count.
  opportunistic,  ///< It is passed on where that is possible.
  starttls,       ///< TLS has to be used.
  enforce,        ///< And the server has to prove who it is, and to pass on the request.
};

/// smtp_requiretls_policy: actions and tables with them.
class RequireTlsRules {
 public:
  RequireTlsRules() = default;
  /// Opens the tables; what they need of the file system is added to `paths`. Throws ConfigError.
  RequireTlsRules(table::Catalog& catalog, const config::Config& config, config::Param<std::string> parameter,
                  std::vector<std::string>& paths);
  /// For a domain, host or address. The first rule that has something to say counts; without any, the request
  /// is enforced. An error: nobody can tell.
  Result<RequireTls> find(std::string_view destination, Deadline deadline) const;

 private:
  Result<RequireTls> parse(std::string_view word) const;

  std::string parameter_;
  std::vector<std::variant<std::string, table::Maps>> rules_;
};

}  // namespace postrider::smtp_client
