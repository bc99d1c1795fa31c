// Who may submit mail, and as whom.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::postdrop {

/// An error of ErrorKind::denied is a refusal; others mean that it could not be found out.
class Policy {
 public:
  virtual ~Policy() = default;
  /// The refusal's text is for people.
  virtual Result<void> may_submit() = 0;
  /// Whether the caller may use this envelope sender (in internal form; empty: the null sender).
  virtual Result<void> may_use(std::string_view sender) = 0;
};

/// The built-in settings: everybody, as anybody.
class AnythingGoes : public Policy {
 public:
  Result<void> may_submit() override { return {}; }
  Result<void> may_use(std::string_view) override { return {}; }
};

}  // namespace postrider::postdrop
