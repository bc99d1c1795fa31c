// smtp_generic_maps: addresses that are good on this machine only become such that the world knows.
#pragma once

#include <string>
#include <string_view>

#include "clients/rewrite.h"
#include "config/config.h"
#include "mail/header.h"
#include "rewrite/local_domains.h"
#include "table/address_find.h"
#include "table/maps.h"

namespace postrider::smtp_client {

class GenericMap {
 public:
  /// `maps` and `local` must outlive the object.
  GenericMap(const config::Config& config, const table::Maps& maps, const rewrite::LocalDomains& local);

  bool empty() const { return maps_.empty(); }
  /// The address to use in place of one, both in internal form. An error is temporary.
  Result<std::string> map(const std::string& address, Deadline deadline);
  /// An address header with its addresses mapped; unchanged when none is.
  Result<std::string> map_header(std::string_view header, Deadline deadline);

 private:
  Result<bool> is_local(std::string_view domain, Deadline deadline) const;

  const table::Maps& maps_;
  const rewrite::LocalDomains& local_;
  clients::RewriteClient rewrite_;
  std::string myorigin_, delimiters_;
  bool propagate_extension_;
  size_t token_limit_;
};

}  // namespace postrider::smtp_client
