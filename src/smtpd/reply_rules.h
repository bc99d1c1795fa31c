// What the configuration makes of replies before they are sent: filters, footers, soft_bounce.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "config/macro.h"
#include "smtpd/lists.h"
#include "smtpd/settings.h"

namespace postrider::smtpd {

class ReplyRules {
 public:
  ReplyRules(const Settings& settings, const Lists& lists) : settings_(settings), lists_(lists) {}

  /// The lines to send for a reply. `names` gives what a footer may tell ($client_address); `queue_id` is for
  /// the log.
  std::vector<std::string> apply(std::vector<std::string> lines, std::string_view queue_id,
                                 const config::MacroLookup& names, Deadline deadline) const;

 private:
  void filter(std::string& reply, std::string_view queue_id, Deadline deadline) const;
  std::string footer_template(std::string_view reply, Deadline deadline) const;

  const Settings& settings_;
  const Lists& lists_;
};

}  // namespace postrider::smtpd
