// Tables of patterns with IF and ENDIF: what regexp and pcre have in common.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "table/replacement.h"
#include "table/text_table.h"

namespace postrider::table {

/// A compiled pattern.
class Pattern {
 public:
  virtual ~Pattern() = default;
  virtual int group_count() const = 0;
  /// Whether it matches, and what its groups matched, the whole at 0; views of the subject. An error is
  /// logged and taken for "no".
  virtual Result<bool> match(std::string_view subject, std::vector<std::string_view>& groups) const = 0;
  /// Whether matching may need stack in proportion to the subject.
  virtual bool is_deep() const { return false; }
};

/// How the two kinds of tables differ.
struct PatternKind {
  std::string_view unclosed;    ///< What happens to a rule without second delimiter.
  std::string_view range_word;  ///< For Replacement.
  bool has_exception;           ///< "/pattern/!/exception/ value".
  /// Compiles `pattern` with the option letters behind it, all of which are in `options`.
  std::string_view options;
  std::string_view obsolete_options;
  Result<std::unique_ptr<Pattern>> (*compile)(std::string_view pattern, std::string_view options,
                                              bool captures);
};

class RuleSet {
 public:
  static Result<RuleSet> parse(std::string_view text, const ParseContext& context, const PatternKind& kind);

  /// The value of the first rule that matches. Appends what went wrong in rules on the way.
  std::optional<std::string> find(std::string_view key, std::vector<std::string>& problems) const;
  /// Whether a pattern is Pattern::is_deep().
  bool is_deep() const { return deep_; }

 private:
  enum class Operation : unsigned char { match, if_begin, if_end };
  struct Rule {
    Operation operation;
    bool negated = false;
    int line = 0;
    std::unique_ptr<Pattern> pattern, exception;
    bool exception_negated = false;
    Replacement value;
    size_t end = SIZE_MAX;  ///< For if_begin: its ENDIF.
  };
  class Parser;

  bool applies(const Rule& rule, std::string_view key, std::vector<std::string_view>& groups,
               std::vector<std::string>& problems) const;

  std::string where_;
  std::vector<Rule> rules_;
  bool deep_ = false;
};

/// "{rule}, {rule}" as lines. Errors are those of Postfix, without the name of the type. A word that begins
/// with '#' ends the rules; `comment` is told of it, and of what follows.
Result<std::string> inline_rules(
    std::string_view name, const std::function<void(std::string_view word, std::string_view rest)>& comment);

/// A table of rules, in a file or in the configuration.
template <typename Content>
class RuleTable : public TextTable<Content> {
 public:
  RuleTable(std::string_view type, std::string_view name, const OpenOptions& options)
      : TextTable<Content>(type, name, options,
                           {.context = {.name = std::string(name),
                                        .where = fmt::format("{} map {}", type, name),
                                        .behaviour = options.behaviour,
                                        .paranoid = options.paranoid || options.no_substitution,
                                        .values_are_files = options.values_are_files,
                                        .log = options.log},
                            .errors = {.open = fmt::format("open {}", name),
                                       .read = fmt::format("{} map {}: read error", type, name)}}) {}

  bool matches_patterns() const override { return true; }
  bool substitutes() const override { return true; }

  Result<void> load() {
    if (!this->name().starts_with('{')) return this->load_file();
    auto text = inline_rules(this->name(), [this](std::string_view word, std::string_view rest) {
      constexpr size_t kShown = 20;
      this->warn(fmt::format("{}:{{...}}: #comment after other text is not allowed: {} {}", this->type(),
                             printable(word), printable(rest.substr(0, kShown))));
    });
    if (!text) {
      return fail(ErrorKind::invalid, fmt::format("{} map: {}", this->type(), printable(text.error().text)));
    }
    return this->load_text(*text);
  }
};

template <typename TableType>
OpenResult open_rules(std::string_view type, std::string_view name, const OpenOptions& options) {
  TRY(refuse_write(type, name, options));
  auto table = std::make_shared<TableType>(type, name, options);
  TRY(table->load());
  return table;
}

}  // namespace postrider::table
