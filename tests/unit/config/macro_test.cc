#include "config/macro.h"

#include <map>

#include <gtest/gtest.h>

namespace postrider::config {
namespace {

const std::map<std::string, std::string, std::less<>> kValues = {
    {"empty", ""},      {"name", "value"},
    {"two", "2"},       {"ten", "10"},
    {"spaced", "a b"},  {"alias", "$name"},
    {"loop", "$loop"},  {"hollow", "$empty"},
    {"sharp", "a;b|c"}, {"umlaut", "Bücher.example"},
};

std::optional<std::string> lookup(std::string_view name) {
  auto found = kValues.find(name);
  return found == kValues.end() ? std::nullopt : std::optional(found->second);
}

std::string expand(std::string_view text, MacroOptions options = {.recursive = true}) {
  auto result = expand_macros(text, lookup, options);
  return result ? result->text : "error: " + result.error().text;
}

struct Case {
  std::string_view text, expected;
};

TEST(Macro, ReferencesStandForTheirValues) {
  const Case cases[] = {
      {"$name", "value"},     {"${name}", "value"}, {"$(name)", "value"},   {"$$name", "$name"},
      {"${ name }", "value"}, {"$two.x", "2.x"},    {"$name-x", "value-x"}, {"x${empty}y", "xy"},
      {"${name}}", "value}"}, {"}{", "}{"},         {"$name?x", "value?x"}, {"$unknown", ""},
      {"$alias", "value"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(expand(c.text), c.expected) << c.text;
}

TEST(Macro, ConditionsAskWhetherTheValueIsEmpty) {
  const Case cases[] = {
      {"${name?yes}", "yes"},
      {"${name:no}", ""},
      {"${empty?yes}", ""},
      {"${empty:no}", "no"},
      {"${unknown:no}", "no"},
      {"${name?{a}:{b}}", "a"},
      {"${empty?{a}:{b}}", "b"},
      {"${empty ? {a} : {b}}", "b"},
      {"${name?a:b}", "a:b"},
      {"${empty?{a}:b c}", "b c"},
      {"${name? a }", " a "},
      {"${name?{ a }}", " a "},
      {"${name?{$two $ten}}", "2 10"},
      {"${name?{${empty:{deep}}}}", "deep"},
      {"$(name?{yes}:{no})", "yes"},
      {"${name?)}", ")"},
      {"${name?a}b}", "ab}"},
      {"${name?}", ""},
  };
  for (const Case& c : cases)
    EXPECT_EQ(expand(c.text), c.expected) << c.text;
}

TEST(Macro, ConditionsLookAtTheTextBeforeItIsExpanded) {
  EXPECT_EQ(expand("${hollow?{set}:{unset}}"), "set");
}

TEST(Macro, RelationsCompareNumbersOrTexts) {
  const Case cases[] = {
      {"${{a}=={a}?{x}:{y}}", "x"},
      {"${{a} == {b} ? {x} : {y}}", "y"},
      {"${{a} != {b} ? {x} : {y}}", "x"},
      {"${{2} < {10} ? {x} : {y}}", "x"},
      {"${{2x} < {10} ? {x} : {y}}", "y"},
      {"${{10} <= {10} ? {x} : {y}}", "x"},
      {"${{10} >= {11} ? {x} : {y}}", "y"},
      {"${{$two} < {$ten}?{x}}", "x"},
      {"${{$two} > {$ten}:{x}}", "x"},
      {"${{5} == {05} ? {x} : {y}}", "x"},
      {"${{5} < { 6} ? {x} : {y}}", "y"},
      {"${{ a } == {a} ? {x} : {y}}", "y"},
      {"${{a b} == {$spaced} ? {x} : {y}}", "x"},
      {"${{a} == {a}}", "true"},
      {"${{a} == {b}}", ""},
      {"${{A} == {a} ? {x} : {y}}", "y"},
      {"${ { a } == { a } ? {x} : {y}}", "x"},
      {"${{a} == {a} ? x : y}", " x : y"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(expand(c.text), c.expected) << c.text;
}

TEST(Macro, LevelsCompareByTheirParts) {
  const Case cases[] = {
      {"${{3.6} <level {3.10} ? {x} : {y}}", "x"},
      {"${{3.6} <=level {3.6.0} ? {x} : {y}}", "x"},
      {"${{3.6} ==level {3.6.0} ? {x} : {y}}", "x"},
      {"${{3.6} !=level {3.6.0} ? {x} : {y}}", "y"},
      {"${{3} >=level {3.6} ? {x} : {y}}", "y"},
      {"${{3.6} >level {3} ? {x} : {y}}", "x"},
      {"${{x} >level {3.6} ? {x} : {y}}", "error: malformed compatibility level syntax: \"x\""},
      {"${{3.6.1.2} >level {3.6} ? {x} : {y}}", "error: malformed compatibility level syntax: \"3.6.1.2\""},
  };
  for (const Case& c : cases)
    EXPECT_EQ(expand(c.text), c.expected) << c.text;
}

TEST(Macro, ErrorsSayWhereTheyAre) {
  const Case cases[] = {
      {"a$", "empty macro name: \"a$\""},
      {"$-x", "empty macro name: \"$-x\""},
      {"${}", "empty macro name: \"${}\""},
      {"${name", "truncated macro reference: \"${name\""},
      {"${name)", "truncated macro reference: \"${name)\""},
      {"${name x}", "attribute name syntax error at: \"...name>>> x\""},
      {"${-x}", "attribute name syntax error at: \"...>>>-x\""},
      {"${!name?x}", "attribute name syntax error at: \"...>>>!name?x\""},
      {"${name?{a}b}", "\":\" expected at: \"...a}>>>b\""},
      {"${name:{a}:{b}}", "unexpected input at: \"...a}>>>:{b}\""},
      {"${name?{a}:{b} c}", "unexpected input at: \"...b}>>>c\""},
      {"${{a} == b?{x}}", "\"{expression}\" expected at: \"...{a} ==>>> b?{x}\""},
      {"${{a} ~ {a}}",
       "\"==\" or \"!=\"\" or \"<\"\" or \"<=\"\" or \">=\"\" or \">\" expected at: \"...a}>>>~ {a}\""},
      {"${{a}  ==(b)?{x}}", "\"{expression}\" expected at: \"...{a} ==>>>(b)?{x}\""},
      {"${{a} >x {b}?{c}}", "bad operator suffix at: \"...>>>>x\""},
      {"${  name x}", "attribute name syntax error at: \"...  name>>> x\""},
      {"${$a1234567890123456789012345}", "attribute name syntax error at: \"...>>>$a123456789012345678\""},
      {"${{a}=={a} x}", "\"?\" or \":\" expected at: \"...}>>>x\""},
      {"$(name?{)})", "unbalanced {} in attribute expression: \"{\""},
      {"${{99999999999999999999} < {5}}", "mac_exp_eval: bad conversion: 99999999999999999999"},
      {"$loop", "unreasonable macro call nesting: \"loop\""},
  };
  for (const Case& c : cases)
    EXPECT_EQ(expand(c.text), "error: " + std::string(c.expected)) << c.text;
}

TEST(Macro, ValuesNestAHundredTimes) {
  auto expand_chain = [](int length) {
    auto chain = [length](std::string_view name) -> std::optional<std::string> {
      int at = std::stoi(std::string(name.substr(1)));
      return at == length ? "end" : "$v" + std::to_string(at + 1);
    };
    auto result = expand_macros("$v0", chain, {.recursive = true});
    return result ? result->text : result.error().text;
  };
  EXPECT_EQ(expand_chain(99), "end");
  EXPECT_EQ(expand_chain(100), "unreasonable macro call nesting: \"end\"");
  EXPECT_EQ(expand_chain(150), "unreasonable macro call nesting: \"v101\"");
}

TEST(Macro, FunctionsConvertDomainNames) {
  EXPECT_EQ(expand("${domain_to_ascii{$umlaut}}"), "xn--bcher-kva.example");
  EXPECT_EQ(expand("${domain_to_ascii{ .Example.com }}"), ".example.com");
  EXPECT_EQ(expand("${domain_to_utf8{xn--bcher-kva.example}}"), "bücher.example");
  EXPECT_EQ(expand("${no_such{x}}"), "error: attribute name syntax error at: \"...no_such>>>{x}\"");
}

TEST(Macro, WithoutRecursionAValueIsTakenAsItIs) {
  EXPECT_EQ(expand("$alias", {}), "$name");
}

TEST(Macro, TheFilterAppliesToValuesOnly) {
  MacroOptions options{.allowed = "abc"};
  EXPECT_EQ(expand("|$sharp|${name?;}", options), "|a_b_c|;");
}

TEST(Macro, UndefinedNamesAreReportedUnlessOnlyAsked) {
  EXPECT_TRUE(expand_macros("$unknown", lookup)->undefined);
  EXPECT_FALSE(expand_macros("${unknown?x}${name}", lookup)->undefined);
}

TEST(Macro, ExplodingDefinitionsEnd) {
  auto doubling = [](std::string_view name) -> std::optional<std::string> {
    std::string next(1, static_cast<char>(name[0] + 1));
    return name[0] < 'z' ? "$" + next + "$" + next : "";
  };
  auto result = expand_macros("$a", doubling, {.recursive = true});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::limit);
}

TEST(Macro, LargeResultsEnd) {
  auto result = expand_macros("$name$name$name", lookup, {.max_size = 12});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::limit);
}

TEST(Macro, DeeplyNestedBracesEnd) {
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += "${name?{";
  for (int i = 0; i < 200; ++i)
    text += "}}";
  auto result = expand_macros(text, lookup);
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().text.starts_with("unreasonable macro call nesting")) << result.error().text;
}

TEST(Macro, VisitingNamesEveryBranch) {
  std::vector<std::string> names;
  auto visit = [&](std::string_view name) { names.emplace_back(name); };
  ASSERT_TRUE(visit_macros("$a ${b?{$c}:{$d}} ${{$e} == {$f} ? {$g}}", visit));
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g"}));
}

}  // namespace
}  // namespace postrider::config
