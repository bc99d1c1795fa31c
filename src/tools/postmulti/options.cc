#include "tools/postmulti/options.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::postmulti {

namespace {

constexpr std::string_view kActions[] = {"init",   "create", "import",  "destroy",
                                         "deport", "enable", "disable", "assign"};
constexpr std::string_view kNamePrefix = "postfix-";

std::unexpected<Error> refuse(std::string text) {
  return fail(ErrorKind::invalid, std::move(text));
}

/// Names go into files, and commands of the administrator's.
bool is_safe(std::string_view text) {
  static constexpr std::string_view kAlso = "!@%-_=+:./";
  return std::ranges::all_of(text, [](char c) { return is_alnum(c) || kAlso.find(c) != kAlso.npos; });
}

bool is_one_of(EditAction action, std::initializer_list<EditAction> actions) {
  return std::ranges::find(actions, action) != actions.end();
}

/// Reads the options one after the other.
class Parser {
 public:
  Result<Options> parse(int argc, char** argv) {
    for (int option; (option = getopt(argc, argv, "+ae:g:i:G:I:lpRvx")) != -1;)
      TRY(take(option, argv[0]));
    if (modes_ != 1) return refuse("Specify exactly one of '-e', '-l', '-p', '-x'");
    out_.words.assign(argv + optind, argv + argc);
    TRY(check());
    return std::move(out_);
  }

 private:
  Result<void> take(int option, std::string_view program) {
    switch (option) {
      case 'e':
        return set_action(optarg);
      case 'l':
        return set_mode(Mode::list);
      case 'p':
        return set_mode(Mode::wrap);
      case 'x':
        return set_mode(Mode::execute);
      case 'a':
        return select(Selection::Kind::all, "");
      case 'g':
        return select(Selection::Kind::group, optarg);
      case 'i':
        return select(Selection::Kind::name, optarg);
      case 'G':
        if (out_.new_group) return refuse("Specify at most one '-G' option");
        if (!is_safe(optarg)) return refuse(fmt::format("Unsafe characters in '-G {}'", printable(optarg)));
        out_.new_group = optarg;
        return {};
      case 'I':
        if (out_.new_name) return refuse("Specify at most one '-I' option");
        out_.new_name = optarg;
        return {};
      case 'R':
        out_.reverse = true;
        return {};
      case 'v':
        ++out_.verbose;
        return {};
      default:
        return refuse(fmt::format(
            "Usage:{0} -l [-v] [-a] [-g group] [-i instance] | {0} -p [-v] [-a] [-g group] [-i instance] "
            "command... | {0} -x [-v] [-a] [-i name] [-g group] command... | {0} -e action [-v] [-a] [-i "
            "name] "
            "[-g group] [-I name] [-G group] [param=value ...]",
            program));
    }
  }

  Result<void> set_mode(Mode mode) {
    // The same twice does no harm.
    if (modes_ == 0 || out_.mode != mode || mode == Mode::edit) ++modes_;
    out_.mode = mode;
    return {};
  }

  Result<void> set_action(std::string_view word) {
    auto found = std::ranges::find(kActions, word);
    if (found == std::end(kActions)) {
      return refuse(
          fmt::format("Invalid '-e' edit action '{}'. Specify 'create', 'destroy', 'import', 'deport', "
                      "'enable', 'disable', 'assign' or 'init'",
                      printable(word)));
    }
    out_.action = static_cast<EditAction>(found - std::begin(kActions));
    return set_mode(Mode::edit);
  }

  Result<void> select(Selection::Kind kind, std::string_view text) {
    if (out_.selection.kind != Selection::Kind::unset && out_.selection.kind != kind)
      return refuse("Specity no more than one of '-a', '-g', '-i'");
    out_.selection = {kind, std::string(text)};
    return {};
  }

  Result<void> check() const {
    bool edits = out_.mode == Mode::edit;
    if (out_.reverse && (edits || out_.mode == Mode::wrap))
      return refuse("The '-p' and '-e' options preclude the use of '-R'");
    bool names = out_.new_name || out_.new_group;
    if (!edits && names) return refuse("Cannot assign instance name or group without '-e assign'");
    if (out_.mode == Mode::list && !out_.words.empty()) return refuse("Command not allowed with '-l'");
    if (!edits && out_.mode != Mode::list && out_.words.empty())
      return refuse("Command required with '-p' or '-x' option");
    return edits ? check_edit(names) : Result<void>();
  }

  Result<void> check_edit(bool names) const {
    using enum EditAction;
    EditAction action = out_.action;
    if (names && !is_one_of(action, {create, import, assign}))
      return refuse(fmt::format("Cannot assign instance name or group with '-e {}'", name_of(action)));
    if (!names && action == assign) return refuse("Specify new instance name or group with '-e assign'");
    if (!out_.words.empty() && !is_one_of(action, {create, import}))
      return refuse(fmt::format("Parameter overrides not valid with '-e {}'", name_of(action)));
    return out_.new_name ? check_name(*out_.new_name) : Result<void>();
  }

  static Result<void> check_name(const std::string& name) {
    if (name == "-") return {};
    if (!is_safe(name))
      return refuse(fmt::format("Unsafe characters in new instance name: '{}'", printable(name)));
    if (name.find('/') != name.npos)
      return refuse(fmt::format("Illegal '/' character in new instance name: '{}'", name));
    if (!name.starts_with(kNamePrefix))
      return refuse(fmt::format("New instance name must start with '{}'", kNamePrefix));
    return {};
  }

  Options out_;
  int modes_ = 0;
};

}  // namespace

std::string_view name_of(EditAction action) {
  return kActions[static_cast<size_t>(action)];
}

Result<Options> parse_options(int argc, char** argv) {
  return Parser().parse(argc, argv);
}

}  // namespace postrider::postmulti
