#include "tools/postmap/options.h"

#include <unistd.h>

#include <fmt/format.h>

namespace postrider::postmap {

namespace {

struct Usage {
  const char* name;
  const char* letters;   ///< For getopt().
  const char* synopsis;  ///< The letters without argument.
};

Usage usage_of(Command command) {
  if (command == Command::postmap) return {"postmap", "+bc:d:fFhijmnNopq:rsuUvw", "bfFhijmnNoprsuUvw"};
  return {"postalias", "+c:d:fijnNopq:rsuvw", "Nfijnoprsuvw"};
}

std::unexpected<Error> usage_error(const Usage& usage) {
  return fail(ErrorKind::invalid,
              fmt::format("usage: {} [-{}] [-c config_dir] [-d key] [-q key] [map_type:]file...", usage.name,
                          usage.synopsis));
}

/// False when the letter is no option.
bool apply(Options& options, int letter, const char* argument) {
  switch (letter) {
    case 'b':
      return options.body_keys = true;
    case 'c':
      options.config_directory = argument;
      return true;
    case 'd':
      options.removal = argument;
      return true;
    case 'f':
      options.fold = false;
      return true;
    case 'F':
      return options.values_are_files = true;
    case 'h':
      return options.header_keys = true;
    case 'i':
      return options.incremental = true;
    case 'j':
      return options.json = true;
    case 'm':
      return options.parse_mime = true;
    case 'n':
      options.terminator = table::Terminator::never;
      return true;
    case 'N':
      options.terminator = table::Terminator::always;
      return true;
    case 'o':
      options.as_owner = false;
      return true;
    case 'p':
      options.inherit_mode = false;
      return true;
    case 'q':
      options.query = argument;
      return true;
    case 'r':
      options.duplicates = table::Duplicates::replace;
      return true;
    case 's':
      return options.sequence = true;
    case 'u':
      options.utf8 = false;
      return true;
    case 'U':
      return options.force_utf8 = true;
    case 'v':
      ++options.verbose;
      return true;
    case 'w':
      options.duplicates = table::Duplicates::ignore;
      return true;
    default:
      return false;
  }
}

bool has_mode(const Options& options) {
  return options.sequence || options.query || options.removal;
}

Result<void> check(const Options& options) {
  if (options.incremental && has_mode(options)) {
    return fail(ErrorKind::invalid, "specify only one of -i -s -q or -d");
  }
  if (options.json && !options.sequence && !options.query) {
    return fail(ErrorKind::invalid, "specify -j only with -s or -q");
  }
  bool keys_of_message = options.body_keys || options.header_keys || options.parse_mime;
  if (keys_of_message && !options.from_stdin()) {
    return fail(ErrorKind::invalid, "specify -b -h or -m only with \"-q -\"");
  }
  return {};
}

}  // namespace

Result<Options> parse_options(Command command, int argc, char** argv) {
  Usage usage = usage_of(command);
  Options options;
  options.command = command;
  optind = 1;
  for (int letter; (letter = getopt(argc, argv, usage.letters)) > 0;) {
    if ((letter == 'q' || letter == 'd') && has_mode(options)) {
      return fail(ErrorKind::invalid, "specify only one of -s -q or -d");
    }
    if (letter == 's' && (options.query || options.removal)) {
      return fail(ErrorKind::invalid, "specify only one of -s or -q or -d");
    }
    if (!apply(options, letter, optarg)) return usage_error(usage);
  }
  options.tables.assign(argv + optind, argv + argc);
  TRY(check(options));
  if (options.tables.empty()) return usage_error(usage);
  return options;
}

}  // namespace postrider::postmap
