#include "mail/verp.h"

#include "mail/address_parts.h"

namespace postrider::mail {

std::string verp_sender(std::string_view delimiters, std::string_view sender, std::string_view recipient) {
  std::string out(localpart_of(sender));
  out += delimiters[0];
  out += localpart_of(recipient);
  if (std::string_view domain = domain_of(recipient); !domain.empty()) {
    out += delimiters[1];
    out += domain;
  }
  if (std::string_view domain = domain_of(sender); !domain.empty()) {
    out += '@';
    out += domain;
  }
  return out;
}

bool are_verp_delimiters(std::string_view text, std::string_view filter) {
  return text.size() == 2 && text.find_first_not_of(filter) == std::string_view::npos;
}

}  // namespace postrider::mail
