// What the right-hand side of an alias, or a line of a forward file or included file, lists.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postrider::local {

struct Destination {
  enum class Kind : unsigned char {
    address,  ///< In external form.
    file,     ///< "/file/name"
    home,     ///< "~/file/name", and whatever else begins with "~".
    command,  ///< Behind the "|".
    include,  ///< The path behind ":include:".
  };
  Kind kind = Kind::address;
  std::string text;
  friend bool operator==(const Destination&, const Destination&) = default;
};

/// Reads a list of addresses (RFC 5322); what cannot be one is left out. Never fails.
std::vector<Destination> parse_destinations(std::string_view text);

}  // namespace postrider::local
