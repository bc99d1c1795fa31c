#include "service/arguments.h"

#include <unistd.h>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::service {

namespace {

Result<int> count(char option, const char* text) {
  auto number = parse_int(text);
  if (!number || *number < 0 || *number > 1'000'000) {
    return fail(ErrorKind::invalid, fmt::format("option -{}: bad number: {}", option, text));
  }
  return static_cast<int>(*number);
}

}  // namespace

Result<Arguments> parse_arguments(int argc, char** argv) {
  Arguments out;
  opterr = 0;
  for (int option; (option = getopt(argc, argv, "+cDg:m:n:o:P:s:St:uv")) != -1;) {
    switch (option) {
      case 'c':
        out.change_root = true;
        break;
      case 'D':
        out.debugger = true;
        break;
      case 'g':
        out.generation = TRY(count('g', optarg));
        break;
      case 'm':
        out.max_clients = TRY(count('m', optarg));
        break;
      case 'n':
        out.service_name = optarg;
        break;
      case 'o': {
        out.overrides.push_back(TRY(config::parse_assignment(optarg)));
        break;
      }
      case 'P':
        out.probe = optarg;
        break;
      case 's':
        out.listeners = TRY(count('s', optarg));
        break;
      case 'S':
        out.stand_alone = true;
        break;
      case 't':
        if (auto type = config::parse_service_type(optarg)) {
          out.type = *type;
          break;
        }
        return fail(ErrorKind::invalid, fmt::format("unknown service type: {}", optarg));
      case 'u':
        out.drop_privileges = true;
        break;
      case 'v':
        ++out.verbose;
        break;
      default:
        return fail(ErrorKind::invalid, fmt::format("invalid option -- '{}'", static_cast<char>(optopt)));
    }
  }
  for (int i = optind; i < argc; ++i)
    out.rest.emplace_back(argv[i]);
  return out;
}

}  // namespace postrider::service
