// pcre: Perl-compatible regular expressions.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <array>

#include <pcre2.h>

#include "base/text.h"
#include "table/rules.h"

namespace postrider::table {

namespace {

// PCRE2's own default. It bounds the time that one hostile line can take to some tenths of a second.
constexpr uint32_t kMatchLimit = 10'000'000;
constexpr uint32_t kHeapLimitKib = 20'000;

/// What all matches of a thread share: compiled patterns run on a stack of their own, because that of a fiber
/// is small, and PCRE2 would take half of it for itself.
class Workspace {
 public:
  Workspace()
      : stack_(pcre2_jit_stack_create(64 * 1024, 4 * 1024 * 1024, nullptr)),
        context_(pcre2_match_context_create(nullptr)) {
    pcre2_jit_stack_assign(context_, nullptr, stack_);
    pcre2_set_match_limit(context_, kMatchLimit);
    pcre2_set_heap_limit(context_, kHeapLimitKib);
  }
  ~Workspace() {
    pcre2_match_context_free(context_);
    pcre2_jit_stack_free(stack_);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  pcre2_match_context* context() const { return context_; }

 private:
  pcre2_jit_stack* stack_;
  pcre2_match_context* context_;
};

Workspace& workspace() {
  thread_local Workspace instance;
  return instance;
}

std::string message(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return {text.begin(), std::find(text.begin(), text.end(), '\0')};
}

class PerlPattern : public Pattern {
 public:
  PerlPattern(const PerlPattern&) = delete;
  PerlPattern& operator=(const PerlPattern&) = delete;
  ~PerlPattern() override {
    pcre2_match_data_free(found_);
    pcre2_code_free(code_);
  }

  static Result<std::unique_ptr<Pattern>> compile(std::string_view pattern, std::string_view options, bool) {
    uint32_t flags = PCRE2_CASELESS | PCRE2_DOTALL;
    for (char option : options)
      flags ^= flag_of(option);
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), flags,
                                     &error, &offset, nullptr);
    if (code == nullptr) {
      return fail(ErrorKind::invalid, fmt::format("error in regex at offset {}: {}", offset, message(error)));
    }
    // Where this is not possible, the pattern is interpreted.
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    return std::unique_ptr<Pattern>(new PerlPattern(code));
  }

  int group_count() const override { return static_cast<int>(group_count_); }

  Result<bool> match(std::string_view subject, std::vector<std::string_view>& groups) const override {
    int count = pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(), 0, 0, found_,
                            workspace().context());
    if (count == PCRE2_ERROR_NOMATCH) return false;
    if (count < 0) return fail(ErrorKind::limit, message(count));
    const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(found_);
    groups.clear();
    for (int i = 0; i < count; ++i) {
      PCRE2_SIZE begin = offsets[2 * i], end = offsets[2 * i + 1];
      // With \K in a lookahead a match can begin behind its end.
      groups.push_back(begin == PCRE2_UNSET || begin > end ? std::string_view()
                                                           : subject.substr(begin, end - begin));
    }
    return true;
  }

 private:
  explicit PerlPattern(pcre2_code* code)
      : code_(code), found_(pcre2_match_data_create_from_pattern(code, nullptr)) {
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &group_count_);
  }

  static uint32_t flag_of(char option) {
    switch (option) {
      case 'i':
        return PCRE2_CASELESS;
      case 'm':
        return PCRE2_MULTILINE;
      case 's':
        return PCRE2_DOTALL;
      case 'x':
        return PCRE2_EXTENDED;
      case 'A':
        return PCRE2_ANCHORED;
      case 'E':
        return PCRE2_DOLLAR_ENDONLY;
      case 'U':
        return PCRE2_UNGREEDY;
      default:
        return 0;
    }
  }

  pcre2_code* code_;
  pcre2_match_data* found_;
  uint32_t group_count_ = 0;
};

constexpr PatternKind kPerl{.unclosed = "ignoring",
                            .range_word = "out of range",
                            .has_exception = false,
                            .options = "imsxAEU",
                            .obsolete_options = "X",
                            .compile = PerlPattern::compile};

struct PcreRules {
  RuleSet rules;
  static Result<PcreRules> parse(std::string_view text, const ParseContext& context) {
    return PcreRules{TRY(RuleSet::parse(text, context, kPerl))};
  }
};

class PcreTable : public RuleTable<PcreRules> {
 public:
  using RuleTable::RuleTable;

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    std::vector<std::string> problems;
    auto value = current(deadline).rules.find(key, problems);
    for (const std::string& problem : problems)
      warn(problem);
    return value;
  }
};

}  // namespace

OpenResult open_pcre(std::string_view name, const OpenOptions& options) {
  return open_rules<PcreTable>("pcre", name, options);
}

}  // namespace postrider::table
