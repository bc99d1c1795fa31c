// Questions about the queue: "recipient=*@example.com age>1d".
//
//   query        = conjunction *("or" conjunction)
//   conjunction  = 1*(["!"] term)            all of them hold
//   term         = field operator value      a value with white space stands between double quotes
//   operator     = "=" "!=" "~" "!~" "<" "<=" ">" ">="
//
// Texts: id, queue, sender, sender-domain, recipient, domain, reason, every-recipient, every-domain. "="
// compares with patterns, of which there may be several with commas between ("*" any text, "?" one
// character); "~" looks for a part. Case does not matter. Numbers: age (s, m, h, d, w), size (k, m, g),
// recipients.
//
// What a conjunction says about recipients must hold for one and the same recipient.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "proto/showq.h"

namespace postrider::postqueue {

class Query {
 public:
  /// The error tells what is wrong with which part.
  static Result<Query> parse(std::string_view text);

  enum class Field : unsigned char {
    id,
    queue,
    sender,
    sender_domain,
    recipient,
    domain,
    reason,
    every_recipient,
    every_domain,
    age,
    size,
    recipients,
  };
  enum class Operator : unsigned char { equal, contains, less, less_or_equal, greater, greater_or_equal };
  struct Term {
    Field field = Field::id;
    Operator op = Operator::equal;
    bool negated = false;
    std::vector<std::string> patterns;  ///< In lower case.
    int64_t number = 0;
  };
  using Conjunction = std::vector<Term>;

  const std::vector<Conjunction>& conjunctions() const { return conjunctions_; }

 private:
  std::vector<Conjunction> conjunctions_;
};

/// Whether one message is asked for, told from its parts (proto::QueueEntry::more) as they come.
class MessageMatch {
 public:
  /// `now` is for ages, in seconds since 1970.
  MessageMatch(const Query& query, int64_t now) : query_(query), now_(now) {}

  enum class State : unsigned char { open, matches, fails };
  /// Looks at the first or next part of a message. Open only where further parts can change it.
  State add(const proto::QueueEntry& entry);
  /// Whether a recipient of a message that matches is one of those that the query is about.
  bool covers(const proto::QueueRecipient& recipient) const;

 private:
  struct Progress {
    bool possible = true;  ///< Nothing has failed yet.
    bool some = false;     ///< A recipient fits.
  };
  void begin(const proto::QueueEntry& entry);

  const Query& query_;
  int64_t now_;
  bool begun_ = false;
  int64_t recipients_ = 0;
  std::vector<Progress> progress_;
};

/// Whether a pattern with "*" and "?" matches all of the text.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace postrider::postqueue
