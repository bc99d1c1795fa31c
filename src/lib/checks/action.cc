#include "checks/action.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "log/log.h"
#include "mail/dsn.h"
#include "mail/header.h"

namespace postrider::checks {

namespace {

struct Word {
  std::string_view word;
  Verb verb;
};
constexpr std::array kWords{
    Word{"DUNNO", Verb::dunno},     Word{"OK", Verb::dunno},          Word{"INFO", Verb::info},
    Word{"WARN", Verb::warn},       Word{"IGNORE", Verb::ignore},     Word{"STRIP", Verb::strip},
    Word{"PREPEND", Verb::prepend}, Word{"REPLACE", Verb::replace},   Word{"REJECT", Verb::reject},
    Word{"DISCARD", Verb::discard}, Word{"HOLD", Verb::hold},         Word{"PASS", Verb::pass},
    Word{"FILTER", Verb::filter},   Word{"REDIRECT", Verb::redirect}, Word{"BCC", Verb::bcc},
};

/// One action while it is being read.
struct Reader {
  Place place;
  std::string_view parameter;

  Action header_text(Verb verb, std::string_view name, std::string_view text) const {
    if (text.empty()) {
      log::warning("{} action without text in {} map", name, parameter);
    } else if (place == Place::header && mail::header_name_length(text) == 0) {
      log::warning("bad {} header text \"{}\" in {} map -- need \"headername: headervalue\"", name, text,
                   parameter);
    } else {
      return {verb, std::string(text)};
    }
    return {};
  }

  static Action reject(std::string_view text) {
    if (text.empty()) return {Verb::reject, "5.7.1 message content rejected"};
    std::string reason = mail::with_status("5.7.1", text);
    if (reason[0] != '4' && reason[0] != '5') {
      log::warning("bad DSN action in {} -- need 4.x.x or 5.x.x", text);
      reason[0] = '4';
    }
    return {Verb::reject, std::move(reason)};
  }

  Action filter(std::string_view text) const {
    if (text.empty()) {
      log::warning("missing FILTER command argument in {} map", parameter);
    } else if (text.find(':') == std::string_view::npos) {
      log::warning("bad FILTER command {} in {} -- need transport:destination", text, parameter);
    } else {
      return {Verb::filter, std::string(text)};
    }
    return {};
  }

  Action address(Verb verb, std::string_view what, std::string_view text) const {
    if (text.find('@') != std::string_view::npos) return {verb, std::string(text)};
    log::warning("bad {} \"{}\" in {} map -- need user@domain", what, text, parameter);
    return {};
  }
};

}  // namespace

std::string_view to_text(Place place) {
  return place == Place::header ? "header" : "body";
}

std::string_view Action::log_word() const {
  switch (verb) {
    case Verb::dunno:
      return "dunno";
    case Verb::info:
      return "info";
    case Verb::warn:
      return "warning";
    case Verb::ignore:
      return "ignore";
    case Verb::strip:
      return "strip";
    case Verb::prepend:
      return "prepend";
    case Verb::replace:
      return "replace";
    case Verb::reject:
      return "reject";
    case Verb::discard:
      return "discard";
    case Verb::hold:
      return "hold";
    case Verb::pass:
      return "pass";
    case Verb::filter:
      return "filter";
    case Verb::redirect:
      return "redirect";
    case Verb::bcc:
      return "bcc";
  }
  return "";
}

Action parse_action(std::string_view value, Place place, std::string_view parameter, Repertoire repertoire) {
  size_t end = std::min(value.find_first_of(" \t"), value.size());
  std::string_view name = value.substr(0, end), text = trim_left(value.substr(end));
  auto known = std::find_if(kWords.begin(), kWords.end(),
                            [&](const Word& word) { return equals_ignore_case(word.word, name); });
  if (repertoire == Repertoire::lines && (known == kWords.end() || known->verb > Verb::replace)) {
    log::warning("unsupported command in {} map: {}", parameter, value);
    return {};
  }
  if (known == kWords.end()) {
    log::warning("unknown command in {} map: {}", parameter, value);
    return {};
  }
  Reader reader{place, parameter};
  switch (known->verb) {
    case Verb::prepend:
    case Verb::replace:
      return reader.header_text(known->verb, known->word, text);
    case Verb::reject:
      return Reader::reject(text);
    case Verb::filter:
      return reader.filter(text);
    case Verb::redirect:
      return reader.address(known->verb, "REDIRECT target", text);
    case Verb::bcc:
      return reader.address(known->verb, "BCC address", text);
    default:
      return {known->verb, std::string(text)};
  }
}

}  // namespace postrider::checks
