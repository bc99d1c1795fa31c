#include "config/macro.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/idna.h"
#include "base/text.h"
#include "config/compat_level.h"

namespace postrider::config {
namespace {

// Depth of values within values and of braces within braces, as in Postfix.
constexpr int kMaxDepth = 100;
// Every name costs a step, so that "a = $b$b, b = $c$c, ..." ends soon.
constexpr int kMaxSteps = 100'000;

constexpr bool is_name_char(char c) {
  return is_alnum(c) || c == '_';
}

std::unexpected<Error> broken(std::string text) {
  return fail(ErrorKind::invalid, std::move(text));
}
std::unexpected<Error> truncated(std::string_view text) {
  return broken(fmt::format("truncated macro reference: \"{}\"", text));
}
std::unexpected<Error> unexpected_at(std::string_view what, std::string_view before, std::string_view rest) {
  constexpr size_t kShown = 20;
  return broken(fmt::format("{} at: \"...{}>>>{}\"", what, before, rest.substr(0, kShown)));
}

/// Length of `text` up to and with the bracket that matches its first character, or 0.
size_t bracket_length(std::string_view text, char open, char close) {
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == open) ++depth;
    if (text[i] == close && --depth == 0) return i + 1;
  }
  return 0;
}

/// What `text` begins with: plain text, or the name (or all that is in brackets) of a reference.
std::string_view first_piece(std::string_view text) {
  if (!text.starts_with('$')) return text.substr(0, text.find('$'));
  text.remove_prefix(1);
  if (text.starts_with('{') || text.starts_with('('))
    return text.substr(1, std::max<size_t>(bracket_length(text, text[0], text[0] == '{' ? '}' : ')'), 2) - 2);
  size_t end = 0;
  while (end < text.size() && is_name_char(text[end]))
    ++end;
  return text.substr(0, end);
}

enum class Operator { equal, unequal, less, less_equal, greater_equal, greater };
struct Relation {
  Operator op;
  bool by_level;
  std::string_view text;  ///< Of the operator, without "level".
};

constexpr struct {
  std::string_view text;
  Operator op;
} kOperators[] = {{"==", Operator::equal},         {"!=", Operator::unequal}, {"<=", Operator::less_equal},
                  {">=", Operator::greater_equal}, {"<", Operator::less},     {">", Operator::greater}};

bool holds(Operator op, std::weak_ordering order) {
  switch (op) {
    case Operator::equal:
      return order == 0;
    case Operator::unequal:
      return order != 0;
    case Operator::less:
      return order < 0;
    case Operator::less_equal:
      return order <= 0;
    case Operator::greater_equal:
      return order >= 0;
    case Operator::greater:
      return order > 0;
  }
  return false;
}

Result<std::weak_ordering> compare_levels(std::string_view left, std::string_view right) {
  auto a = CompatLevel::parse(left), b = CompatLevel::parse(right);
  if (!a || !b) return broken(malformed_compat_level(a ? right : left));
  return *a <=> *b;
}

Result<std::weak_ordering> compare_values(std::string_view left, std::string_view right) {
  if (!is_all_digits(left) || !is_all_digits(right)) return left <=> right;
  auto a = parse_int(left), b = parse_int(right);
  if (!a || !b) return broken(fmt::format("mac_exp_eval: bad conversion: {}", a ? right : left));
  return *a <=> *b;
}

/// The two texts of a conditional; a missing one is empty.
struct Branches {
  std::string_view if_true, if_false;
};

/// One expansion: the callbacks, the limits and what was found on the way.
class Expander {
 public:
  Expander(const MacroLookup* lookup, const std::function<void(std::string_view)>* visit,
           const MacroOptions& options)
      : lookup_(lookup), visit_(visit), options_(options) {}

  Result<void> run(std::string_view text, int depth, std::string& out);
  bool undefined() const { return undefined_; }

 private:
  Result<size_t> reference(std::string_view text, size_t at, int depth, std::string& out);
  Result<void> body(std::string_view body, int depth, std::string& out);
  Result<void> relation(std::string_view body, int depth, std::string& out);
  Result<void> function(std::string_view name, std::string_view rest, int depth, std::string& out);
  Result<void> conditional(bool condition, std::string_view rest, int depth, std::string& out);
  Result<void> name(std::string_view name, int depth, std::string& out);
  Result<std::optional<std::string>> value(std::string_view name);
  void append_filtered(std::string_view value, std::string& out) const;

  const MacroLookup* lookup_;
  const std::function<void(std::string_view)>* visit_;
  const MacroOptions& options_;
  int steps_ = 0;
  bool undefined_ = false;
};

