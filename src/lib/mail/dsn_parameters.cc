#include "mail/dsn_parameters.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "base/utf8.h"

namespace postrider::mail {

namespace {

struct NotifyWord {
  std::string_view word;
  Notify bit;
};

constexpr std::array<NotifyWord, 4> kNotifyWords{{{"NEVER", Notify::never},
                                                  {"SUCCESS", Notify::success},
                                                  {"FAILURE", Notify::failure},
                                                  {"DELAY", Notify::delay}}};

constexpr size_t kMaxCodeDigits = 8;

// The characters of an address that this encoding hides, beside those that cannot be printed.
bool stands_for_itself(char32_t code) {
  return code > 0x20 && code < 0x7f && code != '+' && code != '=' && code != '\\';
}

/// Decodes "{hex}" at the start of `text`, after "\x".
std::optional<Utf8Character> decode_braced(std::string_view text) {
  size_t end = text.find('}');
  if (!text.starts_with('{') || end == std::string_view::npos || end > kMaxCodeDigits + 1)
    return std::nullopt;
  auto code = parse_unsigned(text.substr(1, end - 1), 16);
  if (!code || *code == 0 || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff)) return std::nullopt;
  return Utf8Character{.code = static_cast<char32_t>(*code), .length = end + 1};
}

}  // namespace

std::optional<Notify> parse_notify(std::string_view text) {
  Notify out;
  for (std::string_view item : split_any(text, kListSeparators)) {
    auto known = std::find_if(kNotifyWords.begin(), kNotifyWords.end(),
                              [&](const NotifyWord& w) { return equals_ignore_case(w.word, item); });
    if (known == kNotifyWords.end()) return std::nullopt;
    out = out | known->bit;
  }
  bool contradicts = out.has(Notify::never) && out != Notify::never;
  if (contradicts || out == Notify::none) return std::nullopt;
  return out;
}

std::string to_text(Notify notify) {
  std::string out;
  for (const NotifyWord& known : kNotifyWords) {
    if (!notify.has(known.bit)) continue;
    if (!out.empty()) out += ',';
    out += known.word;
  }
  return out;
}

std::optional<Ret> parse_ret(std::string_view text) {
  if (equals_ignore_case(text, "FULL")) return Ret::full;
  if (equals_ignore_case(text, "HDRS")) return Ret::headers;
  return std::nullopt;
}

std::string_view to_text(Ret ret) {
  return ret == Ret::full ? "FULL" : ret == Ret::headers ? "HDRS" : "";
}

bool OriginalRecipient::is_utf8() const {
  return equals_ignore_case(type, "utf-8");
}

std::optional<OriginalRecipient> parse_orcpt(std::string_view parameter) {
  size_t end = parameter.find(';');
  if (end == 0 || end == std::string_view::npos) return std::nullopt;
  OriginalRecipient out{.type = std::string(parameter.substr(0, end)), .address = {}};
  std::string_view coded = parameter.substr(end + 1);
  auto address = out.is_utf8() ? uxtext_decode(coded) : xtext_decode(coded);
  // A NUL would end the text for whoever reads it as a C string.
  if (!address || address->find('\0') != std::string::npos) return std::nullopt;
  out.address = std::move(*address);
  return out;
}

std::string format_orcpt(const OriginalRecipient& original, bool smtputf8) {
  std::string out = original.type + ";";
  if (!original.is_utf8()) return out + xtext_encode(original.address);
  auto coded = uxtext_encode(original.address);
  if (!coded) return out + xtext_encode(original.address);
  bool plain = smtputf8 && std::none_of(original.address.begin(), original.address.end(), [](char c) {
                 return is_ascii(c) && !stands_for_itself(static_cast<unsigned char>(c));
               });
  return out + (plain ? original.address : *coded);
}

std::optional<std::string> parse_envid(std::string_view parameter) {
  auto decoded = xtext_decode(parameter);
  if (!decoded || decoded->empty()) return std::nullopt;
  if (!std::all_of(decoded->begin(), decoded->end(), is_printable)) return std::nullopt;
  return decoded;
}

std::optional<std::string> uxtext_encode(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    auto character = decode_utf8(text);
    if (!character) return std::nullopt;
    if (stands_for_itself(character->code)) {
      out += text.front();
    } else {
      out += fmt::format("\\x{{{:02X}}}", static_cast<uint32_t>(character->code));
    }
    text.remove_prefix(character->length);
  }
  return out;
}

std::optional<std::string> uxtext_decode(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.starts_with("\\x{")) {
      auto character = decode_braced(text.substr(2));
      if (!character) return std::nullopt;
      append_utf8(out, character->code);
      text.remove_prefix(2 + character->length);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace postrider::mail
