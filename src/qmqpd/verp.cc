#include "qmqpd/verp.h"

#include <fmt/format.h>

namespace postrider::qmqpd {

std::optional<VerpSender> parse_verp_sender(std::string_view sender) {
  constexpr std::string_view kMark = "-@[]";
  if (!sender.ends_with(kMark)) return std::nullopt;
  sender.remove_suffix(kMark.size());
  size_t at = sender.find('@');
  // There is something before the delimiter, and behind the "@".
  if (at == std::string_view::npos || at < 2 || at + 1 == sender.size()) return std::nullopt;
  return VerpSender{.sender = fmt::format("{}{}", sender.substr(0, at - 1), sender.substr(at)),
                    .delimiters = {sender[at - 1], '='}};
}

}  // namespace postrider::qmqpd
