// Cipher grades and lists of exclusions (smtpd_tls_ciphers, smtpd_tls_exclude_ciphers).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postrider::tls {

/// The meaning of each grade: tls_high_cipherlist and so on.
struct CipherLists {
  std::string high, medium, null;
};

/// The list of a grade (in any case; "export" and "low" mean "medium" since Postfix 3.8), nothing for a word
/// that is no grade.
std::optional<std::string_view> grade_list(const CipherLists& lists, std::string_view grade);

/// OpenSSL's list: that of the grade, with ":!name" for each of the exclusions.
std::string with_exclusions(std::string_view list, std::string_view exclusions);

}  // namespace postrider::tls
