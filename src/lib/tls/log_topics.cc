#include "tls/log_topics.h"

#include <algorithm>

#include "base/text.h"
#include "log/log.h"

namespace postrider::tls {

namespace {

using T = LogTopics;

constexpr unsigned kVerbose = T::untrusted | T::certificate | T::cache | T::detail;
constexpr unsigned kLevels[] = {
    0,
    T::summary,
    T::summary | kVerbose | T::progress,
    T::summary | kVerbose | T::progress | T::handshake_dump,
    T::summary | kVerbose | T::progress | T::handshake_dump | T::session_dump,
};

struct Word {
  std::string_view name;
  unsigned topics;
};

constexpr Word kWords[] = {
    {"none", kLevels[0]},
    {"routine", kLevels[1]},
    {"summary", kLevels[1]},
    {"debug", kLevels[2]},
    {"ssl-expert", kLevels[3]},
    {"ssl-developer", kLevels[4]},
    {"ssl-debug", T::progress},
    {"ssl-handshake-packet-dump", T::handshake_dump},
    {"ssl-session-packet-dump", T::session_dump},
    {"untrusted", T::untrusted},
    {"peercert", T::certificate},
    {"certmatch", T::certificate},
    {"cache", T::cache},
    {"verbose", kVerbose},
};

/// Nothing: the word is none of ours.
const unsigned* find_topics(std::string_view text) {
  if (auto number = parse_int(text); number && *number >= 0)
    return &kLevels[std::min<int64_t>(*number, std::size(kLevels) - 1)];
  const auto* word =
      std::ranges::find_if(kWords, [&](const Word& w) { return equals_ignore_case(w.name, text); });
  return word == std::end(kWords) ? nullptr : &word->topics;
}

}  // namespace

LogTopics parse_log_topics(std::string_view parameter, std::string_view text) {
  unsigned out = 0;
  for (std::string_view word : split_any(text, kListSeparators)) {
    if (const unsigned* topics = find_topics(word)) {
      out |= *topics;
    } else {
      log::warning("unknown {} value \"{}\" in \"{}\"", parameter, word, text);
    }
  }
  return LogTopics(out);
}

}  // namespace postrider::tls
