#include "table/rules.h"

#include "base/logical_lines.h"
#include "base/text.h"
#include "table/syntax.h"

namespace postrider::table {

Result<std::string> inline_rules(
    std::string_view name, const std::function<void(std::string_view word, std::string_view rest)>& comment) {
  std::string_view rest = TRY(in_braces(name));
  std::string out;
  while (auto item = next_item(rest)) {
    if (item->starts_with('#')) {
      comment(*item, trim_left(rest));
      break;
    }
    out += TRY(in_braces(*item));
    out += '\n';
  }
  return out;
}

/// Reads the rules line by line. A line that cannot be used is left out, after a warning.
class RuleSet::Parser {
 public:
  Parser(const ParseContext& context, const PatternKind& kind) : context_(context), kind_(kind) {}

  Result<RuleSet> parse(std::string_view text) {
    out_.where_ = context_.where;
    LogicalLines lines(text);
    while (auto line = lines.next()) {
      line_ = line->first;
      if (line->indented) {
        context_.warn_indented(line->text);
        continue;
      }
      rest_ = trim_right(line->text);
      parse_rule();
    }
    for (; !open_ifs_.empty(); open_ifs_.pop_back()) {
      context_.warn(out_.rules_[open_ifs_.back()].line, "IF has no matching ENDIF");
    }
    return std::move(out_);
  }

 private:
  struct Source {
    std::string_view pattern, options;
    bool negated = false;
  };

  void warn(std::string_view text) const { context_.warn(line_, text); }

  void skip_space() { rest_ = trim_left(rest_); }

  bool take_keyword(std::string_view word) {
    if (!starts_with_ignore_case(rest_, word)) return false;
    if (rest_.size() > word.size() && is_alnum(rest_[word.size()])) return false;
    rest_.remove_prefix(word.size());
    skip_space();
    return true;
  }

  void parse_rule() {
    if (!is_alnum(rest_.front())) {
      parse_match();
    } else if (take_keyword("IF")) {
      parse_if();
    } else if (take_keyword("ENDIF")) {
      parse_endif();
    } else {
      warn("ignoring unrecognized request");
    }
  }

  /// "!/pattern/options"; nothing after a warning.
  std::optional<Source> take_pattern() {
    Source out;
    while (!rest_.empty() && (rest_.front() == '!' || is_space(rest_.front()))) {
      if (rest_.front() == '!') out.negated = !out.negated;
      rest_.remove_prefix(1);
    }
    if (rest_.empty()) {
      warn("no regexp: skipping this rule");
      return std::nullopt;
    }
    char delimiter = rest_.front();
    rest_.remove_prefix(1);
    size_t end = 0;
    while (end < rest_.size() && (rest_[end] != delimiter || rest_[end] == '\\'))
      end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) {
      warn(fmt::format("no closing regexp delimiter \"{}\": {} this rule", printable({&delimiter, 1}),
                       kind_.unclosed));
      return std::nullopt;
    }
    out.pattern = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return take_options(out) ? std::optional(out) : std::nullopt;
  }

  bool take_options(Source& source) {
    size_t length = 0;
    for (; length < rest_.size() && !is_space(rest_[length]); ++length) {
      char option = rest_[length];
      if (option == '!' && kind_.has_exception) break;
      if (kind_.obsolete_options.find(option) != std::string_view::npos) {
        warn(fmt::format("ignoring obsolete regexp option \"{}\"", option));
      } else if (kind_.options.find(option) == std::string_view::npos) {
        warn(fmt::format("unknown regexp option \"{}\": skipping this rule", printable({&option, 1})));
        return false;
      }
    }
    source.options = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return true;
  }

  std::unique_ptr<Pattern> compile(const Source& source, bool captures) {
    auto pattern = kind_.compile(source.pattern, source.options, captures);
    if (!pattern) {
      warn(pattern.error().text);
      return nullptr;
    }
    out_.deep_ = out_.deep_ || (*pattern)->is_deep();
    return std::move(*pattern);
  }

