// regexp: POSIX regular expressions.
#include <regex.h>

#include <array>
#include <span>

#include "base/text.h"
#include "table/rules.h"

namespace postrider::table {

namespace {

// The C library matches patterns with back-references by recursion, some 220 bytes of stack for each byte of
// the subject.
constexpr size_t kMaxDeepSubject = 16 * 1024;
// More than most rules have.
constexpr size_t kFewGroups = 10;

bool has_back_reference(std::string_view pattern) {
  for (size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] != '\\') continue;
    if (pattern[++i] >= '1' && pattern[i] <= '9') return true;
  }
  return false;
}

class PosixPattern : public Pattern {
 public:
  PosixPattern(const PosixPattern&) = delete;
  PosixPattern& operator=(const PosixPattern&) = delete;
  ~PosixPattern() override {
    if (compiled_) regfree(&regex_);
  }

  static Result<std::unique_ptr<Pattern>> compile(std::string_view pattern, std::string_view options,
                                                  bool captures) {
    int flags = REG_EXTENDED | REG_ICASE | (captures ? 0 : REG_NOSUB);
    for (char option : options) {
      flags ^= option == 'i' ? REG_ICASE : option == 'm' ? REG_NEWLINE : REG_EXTENDED;
    }
    std::unique_ptr<PosixPattern> out(new PosixPattern(has_back_reference(pattern), captures));
    int error = regcomp(&out->regex_, std::string(pattern).c_str(), flags);
    if (error != 0) return std::unexpected(out->failure(error));
    out->compiled_ = true;
    return out;
  }

  int group_count() const override { return static_cast<int>(regex_.re_nsub); }
  bool is_deep() const override { return deep_; }

  Result<bool> match(std::string_view subject, std::vector<std::string_view>& groups) const override {
    if (deep_ && subject.size() > kMaxDeepSubject) {
      return fail(ErrorKind::limit, "text is too long for a pattern with back-references");
    }
    // The first place says what part of the text is meant; so it needs no terminator.
    std::array<regmatch_t, kFewGroups> few;
    std::vector<regmatch_t> many(captures_ && regex_.re_nsub + 1 > few.size() ? regex_.re_nsub + 1 : 0);
    std::span<regmatch_t> found =
        many.empty() ? std::span(few).first(captures_ ? regex_.re_nsub + 1 : 1) : many;
    found[0] = {.rm_so = 0, .rm_eo = static_cast<regoff_t>(subject.size())};
    // A null text is no text, whatever its length.
    int error = regexec(&regex_, subject.data() == nullptr ? "" : subject.data(),
                        captures_ ? found.size() : 0, found.data(), REG_STARTEND);
    if (error == REG_NOMATCH) return false;
    if (error != 0) return std::unexpected(failure(error));
    groups.clear();
    for (const regmatch_t& group : found.first(captures_ ? found.size() : 0)) {
      groups.push_back(group.rm_so < 0 ? std::string_view()
                                       : subject.substr(group.rm_so, group.rm_eo - group.rm_so));
    }
    return true;
  }

 private:
  PosixPattern(bool deep, bool captures) : deep_(deep), captures_(captures) {}

  Error failure(int error) const {
    std::string text(256, '\0');
    regerror(error, &regex_, text.data(), text.size());
    text.resize(text.find('\0'));
    return {ErrorKind::invalid, std::move(text)};
  }

  regex_t regex_{};
  bool compiled_ = false;
  bool deep_, captures_;
};

constexpr PatternKind kPosix{.unclosed = "skipping",
                             .range_word = "out-of-range",
                             .has_exception = true,
                             .options = "imx",
                             .obsolete_options = "",
                             .compile = PosixPattern::compile};

struct RegexpRules {
  // Shared with a thread that may outlive the table.
  std::shared_ptr<const RuleSet> rules;

  static Result<RegexpRules> parse(std::string_view text, const ParseContext& context) {
    return RegexpRules{std::make_shared<const RuleSet>(TRY(RuleSet::parse(text, context, kPosix)))};
  }
};

class RegexpTable : public RuleTable<RegexpRules> {
 public:
  using RuleTable::RuleTable;

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    struct Answer {
      std::optional<std::string> value;
      std::vector<std::string> problems;
    };
    auto ask = [rules = current(deadline).rules, subject = std::string(key)] {
      Answer out;
      out.value = rules->find(subject, out.problems);
      return out;
    };
    bool deep = current(deadline).rules->is_deep();
    Answer answer = deep ? TRY(io::offload(std::move(ask), deadline)) : ask();
    for (const std::string& problem : answer.problems)
      warn(problem);
    return std::move(answer.value);
  }
};

}  // namespace

OpenResult open_regexp(std::string_view name, const OpenOptions& options) {
  return open_rules<RegexpTable>("regexp", name, options);
}

}  // namespace postrider::table
