// cidr: networks and addresses.
#include "base/logical_lines.h"
#include "base/text.h"
#include "sys/socket.h"
#include "table/network.h"
#include "table/rules.h"
#include "table/syntax.h"

namespace postrider::table {

namespace {

struct CidrRule {
  enum class Operation : unsigned char { match, if_begin, if_end } operation;
  bool negated = false;
  Network network;
  std::string value;
  int line = 0;
  size_t end = SIZE_MAX;  ///< For if_begin: its ENDIF.
};

/// What a rule asks of an address: small, because lookups go through all of them.
struct CidrTest {
  Network::Words network, mask;
  uint8_t size;  ///< Of addresses that it is about, in bytes.
  bool negated;
  CidrRule::Operation operation;

  explicit CidrTest(const CidrRule& rule)
      : network(rule.network.words()),
        mask(rule.network.mask()),
        size(rule.network.size()),
        negated(rule.negated),
        operation(rule.operation) {}
  bool contains(const Network::Words& address) const {
    return ((address[0] & mask[0]) ^ network[0]) == 0 && ((address[1] & mask[1]) ^ network[1]) == 0;
  }
};

struct CidrRules {
  std::vector<CidrRule> rules;
  std::vector<CidrTest> tests;  ///< One for each rule.
  static Result<CidrRules> parse(std::string_view text, const ParseContext& context);
};

/// Reads the rules line by line; an error's text is what is wrong with the line.
class CidrParser {
 public:
  explicit CidrParser(const ParseContext& context) : context_(context) {}

  CidrRules parse(std::string_view text) {
    LogicalLines lines(text);
    while (auto line = lines.next()) {
      if (line->indented) {
        context_.warn_indented(line->text);
        continue;
      }
      line_ = line->first;
      auto parsed = parse_rule(trim_right(line->text));
      if (!parsed) context_.warn(line_, printable(parsed.error().text) + ": skipping this rule");
    }
    for (; !open_ifs_.empty(); open_ifs_.pop_back()) {
      context_.warn(out_.rules[open_ifs_.back()].line, "IF has no matching ENDIF");
    }
    for (const CidrRule& rule : out_.rules)
      out_.tests.emplace_back(rule);
    return std::move(out_);
  }

 private:
  static bool is_keyword(std::string_view text, std::string_view word) {
    return starts_with_ignore_case(text, word) &&
           (text.size() == word.size() || !is_alnum(text[word.size()]));
  }

  Result<void> parse_rule(std::string_view text) {
    if (is_keyword(text, "ENDIF")) return parse_endif(text.substr(5));
    bool condition = is_keyword(text, "IF");
    if (condition) text.remove_prefix(2);
    CidrRule rule{.operation = condition ? CidrRule::Operation::if_begin : CidrRule::Operation::match,
                  .line = line_};
    for (text = trim_left(text); text.starts_with('!'); text = trim_left(text.substr(1)))
      rule.negated = !rule.negated;
    if (text.empty()) return fail(ErrorKind::invalid, "no address pattern");
    size_t end = 0;
    while (end < text.size() && (condition || !is_space(text[end])))
      ++end;
    rule.network = TRY(Network::parse(text.substr(0, end)));
    if (condition) {
      open_ifs_.push_back(out_.rules.size());
    } else {
      rule.value = trim_left(text.substr(end));
      if (rule.value.empty()) return fail(ErrorKind::invalid, "no lookup result");
      if (context_.values_are_files) rule.value = TRY(encode_files(rule.value));
    }
    out_.rules.push_back(std::move(rule));
    return {};
  }

  Result<void> parse_endif(std::string_view rest) {
    if (!rest.empty()) return fail(ErrorKind::invalid, "garbage after ENDIF");
    if (open_ifs_.empty()) return fail(ErrorKind::invalid, "ENDIF without IF");
    out_.rules[open_ifs_.back()].end = out_.rules.size();
    open_ifs_.pop_back();
    out_.rules.push_back({.operation = CidrRule::Operation::if_end, .line = line_});
    return {};
  }

  const ParseContext& context_;
  CidrRules out_;
  std::vector<size_t> open_ifs_;
  int line_ = 0;
};

Result<CidrRules> CidrRules::parse(std::string_view text, const ParseContext& context) {
  return CidrParser(context).parse(text);
}

class CidrTable : public RuleTable<CidrRules> {
 public:
  using RuleTable::RuleTable;
  bool substitutes() const override { return false; }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    const CidrRules& content = current(deadline);
    const std::vector<CidrRule>& rules = content.rules;
    auto address = sys::Address::from_ip(key);
    if (!address) return std::nullopt;
    size_t size = address->bytes().size();
    Network::Words words = Network::words_of(address->bytes());
    for (size_t at = 0; at < rules.size(); ++at) {
      const CidrTest& test = content.tests[at];
      // An exception from an IPv4 network says nothing about IPv6 addresses.
      bool matched = test.size == size && test.contains(words) != test.negated;
      if (test.operation == CidrRule::Operation::match) {
        if (matched) return rules[at].value;
      } else if (test.operation == CidrRule::Operation::if_begin && !matched) {
        if (rules[at].end == SIZE_MAX) return std::nullopt;
        at = rules[at].end;
      }
    }
    return std::nullopt;
  }
};

}  // namespace

OpenResult open_cidr(std::string_view name, const OpenOptions& options) {
  return open_rules<CidrTable>("cidr", name, options);
}

}  // namespace postrider::table