  std::optional<Replacement> take_value(const Source& source) {
    skip_space();
    if (rest_.empty()) warn("no replacement text: using empty string");
    std::string text(rest_);
    if (context_.values_are_files) {
      auto encoded = encode_files(rest_);
      if (!encoded) {
        warn(printable(encoded.error().text) + ": skipping this rule");
        return std::nullopt;
      }
      text = std::move(*encoded);
    }
    auto value = Replacement::parse(text, kind_.range_word);
    if (!value) {
      for (const Replacement::Fault& fault : value.error()) {
        if (!fault.unplaced) {
          warn(fault.text);
        } else if (context_.log) {
          context_.log(Severity::warning, fault.text);
        }
      }
      warn("bad replacement syntax: skipping this rule");
      return std::nullopt;
    }
    if (value->highest_group() == 0) return std::move(*value);
    if (context_.paranoid) {
      warn("regular expression substitution is not allowed: skipping this rule");
      return std::nullopt;
    }
    if (source.negated) {
      warn("$number found in negative match replacement text: skipping this rule");
      return std::nullopt;
    }
    return std::move(*value);
  }

  void parse_match() {
    auto source = take_pattern();
    if (!source) return;
    std::optional<Source> exception;
    if (kind_.has_exception && rest_.starts_with('!')) {
      exception = take_pattern();
      if (!exception) return;
    }
    auto value = take_value(*source);
    if (!value) return;
    Rule rule{
        .operation = Operation::match, .negated = source->negated, .line = line_, .value = std::move(*value)};
    rule.pattern = compile(*source, rule.value.highest_group() > 0);
    if (!rule.pattern) return;
    if (rule.value.highest_group() > rule.pattern->group_count()) {
      return warn(fmt::format("out of range replacement index \"{}\": skipping this rule",
                              rule.value.highest_group()));
    }
    if (exception) {
      rule.exception = compile(*exception, false);
      rule.exception_negated = exception->negated;
      if (!rule.exception) return;
    }
    out_.rules_.push_back(std::move(rule));
  }

  void parse_if() {
    auto source = take_pattern();
    if (!source) return;
    skip_space();
    if (!rest_.empty()) {
      warn(fmt::format("ignoring extra text after IF statement: \"{}\"", printable(rest_)));
      warn("do not prepend whitespace to statements between IF and ENDIF");
    }
    auto pattern = compile(*source, false);
    if (!pattern) return;
    open_ifs_.push_back(out_.rules_.size());
    out_.rules_.push_back({.operation = Operation::if_begin, .negated = source->negated, .line = line_});
    out_.rules_.back().pattern = std::move(pattern);
  }

  void parse_endif() {
    if (open_ifs_.empty()) return warn("ignoring ENDIF without matching IF");
    if (!rest_.empty()) warn("ignoring extra text after ENDIF");
    out_.rules_[open_ifs_.back()].end = out_.rules_.size();
    open_ifs_.pop_back();
    out_.rules_.push_back({.operation = Operation::if_end, .line = line_});
  }

  const ParseContext& context_;
  const PatternKind& kind_;
  RuleSet out_;
  std::vector<size_t> open_ifs_;
  std::string_view rest_;
  int line_ = 0;
};

Result<RuleSet> RuleSet::parse(std::string_view text, const ParseContext& context, const PatternKind& kind) {
  return Parser(context, kind).parse(text);
}

bool RuleSet::applies(const Rule& rule, std::string_view key, std::vector<std::string_view>& groups,
                      std::vector<std::string>& problems) const {
  auto matches = [&](const Pattern& pattern, bool negated, std::vector<std::string_view>& into) {
    auto matched = pattern.match(key, into);
    if (!matched) {
      problems.push_back(fmt::format("{}, line {}: {}", where_, rule.line, matched.error().text));
      return false;
    }
    return *matched != negated;
  };
  if (!matches(*rule.pattern, rule.negated, groups)) return false;
  if (!rule.exception) return true;
  std::vector<std::string_view> unused;
  return matches(*rule.exception, rule.exception_negated, unused);
}

std::optional<std::string> RuleSet::find(std::string_view key, std::vector<std::string>& problems) const {
  std::vector<std::string_view> groups;
  for (size_t at = 0; at < rules_.size(); ++at) {
    const Rule& rule = rules_[at];
    if (rule.operation == Operation::if_end) continue;
    bool applied = applies(rule, key, groups, problems);
    if (rule.operation == Operation::match) {
      if (applied) return rule.value.expand(groups);
    } else if (!applied) {
      // An IF without ENDIF covers the rest.
      if (rule.end == SIZE_MAX) return std::nullopt;
      at = rule.end;
    }
  }
  return std::nullopt;
}

}  // namespace postrider::table
