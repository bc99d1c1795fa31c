// The keys under which tables of mail addresses are asked, in the order of canonical(5), virtual(5),
// access(5).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "mail/address_parts.h"
#include "table/maps.h"

namespace postrider::table {

/// Where to look, and with which parts of an address.
struct AddressSearch {
  bool full = true;                    ///< user+ext@domain
  bool without_extension = true;       ///< user@domain; also the part without domain below
  bool localpart_if_local = true;      ///< user+ext, user, where the domain is local
  bool localpart_at_if_local = false;  ///< user+ext@, user@, where the domain is local
  bool at_domain = true;               ///< @domain
  bool domain = false;                 ///< domain
  /// Also parent domains after `domain`: as "parent", or as ".parent".
  enum class Parents : unsigned char { none, plain, with_dot } parents = Parents::none;
  bool localpart_at = false;  ///< user+ext@, user@, whatever the domain
};

/// What the search needs to know about the mail system.
struct AddressContext {
  mail::DelimiterRules extensions;
  /// Whether mail for the domain of an address is local, or the domain is $myorigin. Not needed where no
  /// search asks for it; may suspend.
  std::function<Result<bool>(std::string_view domain, Deadline)> is_local;
  /// Brings a key into the form that tables should have, with quoted localparts for example. Called with
  /// whole addresses, localparts, and localparts with an
  /// "@" at their end.
  std::function<std::string(std::string_view key)> key_form;
  /// The same for localparts alone, in which an "@" separates no domain; by default key_form.
  std::function<std::string(std::string_view localpart)> localpart_form;
  /// Whether a key that is not found in this form is looked up as it is.
  bool as_is_too = true;
};

struct AddressMatch {
  std::string value;
  Provenance origin;
  /// What was left out of the address to find it, "+ext"; to be added to the result.
  std::string extension;
};

/// Looks an address up. Tables that match patterns are asked for the full address only. Nothing when no key
/// is found; the first error ends the search.
Result<std::optional<AddressMatch>> find_address(const Maps& maps, std::string_view address,
                                                 const AddressSearch& search, const AddressContext& context,
                                                 Deadline deadline);

}  // namespace postrider::table
