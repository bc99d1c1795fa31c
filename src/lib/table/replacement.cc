#include "table/replacement.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::table {

namespace {

/// The length of the bracketed text at the start of `text`, with its brackets; 0 when it is not closed.
size_t bracketed(std::string_view text) {
  char open = text.front(), close = open == '{' ? '}' : ')';
  int level = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == open) ++level;
    if (text[i] == close && --level == 0) return i + 1;
  }
  return 0;
}

}  // namespace

void Replacement::add_text(std::string_view text) {
  if (pieces_.empty() || pieces_.back().group != 0) pieces_.emplace_back();
  pieces_.back().text += text;
}

std::expected<void, Replacement::Fault> Replacement::add_reference(std::string_view name,
                                                                   std::string_view range_word) {
  if (!is_all_digits(name)) {
    return std::unexpected(Fault{fmt::format("non-numeric replacement index \"{}\"", printable(name))});
  }
  auto number = parse_unsigned(name);
  if (!number || *number < 1 || *number > kMaxGroup) {
    return std::unexpected(Fault{fmt::format("{} replacement index \"{}\"", range_word, name)});
  }
  pieces_.push_back({.text = {}, .group = static_cast<int>(*number)});
  highest_ = std::max(highest_, pieces_.back().group);
  return {};
}

std::expected<Replacement, Replacement::Faults> Replacement::parse(std::string_view text,
                                                                   std::string_view range_word) {
  Replacement out;
  // All wrong references are named; one that has no end, or no name, ends the search for them.
  Faults faults;
  auto end = [&](std::string_view what) {
    faults.push_back({fmt::format("{}: \"{}\"", what, printable(text)), true});
    return std::unexpected(std::move(faults));
  };
  std::string_view rest = text;
  while (!rest.empty()) {
    size_t dollar = std::min(rest.find('$'), rest.size());
    if (dollar > 0) out.add_text(rest.substr(0, dollar));
    rest.remove_prefix(dollar);
    if (rest.empty()) break;
    rest.remove_prefix(1);
    if (rest.starts_with('$')) {
      out.add_text("$");
      rest.remove_prefix(1);
      continue;
    }
    std::string_view name;
    if (rest.starts_with('{') || rest.starts_with('(')) {
      size_t length = bracketed(rest);
      if (length == 0) return end("truncated macro reference");
      name = rest.substr(1, length - 2);
      rest.remove_prefix(length);
    } else {
      size_t length = 0;
      while (length < rest.size() && (is_alnum(rest[length]) || rest[length] == '_'))
        ++length;
      name = rest.substr(0, length);
      rest.remove_prefix(length);
    }
    if (name.empty()) return end("empty macro name");
    if (auto added = out.add_reference(name, range_word); !added) faults.push_back(std::move(added).error());
  }
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return out;
}

std::string Replacement::expand(std::span<const std::string_view> groups) const {
  std::string out;
  for (const Piece& piece : pieces_) {
    if (piece.group == 0) {
      out += piece.text;
    } else if (static_cast<size_t>(piece.group) < groups.size()) {
      out += groups[piece.group];
    }
  }
  return out;
}

}  // namespace postrider::table
