#include "table/key_template.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::table {

namespace {

/// An address as far as templates look at it.
struct Halves {
  std::string_view whole, user, domain;

  explicit Halves(std::string_view text) : whole(text), user(text) {
    size_t at = text.rfind('@');
    if (at == std::string_view::npos) return;
    user = text.substr(0, at);
    domain = text.substr(at + 1);
  }
  bool lacks_user() const { return user.empty(); }
};

}  // namespace

struct KeyTemplate::Parts {
  Halves key, value;
  std::vector<std::string_view> components;  ///< Of the key's domain.
};

Result<KeyTemplate> KeyTemplate::parse(std::string_view name, std::string_view text, Kind kind) {
  KeyTemplate out;
  out.kind_ = kind;
  out.text_ = text;
  bool query = kind == Kind::query;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (out.pieces_.empty() || out.pieces_.back().code != 0) out.pieces_.emplace_back();
      out.pieces_.back().text += text[i];
      continue;
    }
    char code = ++i < text.size() ? text[i] : '\0';
    switch (code) {
      case '%':
        out.pieces_.push_back({0, "%"});
        continue;
      case 's':
      case 'S':
        break;
      case 'u':
        (query ? out.key_user_ : out.value_user_) = true;
        break;
      case 'd':
        (query ? out.key_domain_ : out.value_domain_) = true;
        break;
      case 'U':
        out.key_user_ = true;
        break;
      case 'D':
        out.key_domain_ = true;
        break;
      default:
        if (code < '1' || code > '9')
          return fail(ErrorKind::invalid, fmt::format("db_common_parse: {}: Invalid {} template: {}", name,
                                                      query ? "query" : "result", printable(text)));
        out.key_domain_ = true;
        out.components_ = std::max<size_t>(out.components_, static_cast<size_t>(code - '0'));
    }
    out.dynamic_ = true;
    out.pieces_.push_back({code, {}});
  }
  return out;
}

std::string_view KeyTemplate::part(char code, const Parts& parts) const {
  const Halves& lower = kind_ == Kind::query ? parts.key : parts.value;
  switch (code) {
    case 's':
      return lower.whole;
    case 'u':
      return lower.user;
    case 'd':
      return lower.domain;
    case 'S':
      return parts.key.whole;
    case 'U':
      return parts.key.user;
    case 'D':
      return parts.key.domain;
    default:
      return parts.components[parts.components.size() - static_cast<size_t>(code - '0')];
  }
}

std::optional<std::string> KeyTemplate::fill(const Parts& parts, const Quote& quote) const {
  std::string out;
  for (const Piece& piece : pieces_) {
    if (piece.code == 0)
      out += piece.text;
    else if (quote)
      out += quote(part(piece.code, parts));
    else
      out += part(piece.code, parts);
  }
  return out;
}

bool KeyTemplate::add_components(Parts& parts) const {
  if (key_domain_ && parts.key.domain.empty()) return false;
  if (key_user_ && parts.key.lacks_user()) return false;
  if (components_ > 0) parts.components = split_any(parts.key.domain, ".");
  return parts.components.size() >= components_;
}

std::optional<std::string> KeyTemplate::query(std::string_view key, const Quote& quote) const {
  Parts parts{Halves(key), Halves({}), {}};
  if (!add_components(parts)) return std::nullopt;
  return fill(parts, quote);
}

std::optional<std::string> KeyTemplate::result(std::string_view value, std::string_view key) const {
  Parts parts{Halves(key), Halves(value), {}};
  if (value_domain_ && parts.value.domain.empty()) return std::nullopt;
  if (value_user_ && parts.value.lacks_user()) return std::nullopt;
  if (!add_components(parts)) return std::nullopt;
  return fill(parts, nullptr);
}

}  // namespace postrider::table
