// Asking a policy service what to do with a request (SMTPD_POLICY_README).
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "io/loop.h"
#include "io/stream.h"
#include "policy/settings.h"

namespace postrider::policy {

/// What a service is told: names and values, in order.
using Attributes = std::vector<std::pair<std::string_view, std::string>>;

class Service;

/// A connection that the questions about one message go over: a service may rely on that. It goes back to the
/// service's other connections with this object.
class Lease {
 public:
  explicit Lease(std::shared_ptr<Service> service);
  ~Lease();
  Lease(Lease&&) noexcept;
  Lease& operator=(Lease&&) noexcept;

  /// The action that the service wants. A service that does not answer is asked again, as try_limit says;
  /// then its default_action is the answer. What went wrong is logged.
  std::string ask(const Attributes& attributes, Deadline deadline);

 private:
  friend class Service;
  struct Connection;
  Result<std::string> ask_once(const std::string& request, Deadline deadline, bool& reused);

  std::shared_ptr<Service> service_;
  std::unique_ptr<Connection> connection_;
};

/// The connections of this process to one service.
class Service {
 public:
  explicit Service(ServiceSettings settings);
  ~Service();
  const ServiceSettings& settings() const { return settings_; }

 private:
  friend class Lease;
  void give_back(std::unique_ptr<Lease::Connection> connection);
  std::unique_ptr<Lease::Connection> take_idle();
  Result<io::Stream> connect(Deadline deadline) const;
  void drop_idle();

  ServiceSettings settings_;
  std::deque<std::unique_ptr<Lease::Connection>> idle_;
  std::unique_ptr<io::Timer> timer_;
};

/// The value of "action" in a reply, a list of name=value lines without the empty line at its end. Nothing
/// when there is none.
std::optional<std::string> action_of(std::string_view reply);

}  // namespace postrider::policy
