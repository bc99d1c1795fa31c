#include "tools/postconf/options.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::postconf {
namespace {

constexpr std::string_view kUsage =
    "[-a (server SASL types)] [-A (client SASL types)] [-b (bounce templates)] [-c config_dir] [-c "
    "param_class] "
    "[-d (parameter defaults)] [-e (edit configuration)] [-f (fold lines)] [-F (master.cf fields)] [-h (no "
    "names)] [-H (no values)] [-j (JSON output)] [-l (lock types)] [-m (map types)] [-M (master.cf)] [-n "
    "(non-default parameters)] [-o name=value (override parameter value)] [-p (main.cf, default)] [-P "
    "(master.cf "
    "parameters)] [-q (quiet)] [-t (bounce templates)] [-T "
    "compile-version|run-version|public-key-algorithms] "
    "[-v (verbose)] [-x (expand parameter values)] [-X (exclude)] [-# (comment-out)] [name...]";

// Options that say what the command is about, in the order of Postfix's messages, and the modifiers that each
// of them takes.
struct Major {
  char letter;
  Subject subject;
  std::string_view modifiers;
};
constexpr Major kMajors[] = {
    {'a', Subject::server_sasl, ""},
    {'A', Subject::client_sasl, ""},
    {'b', Subject::bounce_texts, ""},
    {'F', Subject::master_fields, "efhHjox"},
    {'l', Subject::lock_types, ""},
    {'m', Subject::table_types, ""},
    {'M', Subject::master_entries, "efjoxX#"},
    {'p', Subject::main_parameters, "defhHjnoxX#"},
    {'P', Subject::master_params, "efhHjoxX"},
    {'t', Subject::bounce_templates, ""},
    {'T', Subject::tls, ""},
};
constexpr std::string_view kModifiers = "defhHjnoxX#";
// Modifiers of which a command takes at most one.
constexpr std::string_view kExclusive[] = {"denX#", "deoX#", "efX#", "ehHX#", "exX#", "ehHjX#"};

std::unexpected<Error> refuse(std::string text) {
  return fail(ErrorKind::invalid, std::move(text));
}

/// "-a -b -c"
std::string letters(std::string_view list) {
  std::string out;
  for (char c : list)
    out += fmt::format(" -{}", c);
  return out;
}

/// Those of `candidates` that were given, in the order of `candidates`.
std::string given_of(std::string_view candidates, std::string_view given) {
  std::string out;
  for (char c : candidates)
    if (given.find(c) != std::string_view::npos) out += c;
  return out;
}

/// Refuses contradictions in Postfix's words.
Result<void> check_combination(std::string_view given) {
  std::string majors;
  for (const Major& major : kMajors)
    majors += major.letter;
  majors = given_of(majors, given);
  if (majors.size() > 1) return refuse("specify one of" + letters(majors));
  for (std::string_view group : kExclusive)
    if (std::string both = given_of(group, given); both.size() > 1)
      return refuse("specify one of" + letters(both));
  for (const Major& major : kMajors) {
    if (majors.find(major.letter) == std::string::npos) continue;
    for (char modifier : given_of(kModifiers, given))
      if (major.modifiers.find(modifier) == std::string_view::npos)
        return refuse(fmt::format("with option -{}, do not specify -{}", major.letter, modifier));
  }
  return {};
}

Result<void> parse_classes(std::string_view text, Options& options) {
  constexpr std::string_view kWords[] = {"builtin", "service", "user", "all"};
  options.builtin = options.service = options.user = false;
  for (std::string_view word : split_any(text, kListSeparators)) {
    auto found =
        std::ranges::find_if(kWords, [&](std::string_view known) { return equals_ignore_case(known, word); });
    if (found == std::end(kWords))
      return refuse(fmt::format("unknown -C option value \"{}\" in \"{}\"", word, text));
    bool all = *found == "all";
    options.builtin |= all || *found == "builtin";
    options.service |= all || *found == "service";
    options.user |= all || *found == "user";
  }
  return {};
}

Result<void> parse_override(std::string_view text, Options& options) {
  auto assignment = config::parse_assignment(text);
  if (!assignment) {
    std::string_view reason = assignment.error().text;
    return refuse(
        fmt::format("invalid parameter override: {}: {}", text, reason.substr(0, reason.rfind(": "))));
  }
  options.overrides.push_back(std::move(*assignment));
  return {};
}

/// The part of the options that simple letters set.
void set_flags(std::string_view given, Options& options) {
  auto has = [given](char c) { return given.find(c) != std::string_view::npos; };
  options.defaults = has('d');
  options.only_set = has('n');
  options.expand = has('x');
  options.fold = has('f');
  options.hide_name = has('h');
  options.hide_value = has('H');
  options.json = has('j');
  options.quiet = has('q');
  options.all_of_master = std::ranges::count(given, 'P') > 1;
  for (const Major& major : kMajors)
    if (has(major.letter)) options.subject = major.subject;
  if (has('e')) options.edit = Edit::set;
  if (has('X')) options.edit = Edit::remove;
  if (has('#')) options.edit = Edit::comment_out;
}

/// Subjects whose arguments name parameters or entries, so that "name=value" means -e.
bool takes_assignments(std::string_view given) {
  return given.find_first_of("aAblmtT") == std::string_view::npos;
}

std::string program = "postconf";

}  // namespace

void set_program_name(std::string_view name) {
  program = name;
}

void warn(std::string_view text) {
  fmt::print(stderr, "{}: warning: {}\n", program, printable_ascii(text));
}

void fatal(std::string_view text) {
  // What was to be shown does not matter any more.
  fmt::print(stderr, "{}: fatal: {}\n", program, printable_ascii(text));
  std::_Exit(1);
}

namespace {

/// "--coverage" [-j] [name...]
Options parse_coverage(int argc, char** argv) {
  Options options;
  options.subject = Subject::coverage;
  options.arguments.assign(argv + 2, argv + argc);
  options.json = std::erase(options.arguments, "-j") > 0;
  return options;
}

}  // namespace

Result<Options> parse_options(int argc, char** argv) {
  if (argc > 1 && argv[1] == std::string_view("--coverage")) return parse_coverage(argc, argv);
  Options options;
  std::string given;
  bool asked_for_templates = false;
  for (int letter; (letter = getopt(argc, argv, "+aAbc:C:defFhHjlmMno:pPqtT:vxX#")) > 0;) {
    switch (letter) {
      case '?':
        return refuse(fmt::format("usage: {} {}", program, kUsage));
      case 'c':
        options.directory = *optarg ? optarg : "/";
        continue;
      case 'C':
        TRY(parse_classes(optarg, options));
        continue;
      case 'o':
        TRY(parse_override(optarg, options));
        break;
      case 'T':
        options.tls_topic = optarg;
        break;
      case 'b':
      case 't':
        if (asked_for_templates) return refuse("specify one of -b and -t");
        asked_for_templates = true;
        break;
      default:
        break;
    }
    given += static_cast<char>(letter);
  }
  options.arguments.assign(argv + optind, argv + argc);
  bool assigns = !options.arguments.empty() && options.arguments[0].find('=') != std::string::npos;
  if (assigns && takes_assignments(given)) given += 'e';
  TRY(check_combination(given));
  set_flags(given, options);
  return options;
}

}  // namespace postrider::postconf
