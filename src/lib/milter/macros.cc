#include "milter/macros.h"

#include <algorithm>

namespace postrider::milter {

Stage stage_of(Event event) {
  switch (event) {
    case Event::connect:
      return Stage::connect;
    case Event::helo:
      return Stage::helo;
    case Event::mail:
      return Stage::mail;
    case Event::rcpt:
      return Stage::rcpt;
    case Event::data:
      return Stage::data;
    case Event::unknown:
      return Stage::unknown;
    case Event::header:
    case Event::end_of_header:
      return Stage::end_of_header;
    case Event::body:
    case Event::end_of_message:
      break;
  }
  return Stage::end_of_data;
}

std::string macros_data(Event event, const std::vector<std::string>& names, const MacroValues& values,
                        const MacroDefaults& defaults) {
  std::string out(1, info(event).letter);
  for (const std::string& name : names) {
    std::string_view bare = bare_name(name);
    std::string value = values(bare);
    if (value.empty()) {
      auto known = std::ranges::find(defaults, bare, &std::pair<std::string, std::string>::first);
      if (known == defaults.end()) continue;
      value = known->second;
    }
    append_text(out, name);
    append_text(out, value);
  }
  return out;
}

}  // namespace postrider::milter