Result<void> Expander::run(std::string_view text, int depth, std::string& out) {
  if (depth > kMaxDepth && !text.empty())
    return broken(fmt::format("unreasonable macro call nesting: \"{}\"", first_piece(text)));
  for (size_t at = 0; at < text.size();) {
    size_t dollar = text.find('$', at);
    out += text.substr(at, dollar - at);
    if (dollar == std::string_view::npos) break;
    at = TRY(reference(text, dollar + 1, depth, out));
    if (out.size() > options_.max_size) return fail(ErrorKind::limit, "macro expansion result is too long");
  }
  return {};
}

/// Expands what follows the dollar sign before `at`; returns where the text goes on.
Result<size_t> Expander::reference(std::string_view text, size_t at, int depth, std::string& out) {
  char first = at < text.size() ? text[at] : '\0';
  if (first == '$') {
    out += '$';
    return at + 1;
  }
  if (first == '{' || first == '(') {
    std::string_view rest = text.substr(at);
    size_t length = bracket_length(rest, first, first == '{' ? '}' : ')');
    if (length == 0) return truncated(text);
    std::string_view inside = rest.substr(1, length - 2);
    if (inside.empty()) return broken(fmt::format("empty macro name: \"{}\"", text));
    TRY(body(inside, depth, out));
    return at + length;
  }
  size_t end = at;
  while (end < text.size() && is_name_char(text[end]))
    ++end;
  if (end == at) return broken(fmt::format("empty macro name: \"{}\"", text));
  TRY(name(text.substr(at, end - at), depth, out));
  return end;
}

/// What stands between the brackets of a reference.
Result<void> Expander::body(std::string_view text, int depth, std::string& out) {
  std::string_view rest = trim_left(text);
  if (rest.starts_with('{')) return relation(rest, depth, out);
  size_t end = 0;
  while (end < rest.size() && is_name_char(rest[end]))
    ++end;
  std::string_view word = rest.substr(0, end);
  std::string_view after = trim_left(rest.substr(end));
  if (after.empty() && !word.empty()) return name(word, depth, out);
  if (word.empty() || (after[0] != '?' && after[0] != ':' && after[0] != '{')) {
    std::string_view before = text.substr(0, text.size() - rest.size() + end);
    return unexpected_at("attribute name syntax error", before, rest.substr(end));
  }
  if (after[0] == '{') return function(word, rest.substr(end), depth, out);
  auto found = TRY(value(word));
  // A value is "there" when its text, not yet expanded, is not empty.
  return conditional(found && !found->empty(), after, depth, out);
}

Result<void> Expander::function(std::string_view name, std::string_view rest, int depth, std::string& out) {
  std::optional<std::string> (*convert)(std::string_view) = nullptr;
  if (name == "domain_to_ascii") convert = domain_to_ascii;
  if (name == "domain_to_utf8") convert = domain_to_utf8;
  if (!convert) return unexpected_at("attribute name syntax error", name, rest);
  std::string_view argument = trim_left(rest);
  size_t length = bracket_length(argument, '{', '}');
  if (length == 0) return broken(fmt::format("unbalanced {{}} in attribute expression: \"{}\"", rest));
  if (std::string_view behind = trim_left(argument.substr(length)); !behind.empty())
    return unexpected_at("unexpected input", argument.substr(1, length - 1), behind);
  std::string text;
  TRY(run(argument.substr(1, length - 2), depth + 1, text));
  if (visit_) return {};
  auto result = convert(trim(text));
  if (!result) return broken(fmt::format("{}: malformed domain name: \"{}\"", name, printable(text)));
  append_filtered(*result, out);
  return {};
}

Result<Relation> parse_operator(std::string_view& rest, std::string_view left) {
  for (const auto& candidate : kOperators) {
    if (!rest.starts_with(candidate.text)) continue;
    rest.remove_prefix(candidate.text.size());
    size_t end = 0;
    while (end < rest.size() && is_alpha(rest[end]))
      ++end;
    std::string_view suffix = rest.substr(0, end);
    if (!suffix.empty() && suffix != "level")
      return unexpected_at("bad operator suffix", candidate.text, suffix);
    rest.remove_prefix(end);
    return Relation{candidate.op, !suffix.empty(), candidate.text};
  }
  // The quotes are as uneven in Postfix, and there are tools that compare.
  return unexpected_at(R"("==" or "!="" or "<"" or "<="" or ">="" or ">" expected)", left, rest);
}

