// The standard form of addresses: source routes, UUCP paths and the percent hack resolved, domains completed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "mail/address.h"

namespace postrider::rewrite {

/// With what incomplete addresses are completed.
enum class Context : unsigned char {
  local,   ///< $myorigin and $mydomain: envelope addresses, and headers of local clients.
  remote,  ///< remote_header_rewrite_domain for both.
};
std::optional<Context> parse_context(std::string_view name);

class Rewriter {
 public:
  /// Throws ConfigError where a parameter has no good value.
  explicit Rewriter(const config::Config& config);

  /// An address in external form, in standard form. An empty address stays as it is.
  std::string rewrite(Context context, std::string_view address) const;

  /// The same for the tokens of one address, which must have one at least.
  void rewrite(Context context, mail::TokenList& address) const;

  const std::string& origin() const { return local_.origin; }  ///< myorigin.
  bool swaps_bang_paths() const { return swap_bangpath_; }
  bool allows_percent_hack() const { return allow_percent_hack_; }

 private:
  struct Completion {
    std::string origin;  ///< After "@", when there is none.
    std::string domain;  ///< After a domain of one word.
  };

  const Completion& completion(Context context) const { return context == Context::local ? local_ : remote_; }
  void add_domain(const Completion& completion, mail::TokenList& address) const;

  Completion local_, remote_;
  bool swap_bangpath_, allow_percent_hack_, append_at_myorigin_, append_dot_mydomain_;
};

}  // namespace postrider::rewrite
