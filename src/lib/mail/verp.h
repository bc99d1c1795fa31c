// Variable envelope return paths: a sender address that names the recipient, so that a notice tells which of
// a list's members it is about.
#pragma once

#include <string>
#include <string_view>

namespace postrider::mail {

/// joe@sender.example and ann@dest.example with the delimiters "+=" give joe+ann=dest.example@sender.example.
/// All in internal form; `delimiters` must have two characters.
std::string verp_sender(std::string_view delimiters, std::string_view sender, std::string_view recipient);

/// Whether a text is two delimiters that `filter` (verp_delimiter_filter) allows.
bool are_verp_delimiters(std::string_view text, std::string_view filter);

}  // namespace postrider::mail
