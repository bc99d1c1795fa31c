#include "tools/postconf/print.h"

#include <cstdio>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::postconf {
namespace {

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (is_control(c))
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + '"';
}

/// The words of a text with single spaces; `line_length` is what stands before them on the line.
std::string words_of(std::string_view text, size_t line_length, bool fold) {
  std::string out;
  for (std::string_view word : split_any(text, " \t\r\n")) {
    if (line_length > 0 && fold && line_length + word.size() >= kLineLimit) {
      out += "\n    ";
      line_length = 4;
    } else if (line_length > 0) {
      out += ' ';
      ++line_length;
    }
    out += word;
    line_length += word.size();
  }
  return out;
}

}  // namespace

std::string format_json(std::string_view name, std::string_view value) {
  return fmt::format("{{{}: {}}}\n", json_string(name), json_string(words_of(value, 0, false)));
}

std::string format_value(const Options& options, std::string_view name, std::string_view value) {
  if (options.json) return format_json(name, value);
  if (options.hide_value) return fmt::format("{}\n", name);
  if (options.hide_name) return words_of(value, 0, options.fold) + '\n';
  std::string start = fmt::format("{} =", name);
  return start + words_of(value, start.size(), options.fold) + '\n';
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace postrider::postconf
