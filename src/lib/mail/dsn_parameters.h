// Parameters of the DSN service extension (RFC 3461, RFC 6533): NOTIFY, RET, ORCPT, ENVID.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postrider::mail {

/// When the sender wants to be told. The numbers are those of queue files.
class Notify {
 public:
  static const Notify none, never, success, failure, delay;

  constexpr Notify() = default;
  /// From a number in a queue file or message; nothing when it has unknown bits.
  static constexpr std::optional<Notify> from_bits(unsigned bits) {
    return bits > 15 ? std::nullopt : std::optional(Notify(bits));
  }

  constexpr unsigned bits() const { return bits_; }
  constexpr bool has(Notify other) const { return (bits_ & other.bits_) != 0; }
  friend constexpr Notify operator|(Notify a, Notify b) { return Notify(a.bits_ | b.bits_); }
  friend constexpr bool operator==(Notify, Notify) = default;

 private:
  constexpr explicit Notify(unsigned bits) : bits_(bits) {}
  unsigned bits_ = 0;
};

inline constexpr Notify Notify::none{0}, Notify::never{1}, Notify::success{2}, Notify::failure{4},
    Notify::delay{8};

/// "NEVER", or a list of SUCCESS, FAILURE and DELAY. Nothing when the text is neither.
std::optional<Notify> parse_notify(std::string_view text);
std::string to_text(Notify notify);

/// How much of the message a failure notification returns. The numbers are those of queue files.
enum class Ret : unsigned char { none = 0, full = 1, headers = 2 };
std::optional<Ret> parse_ret(std::string_view text);
std::string_view to_text(Ret ret);  ///< "FULL", "HDRS" or "".

/// Which address the sender meant, before anybody forwarded the message. The address is decoded.
struct OriginalRecipient {
  std::string type;  ///< "rfc822", "utf-8", ...
  std::string address;

  /// "type;address", as in queue files and notifications.
  std::string text() const { return type + ";" + address; }
  bool is_utf8() const;
  friend bool operator==(const OriginalRecipient&, const OriginalRecipient&) = default;
};

/// The value of ORCPT=, in xtext, or in utf-8-addr-xtext for the type utf-8.
std::optional<OriginalRecipient> parse_orcpt(std::string_view parameter);
/// The value for ORCPT=. With `smtputf8` an address of type utf-8 is written as it is (utf-8-addr-unitext).
std::string format_orcpt(const OriginalRecipient& original, bool smtputf8);

/// The value of ENVID=, decoded from xtext. Nothing when it is empty or has more than printable US-ASCII.
std::optional<std::string> parse_envid(std::string_view parameter);

/// utf-8-addr-xtext of RFC 6533 section 3: characters outside printable US-ASCII, and "+", "=" and "\", as
/// \x{hex}. Nothing when the text is not UTF-8.
std::optional<std::string> uxtext_encode(std::string_view text);
/// Takes UTF-8 that is not encoded (utf-8-addr-unitext), too.
std::optional<std::string> uxtext_decode(std::string_view text);

}  // namespace postrider::mail
