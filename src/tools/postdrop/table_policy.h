// authorized_submit_users and local_login_sender_maps.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "table/catalog.h"
#include "table/maps.h"
#include "table/match_list.h"
#include "tools/postdrop/policy.h"

namespace postrider::postdrop {

class TablePolicy : public Policy {
 public:
  /// `login` is empty for a user that the system does not know.
  TablePolicy(const config::Config& config, uid_t uid, std::string login);
  Result<void> may_submit() override;
  Result<void> may_use(std::string_view sender) override;

 private:
  bool matches(std::string_view pattern, std::string_view sender) const;

  uid_t uid_;
  std::string login_;
  std::string null_sender_pattern_;  ///< empty_address_local_login_sender_maps_lookup_key
  std::string recipient_delimiter_;
  table::Catalog catalog_;
  std::vector<std::string> paths_;
  table::MatchList submitters_;
  table::Maps senders_;
};

/// Splits a list at commas and white space outside double quotes.
std::vector<std::string_view> split_quoted(std::string_view list);

}  // namespace postrider::postdrop
