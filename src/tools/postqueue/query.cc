#include "tools/postqueue/query.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::postqueue {

namespace {

using Field = Query::Field;
using Operator = Query::Operator;
using Term = Query::Term;

constexpr size_t kMaxQuery = 64 * 1024;

constexpr struct {
  std::string_view name;
  Field field;
} kFields[] = {
    {"age", Field::age},
    {"domain", Field::domain},
    {"every-domain", Field::every_domain},
    {"every-recipient", Field::every_recipient},
    {"id", Field::id},
    {"queue", Field::queue},
    {"reason", Field::reason},
    {"recipient", Field::recipient},
    {"recipients", Field::recipients},
    {"sender", Field::sender},
    {"sender-domain", Field::sender_domain},
    {"size", Field::size},
};

constexpr std::string_view kOperatorCharacters = "=!~<>";

bool is_number(Field field) {
  return field == Field::age || field == Field::size || field == Field::recipients;
}
bool is_about_recipients(Field field) {
  return field == Field::recipient || field == Field::domain || field == Field::reason;
}
bool is_about_every(Field field) {
  return field == Field::every_recipient || field == Field::every_domain;
}

std::unexpected<Error> refuse(std::string text) {
  return fail(ErrorKind::invalid, std::move(text));
}

/// Words between white space; double quotes protect it, and are taken away.
Result<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  bool quoted = false, any = false;
  for (char c : text) {
    if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (is_space(c) && !quoted) {
      if (any) out.push_back(std::move(word));
      word.clear();
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  if (quoted) return refuse("a double quote without a second one");
  if (any) out.push_back(std::move(word));
  return out;
}

struct Unit {
  char letter;
  int64_t factor;
};
constexpr Unit kTimes[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86'400}, {'w', 604'800}};
constexpr Unit kSizes[] = {{'k', 1024}, {'m', 1024 * 1024}, {'g', 1024 * 1024 * 1024}};

Result<int64_t> parse_number(Field field, std::string_view text) {
  std::string_view digits = text;
  int64_t factor = 1;
  auto take_unit = [&](const auto& units) {
    for (const Unit& unit : units) {
      if (digits.empty() || to_lower(digits.back()) != unit.letter) continue;
      factor = unit.factor;
      digits.remove_suffix(1);
      return;
    }
  };
  if (field == Field::age) take_unit(kTimes);
  if (field == Field::size) take_unit(kSizes);
  auto number = parse_int(digits);
  bool fits = number && *number >= 0 && *number <= std::numeric_limits<int64_t>::max() / factor;
  if (fits && is_all_digits(digits)) return *number * factor;
  return refuse(fmt::format("\"{}\" is no {}", printable(text),
                            field == Field::age ? "time: write a number with one of the units s, m, h, d, w"
                            : field == Field::size
                                ? "size: write a number of bytes, or with one of the units k, m, g"
                                : "number"));
}

/// "=", ">=", "!~"... and whether it negates.
std::optional<std::pair<Operator, bool>> parse_operator(std::string_view text) {
  bool negated = text.starts_with('!');
  if (negated) text.remove_prefix(1);
  if (text == "=" || text == "==") return std::pair(Operator::equal, negated);
  if (text == "~") return std::pair(Operator::contains, negated);
  if (negated) return std::nullopt;
  if (text == "<") return std::pair(Operator::less, false);
  if (text == "<=") return std::pair(Operator::less_or_equal, false);
  if (text == ">") return std::pair(Operator::greater, false);
  if (text == ">=") return std::pair(Operator::greater_or_equal, false);
  return std::nullopt;
}

Result<Term> parse_term(std::string_view word) {
  Term out;
  std::string_view rest = word;
  bool inverted = rest.starts_with('!');
  if (inverted) rest.remove_prefix(1);
  size_t begin = std::min(rest.find_first_of(kOperatorCharacters), rest.size());
  size_t end = std::min(rest.find_first_not_of(kOperatorCharacters, begin), rest.size());
  std::string name = lowercase(rest.substr(0, begin));
  std::string_view sign = rest.substr(begin, end - begin), value = rest.substr(end);
  // "sender=<>" has signs in its value.
  if (value.empty() && sign.ends_with("<>")) {
    sign.remove_suffix(2);
    value = "<>";
  }
  auto known = std::ranges::find(kFields, name, [](const auto& row) { return row.name; });
  if (known == std::end(kFields)) {
    std::string names;
    for (const auto& row : kFields)
      names += (names.empty() ? "" : ", ") + std::string(row.name);
    return refuse(
        fmt::format("\"{}\" is about nothing that a message has; there are: {}", printable(word), names));
  }
  auto op = parse_operator(sign);
  if (!op) return refuse(fmt::format("\"{}\" needs one of = != ~ !~ < <= > >= and a value", printable(word)));
  out.field = known->field;
  out.op = op->first;
  out.negated = op->second != inverted;
  bool compares = out.op != Operator::equal && out.op != Operator::contains;
  if (is_number(out.field)) {
    if (out.op == Operator::contains)
      return refuse(fmt::format("\"{}\": {} is a number", printable(word), name));
    out.number = TRY(parse_number(out.field, value));
    return out;
  }
  if (compares) return refuse(fmt::format("\"{}\": {} is a text; use = or ~", printable(word), name));
  std::string lower = lowercase(value);
  if (out.op == Operator::contains) {
    out.patterns.push_back(std::move(lower));
  } else {
    for (std::string_view pattern : split_each(lower, ','))
      out.patterns.emplace_back(pattern);
  }
  return out;
}

std::string_view domain_of(std::string_view address) {
  size_t at = address.rfind('@');
  return at == address.npos ? std::string_view() : address.substr(at + 1);
}

bool matches_text(const Term& term, std::string_view text) {
  std::string lower = lowercase(text);
  bool found = std::ranges::any_of(term.patterns, [&](const std::string& pattern) {
    if (term.op == Operator::contains) return lower.find(pattern) != lower.npos;
    // The null address is also written as in SMTP.
    return glob_matches(pattern, lower) || (lower.empty() && pattern == "<>");
  });
  return found != term.negated;
}

bool matches_number(const Term& term, int64_t value) {
  bool found = false;
  switch (term.op) {
    case Operator::equal:
    case Operator::contains:
      found = value == term.number;
      break;
    case Operator::less:
      found = value < term.number;
      break;
    case Operator::less_or_equal:
      found = value <= term.number;
      break;
    case Operator::greater:
      found = value > term.number;
      break;
    case Operator::greater_or_equal:
      found = value >= term.number;
      break;
  }
  return found != term.negated;
}

bool matches_recipient(const Term& term, const proto::QueueRecipient& recipient) {
  const std::string& address = recipient.address;
  switch (term.field) {
    case Field::recipient:
    case Field::every_recipient:
      return matches_text(term, address);
    case Field::domain:
    case Field::every_domain:
      return matches_text(term, domain_of(address));
    case Field::reason: {
      const std::string& delay = recipient.delay_reason;
      const std::string& bounce = recipient.bounce_reason;
      return matches_text(term, delay.empty() ? bounce : delay);
    }
    default:
      return true;
  }
}

/// What the first part of a message tells.
bool matches_message(const Term& term, const proto::QueueEntry& entry, int64_t now) {
  const std::string& sender = entry.sender;
  switch (term.field) {
    case Field::id:
      return matches_text(term, std::string_view(entry.queue_id));
    case Field::queue:
      return matches_text(term, std::string_view(entry.queue_name));
    case Field::sender:
      return matches_text(term, sender);
    case Field::sender_domain:
      return matches_text(term, domain_of(sender));
    case Field::age:
      return matches_number(term, now - entry.arrival_time);
    case Field::size:
      return matches_number(term, entry.size);
    default:
      return true;
  }
}

bool fits(const Query::Conjunction& terms, const proto::QueueRecipient& recipient) {
  return std::ranges::all_of(terms, [&](const Term& term) {
    return !is_about_recipients(term.field) || matches_recipient(term, recipient);
  });
}

bool has(const Query::Conjunction& terms, bool (*kind)(Field)) {
  return std::ranges::any_of(terms, [&](const Term& term) { return kind(term.field); });
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = pattern.npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      // The last star takes one character more.
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

Result<Query> Query::parse(std::string_view text) {
  if (text.size() > kMaxQuery) return refuse("the query is too long");
  Query out;
  Conjunction current;
  auto finish = [&]() -> Result<void> {
    if (current.empty()) return refuse("there is nothing that could be asked for");
    out.conjunctions_.push_back(std::exchange(current, {}));
    return {};
  };
  auto words = TRY(split_words(text));
  for (const std::string& word : words) {
    if (equals_ignore_case(word, "or")) {
      TRY(finish());
    } else if (!equals_ignore_case(word, "and")) {
      current.push_back(TRY(parse_term(word)));
    }
  }
  TRY(finish());
  return out;
}

void MessageMatch::begin(const proto::QueueEntry& entry) {
  begun_ = true;
  for (const Query::Conjunction& terms : query_.conjunctions()) {
    Progress progress;
    progress.possible =
        std::ranges::all_of(terms, [&](const Term& term) { return matches_message(term, entry, now_); });
    progress.some = !has(terms, is_about_recipients);
    progress_.push_back(progress);
  }
}

MessageMatch::State MessageMatch::add(const proto::QueueEntry& entry) {
  if (!begun_) begin(entry);
  recipients_ += static_cast<int64_t>(entry.recipients.size());
  bool any_possible = false;
  for (size_t i = 0; i < progress_.size(); ++i) {
    Progress& progress = progress_[i];
    const Query::Conjunction& terms = query_.conjunctions()[i];
    if (!progress.possible) continue;
    bool counts = false, whole = has(terms, is_about_every);
    for (const Term& term : terms) {
      if (term.field == Field::recipients) counts = true;
      if (!is_about_every(term.field)) continue;
      progress.possible = progress.possible &&
                          std::ranges::all_of(entry.recipients, [&](const proto::QueueRecipient& recipient) {
                            return matches_recipient(term, recipient);
                          });
    }
    progress.some =
        progress.some || std::ranges::any_of(entry.recipients, [&](const proto::QueueRecipient& recipient) {
          return fits(terms, recipient);
        });
    if (!progress.possible) continue;
    if (entry.more) {
      any_possible = true;
      if (progress.some && !counts && !whole) return State::matches;
      continue;
    }
    bool counted = std::ranges::all_of(terms, [&](const Term& term) {
      return term.field != Field::recipients || matches_number(term, recipients_);
    });
    // "Every" of nobody is nothing to go by.
    if (progress.some && counted && (!whole || recipients_ > 0)) return State::matches;
  }
  return entry.more && any_possible ? State::open : State::fails;
}

bool MessageMatch::covers(const proto::QueueRecipient& recipient) const {
  for (size_t i = 0; i < progress_.size(); ++i)
    if (progress_[i].possible && fits(query_.conjunctions()[i], recipient)) return true;
  return false;
}

}  // namespace postrider::postqueue
