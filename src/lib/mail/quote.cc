#include "mail/quote.h"

#include <algorithm>

#include "base/text.h"

namespace postrider::mail {

namespace {

bool needs_quotes(char c, QuoteOptions options) {
  if (!is_ascii(c)) return !options.eight_bit_clean;
  if (c == '@') return !options.expose_at;
  return c == ' ' || is_control(c) || std::string_view("()<>,;:\\\"[]").find(c) != std::string_view::npos;
}

/// Words with single dots between them.
bool is_dot_string(std::string_view text, QuoteOptions options) {
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::none_of(text.begin(), text.end(), [&](char c) { return needs_quotes(c, options); });
}

std::string in_quotes(std::string_view text, QuoteOptions options, std::string_view escape) {
  std::string out;
  out.reserve(text.size() + 2);
  out += '"';
  for (char c : text) {
    bool hide = escape.find(c) != std::string_view::npos || (!is_ascii(c) && !options.eight_bit_clean);
    if (hide) out += '\\';
    out += c;
  }
  out += '"';
  return out;
}

/// Length of a source route with its colon at the start of an address.
size_t route_length(std::string_view address) {
  return address.starts_with('@') ? address.find(':') + 1 : 0;  // npos + 1 is 0
}

std::string quote_local(std::string_view internal, QuoteOptions options, std::string_view escape,
                        size_t route) {
  size_t end = std::min(internal.rfind('@'), internal.size());
  // The "@" of a route is none that separates a domain.
  if (end < route) end = internal.size();
  std::string_view local = internal.substr(route, end - route);
  if (is_dot_string(local, options)) return std::string(internal);
  std::string out(internal.substr(0, route));
  out += in_quotes(local, options, escape);
  out += internal.substr(end);
  return out;
}

constexpr std::string_view kEscape821 = "\"\\\r\n", kEscape822 = "\"\\\r";

/// Where the last "@" outside quotes stands, or the end.
size_t end_of_localpart(std::string_view text) {
  size_t end = text.size();
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == '@' && !quoted) {
      end = i;
    }
  }
  return end;
}

}  // namespace

std::string quote_821_local(std::string_view internal, QuoteOptions options) {
  return quote_local(internal, options, kEscape821, 0);
}

std::string quote_822_local(std::string_view internal, QuoteOptions options) {
  return quote_local(internal, options, kEscape822, route_length(internal));
}

std::string quote_822_localpart(std::string_view localpart, QuoteOptions options) {
  size_t route = route_length(localpart);
  std::string_view local = localpart.substr(route);
  if (is_dot_string(local, options)) return std::string(localpart);
  return std::string(localpart.substr(0, route)) + in_quotes(local, options, kEscape822);
}

std::string unquote_822_local(std::string_view external) {
  std::string out;
  out.reserve(external.size());
  size_t route = route_length(external);
  out += external.substr(0, route);
  external.remove_prefix(route);
  size_t end = end_of_localpart(external);
  for (size_t i = 0; i < end; ++i) {
    if (external[i] == '"') continue;
    if (external[i] == '\\' && ++i >= end) break;
    out += external[i];
  }
  out += external.substr(end);
  return out;
}

}  // namespace postrider::mail
