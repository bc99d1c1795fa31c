// Right-hand sides of header_checks tables.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "checks/action.h"
#include "log/log.h"
#include "mail/dsn.h"
#include "mail/header.h"

using namespace postrider;
using namespace postrider::checks;

namespace {

void check(bool good) {
  if (!good) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  log::set_test_sink([](log::Severity, std::string_view) {});
  std::string_view value(reinterpret_cast<const char*>(data + 1), size - 1);
  const Place place = (data[0] & 1) != 0 ? Place::body : Place::header;
  const Repertoire repertoire = (data[0] & 2) != 0 ? Repertoire::lines : Repertoire::messages;
  const Action action = parse_action(value, place, "header_checks", repertoire);
  check(!action.log_word().empty());
  check(repertoire == Repertoire::messages || action.verb <= Verb::replace);
  switch (action.verb) {
    case Verb::reject:
      check(action.text[0] == '4' || action.text[0] == '5');
      check(mail::StatusCode::parse_prefix(action.text).has_value());
      break;
    case Verb::prepend:
    case Verb::replace:
      check(!action.text.empty());
      check(place == Place::body || mail::header_name_length(action.text) != 0);
      break;
    case Verb::redirect:
    case Verb::bcc:
      check(action.text.find('@') != std::string::npos);
      break;
    case Verb::filter:
      check(action.text.find(':') != std::string::npos);
      break;
    default:
      break;
  }
  return 0;
}