/// {left} operator {right}, then ? and : with their texts; alone it is "true" or nothing.
Result<void> Expander::relation(std::string_view text, int depth, std::string& out) {
  std::string_view rest = text;
  size_t length = bracket_length(rest, '{', '}');
  if (length == 0) return broken(fmt::format("unbalanced {{}} in attribute expression: \"{}\"", text));
  std::string_view left_text = rest.substr(1, length - 2);
  std::string_view left_shown = rest.substr(1, length - 1);
  rest = trim_left(rest.substr(length));
  Relation relation = TRY(parse_operator(rest, left_shown));
  std::string_view right = trim_left(rest);
  length = right.starts_with('{') ? bracket_length(right, '{', '}') : 0;
  if (length == 0) {
    std::string before = fmt::format("{{{}}} {}", left_text, relation.text);
    return unexpected_at(R"("{expression}" expected)", before, rest);
  }
  std::string_view right_text = right.substr(1, length - 2);
  rest = trim_left(right.substr(length));
  if (!rest.empty() && rest[0] != '?' && rest[0] != ':')
    return unexpected_at(R"("?" or ":" expected)", "}", rest);

  std::string left_value, right_value;
  TRY(run(left_text, depth + 1, left_value));
  TRY(run(right_text, depth + 1, right_value));
  bool condition = false;
  if (!visit_) {
    std::weak_ordering order =
        relation.by_level ? TRY(compare_levels(left_value, right_value)) : TRY(compare_values(left_value, right_value));
    condition = holds(relation.op, order);
  }
  if (!rest.empty()) return conditional(condition, rest, depth, out);
  if (condition) out += "true";
  return {};
}

/// The texts behind '?' and ':'. Without braces the rest is one text, spaces included.
Result<Branches> parse_branches(std::string_view rest) {
  bool positive = rest[0] == '?';
  std::string_view first = rest.substr(1);
  std::string_view braced = trim_left(first);
  if (!braced.starts_with('{')) return positive ? Branches{first, {}} : Branches{{}, first};
  size_t length = bracket_length(braced, '{', '}');
  if (length == 0) return broken(fmt::format("unbalanced {{}} in attribute expression: \"{}\"", braced));
  first = braced.substr(1, length - 2);
  std::string_view shown = braced.substr(1, length - 1);
  rest = trim_left(braced.substr(length));
  if (!positive) {
    if (!rest.empty()) return unexpected_at("unexpected input", shown, rest);
    return Branches{{}, first};
  }
  if (rest.empty()) return Branches{first, {}};
  if (rest[0] != ':') return unexpected_at(R"(":" expected)", shown, rest);
  std::string_view second = rest.substr(1);
  braced = trim_left(second);
  if (!braced.starts_with('{')) return Branches{first, second};
  length = bracket_length(braced, '{', '}');
  if (length == 0) return broken(fmt::format("unbalanced {{}} in attribute expression: \"{}\"", braced));
  rest = trim_left(braced.substr(length));
  if (!rest.empty()) return unexpected_at("unexpected input", braced.substr(1, length - 1), rest);
  return Branches{first, braced.substr(1, length - 2)};
}

Result<void> Expander::conditional(bool condition, std::string_view rest, int depth, std::string& out) {
  Branches branches = TRY(parse_branches(rest));
  if (visit_) {
    TRY(run(branches.if_true, depth + 1, out));
    return run(branches.if_false, depth + 1, out);
  }
  return run(condition ? branches.if_true : branches.if_false, depth + 1, out);
}

Result<void> Expander::name(std::string_view name, int depth, std::string& out) {
  auto found = TRY(value(name));
  if (visit_) return {};
  if (!found) {
    undefined_ = true;
    return {};
  }
  if (!options_.recursive) {
    append_filtered(*found, out);
    return {};
  }
  std::string expanded;
  TRY(run(*found, depth + 1, expanded));
  append_filtered(expanded, out);
  return {};
}

Result<std::optional<std::string>> Expander::value(std::string_view name) {
  if (++steps_ > kMaxSteps) return fail(ErrorKind::limit, "macro expansion takes too many steps");
  if (visit_) {
    (*visit_)(name);
    return std::nullopt;
  }
  return (*lookup_)(name);
}

void Expander::append_filtered(std::string_view value, std::string& out) const {
  size_t start = out.size();
  out += value;
  if (!options_.allowed) return;
  for (size_t i = start; i < out.size(); ++i)
    if (options_.allowed->find(out[i]) == std::string_view::npos) out[i] = options_.replacement;
}

}  // namespace

Result<Expansion> expand_macros(std::string_view text, const MacroLookup& lookup,
                                const MacroOptions& options) {
  Expander expander(&lookup, nullptr, options);
  Expansion result;
  TRY(expander.run(text, 0, result.text));
  result.undefined = expander.undefined();
  return result;
}

Result<void> visit_macros(std::string_view text, const std::function<void(std::string_view name)>& visit) {
  const MacroOptions options;
  Expander expander(nullptr, &visit, options);
  std::string ignored;
  return expander.run(text, 0, ignored);
}

}  // namespace postrider::config
