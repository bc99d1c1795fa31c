// Where a recipient goes: the rewrite service's answer and what the queue manager has to say about it.
#pragma once

#include <string>
#include <string_view>

#include "clients/rewrite.h"
#include "qmgr/message.h"
#include "qmgr/settings.h"

namespace postrider::qmgr {

/// Transport and nexthop of a recipient.
struct Route {
  std::string transport, nexthop;
  std::string recipient;  ///< The address as the agent gets it.
  bool discard = false;   ///< A notice about a notice that came back: accepted and dropped.
};

class Router {
 public:
  Router(const Settings& settings, std::string_view asker);

  /// Never fails: an address that cannot be resolved now goes to the retry service, one that never can to the
  /// error service, with the reason as the nexthop.
  Route route(const Message& message, std::string_view address);

  /// An address as it is routed: with a domain. As it is when the rewrite service does not answer.
  std::string standard_form(const std::string& address);

  Route to_retry(std::string_view address, std::string_view status, std::string_view reason) const;
  Route to_error(std::string_view address, std::string_view status, std::string_view reason) const;

 private:
  Route filtered(const Message& message, std::string_view address) const;
  /// The retry service for what goes through one of defer_transports.
  Route undeferred(const Message& message, Route route) const;
  bool is_double_bounce(std::string_view address) const;

  const Settings& settings_;
  clients::RewriteClient rewrite_;
};

}  // namespace postrider::qmgr
