// Submitting one message.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.h"
#include "tools/sendmail/input.h"
#include "tools/sendmail/options.h"
#include "tools/sendmail/outlet.h"

namespace postrider::sendmail {

/// Who calls.
struct Caller {
  uid_t uid = 0;
  std::string login;      ///< Empty: the system does not know the user.
  std::string full_name;  ///< From NAME in the environment or the account; empty where there is none.
};
/// The user that runs this program.
Caller find_caller();

/// The full name in the comment field of an account: up to the first comma, "&" standing for the login name.
std::string full_name_of(std::string_view comment, std::string_view login);

/// The envelope sender: that of -f, else the login name.
struct Sender {
  std::string address;                 ///< In internal form.
  std::optional<std::string> warning;  ///< When -f has more than one address.
};
Result<Sender> envelope_sender(const CommandLine& line, const Caller& caller);

struct Limits {
  size_t line_length = 2048;    ///< line_length_limit
  size_t header_size = 102400;  ///< header_size_limit
};

/// Writes the envelope and the message that `input` has, or for -bv one of its own. The error is a text for
/// the user.
Result<void> submit(const CommandLine& line, const Caller& caller, const std::string& sender,
                    const Limits& limits, Input& input, Outlet& outlet);

}  // namespace postrider::sendmail
