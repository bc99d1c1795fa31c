// The form in which qmail's programs ask for variable envelope return paths.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postrider::qmqpd {

struct VerpSender {
  std::string sender;      ///< owner@example.org
  std::string delimiters;  ///< "-="; not checked.
};

/// "owner-@example.org-@[]": for each recipient the sender is owner-user=domain@example.org. Nothing for
/// another form, which is an address as it stands.
std::optional<VerpSender> parse_verp_sender(std::string_view sender);

}  // namespace postrider::qmqpd
