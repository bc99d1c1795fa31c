// What became of a message for one recipient: the words that delivery agents, queue manager and bounce share
// (RFC 3463, RFC 3464).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"

namespace postrider::mail {

namespace detail {

/// Length of the status code at the start of `text`, or 0.
constexpr size_t status_code_length(std::string_view text) {
  auto digits = [&](size_t from) {
    size_t end = from;
    while (end < text.size() && end - from < 4 && text[end] >= '0' && text[end] <= '9')
      ++end;
    return end - from;
  };
  if (text.size() < 2 || (text[0] != '2' && text[0] != '4' && text[0] != '5') || text[1] != '.') return 0;
  size_t subject = digits(2), dot = 2 + subject;
  if (subject < 1 || subject > 3 || dot >= text.size() || text[dot] != '.') return 0;
  size_t detail = digits(dot + 1);
  return detail >= 1 && detail <= 3 ? dot + 1 + detail : 0;
}

}  // namespace detail

/// An enhanced status code, "5.1.1": a class of 2, 4 or 5, then two numbers of one to three digits.
class StatusCode {
 public:
  /// From a literal; one that is no status code does not compile.
  consteval StatusCode(const char* literal) : StatusCode(std::string_view(literal)) {
    if (detail::status_code_length(literal) != length_) throw "not an enhanced status code";
  }

  /// Nothing when `text` as a whole is no status code.
  static constexpr std::optional<StatusCode> parse(std::string_view text) {
    if (text.empty() || detail::status_code_length(text) != text.size()) return std::nullopt;
    return StatusCode(text);
  }
  /// The status code at the start of `text`, when it ends there or white space follows.
  static constexpr std::optional<StatusCode> parse_prefix(std::string_view text) {
    size_t length = detail::status_code_length(text);
    bool ends = length == text.size() || (length != 0 && is_space(text[length]));
    return ends ? parse(text.substr(0, length)) : std::nullopt;
  }

  constexpr std::string_view text() const { return {text_.data(), length_}; }
  constexpr char status_class() const { return text_[0]; }
  constexpr bool is_success() const { return status_class() == '2'; }
  constexpr bool is_temporary() const { return status_class() == '4'; }
  constexpr bool is_permanent() const { return status_class() == '5'; }
  /// The same subject and detail in another class ('2', '4' or '5'), as for soft_bounce.
  constexpr StatusCode with_class(char status_class) const {
    StatusCode out = *this;
    out.text_[0] = status_class;
    return out;
  }
  friend constexpr bool operator==(const StatusCode&, const StatusCode&) = default;

 private:
  static constexpr size_t kMaxLength = 9;

  constexpr explicit StatusCode(std::string_view text) : length_(static_cast<unsigned char>(text.size())) {
    for (size_t i = 0; i < text.size(); ++i)
      text_[i] = text[i];
  }

  std::array<char, kMaxLength> text_{};
  unsigned char length_;
};

/// What an agent did about a recipient (RFC 3464 section 2.3.3).
enum class Action : unsigned char { failed, delayed, delivered, relayed, expanded };
std::string_view to_text(Action action);
std::optional<Action> parse_action(std::string_view text);

/// The outcome for one recipient.
struct [[nodiscard]] DeliveryStatus {
  StatusCode status = "4.0.0";
  Action action = Action::delayed;
  std::string reason;           ///< For people: log, mail queue listing, notification.
  std::string diagnostic_type;  ///< "smtp", "x-unix", ...; empty when there is no diagnostic text.
  std::string diagnostic_text;  ///< What the remote system or program said.
  std::string mta_type;         ///< "dns"; empty when no other system spoke.
  std::string mta_name;         ///< The system that said it.

  friend bool operator==(const DeliveryStatus&, const DeliveryStatus&) = default;
};

struct StatusText {
  StatusCode code;
  std::string_view text;
};

/// "5.1.1 no such user" as code and text; a text without code gets `fallback`. White space in front of either
/// is dropped. The text may be empty.
StatusText split_status_text(StatusCode fallback, std::string_view text);
/// Code and text with a space between them, the code being that of the text or `fallback`.
std::string with_status(StatusCode fallback, std::string_view text);

}  // namespace postrider::mail
