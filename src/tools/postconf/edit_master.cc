#include <algorithm>
#include <cerrno>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"
#include "config/edit.h"
#include "sys/file.h"
#include "tools/postconf/edit_files.h"
#include "tools/postconf/show.h"

namespace postrider::postconf {
namespace {

using config::EntryEdit;
using config::kMasterCommand;
using config::kMasterFields;

/// One argument, checked as far as that goes without the file.
struct Request {
  std::string argument;
  Selector selector;
  std::string value;
  size_t field = 0;        ///< -F
  MasterEntry entry = {};  ///< -Me
};

constexpr std::string_view kMissingParts[] = {"-Me, -MX or -M# requires service_name/type",
                                              "-Fe or -FX requires service_name/type/field_name",
                                              "-Pe or -PX requires service_name/type/parameter"};

MasterEntry parse_new_entry(const std::string& text, const std::string& argument) {
  std::vector<std::string> warnings;
  auto entry = parse_entry(text, warnings);
  for (const std::string& warning : warnings)
    warn(warning);
  if (!entry && entry.error().text == "bad field count")
    fatal(fmt::format("bad field count: \"{}\"", argument));
  if (!entry) fatal(entry.error().text);
  return std::move(*entry);
}

void check_field_request(Request& request) {
  const std::string& name = request.selector.parts[2];
  if (name == "*") fatal("-Fe does not accept wild-card field name");
  auto found = std::ranges::find(kMasterFields, name);
  if (found == std::end(kMasterFields)) fatal(fmt::format("invalid service attribute name: \"{}\"", name));
  request.field = static_cast<size_t>(found - kMasterFields);
}

Request to_request(const Options& options, const std::string& argument) {
  if (argument.find('\n') != std::string::npos) fatal("-Me, -Fe, -Pe, -X, or -# accept no multi-line input");
  std::string pattern = argument, value;
  if (options.edit == Edit::set) {
    auto assignment = config::parse_assignment(argument);
    if (!assignment) fatal(assignment.error().text);
    pattern = assignment->name;
    value = assignment->value;
  }
  Request request{argument, Selector(pattern), std::move(value)};
  bool entries = options.subject == Subject::master_entries;
  bool fields = options.subject == Subject::master_fields;
  bool complete = request.selector.given == (entries ? 2u : 3u) &&
                  std::ranges::none_of(request.selector.parts, &std::string::empty);
  if (!complete) fatal(kMissingParts[entries ? 0 : fields ? 1 : 2]);
  if (fields) {
    check_field_request(request);
  } else if (entries && options.edit == Edit::set) {
    request.entry = parse_new_entry(request.value, argument);
  } else if (!entries && request.selector.parts[2] == "*") {
    fatal("-Pe does not accept wild-card parameter name");
  } else if (options.edit == Edit::set) {
    if (request.value.find_first_of(" \t") != std::string::npos)
      fatal("-Pe does not accept whitespace in parameter value");
  }
  return request;
}

void set_field(MasterEntry& entry, const Request& request) {
  std::string_view value = request.value;
  if (request.field == kMasterCommand)
    value = value.substr(0, value.find_first_of(" \t"));
  else if (value.find_first_of(" \t\r\n") != std::string_view::npos)
    fatal("-Fe does not accept whitespace in non-command field");
  if (auto valid = check_field(request.field, value, request.value); !valid) fatal(valid.error().text);
  if (request.field != kMasterCommand) {
    entry.fields[request.field] = request.value;
    return;
  }
  // The words of a command are those of an entry behind its first columns.
  MasterEntry changed = parse_new_entry("x unix - - - - - " + request.value, request.argument);
  entry.fields[kMasterCommand] = changed.command();
  entry.arguments = std::move(changed.arguments);
}

void set_param(MasterEntry& entry, const Request& request) {
  std::string assignment = fmt::format("{}={}", request.selector.parts[2], request.value);
  bool found = false;
  for (const OverrideAt& at : overrides_in(entry.arguments)) {
    if (at.name != request.selector.parts[2]) continue;
    entry.arguments[at.value] = assignment;
    found = true;
  }
  if (found) return;
  // Behind the other options, but before what is no option.
  size_t at = 0;
  while (at < entry.arguments.size() && is_option(entry.arguments[at]))
    at += entry.arguments[at] == "-o" ? 2 : 1;
  auto place = entry.arguments.begin() + static_cast<ptrdiff_t>(std::min(at, entry.arguments.size()));
  entry.arguments.insert(place, {"-o", assignment});
}

void remove_params(MasterEntry& entry, const Request& request) {
  std::vector<OverrideAt> all = overrides_in(entry.arguments);
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    if (request.selector.parts[2] != at->name) continue;
    auto last = entry.arguments.begin() + static_cast<ptrdiff_t>(at->value);
    entry.arguments.erase(last - 1, last + 1);
  }
}

/// Applies one request to the text of master.cf.
class Editor {
 public:
  Editor(const Options& options, const std::string& path) : options_(options), path_(path) {}

  Result<std::string> apply(std::string_view content, const Request& request) {
    matched_ = 0;
    error_.reset();
    auto decide = [&](const LogicalLine& line) { return edit(line, request); };
    std::string text = config::edit_entries(content, decide, {});
    if (error_) return std::unexpected(*error_);
    bool entries = options_.subject == Subject::master_entries;
    if (matched_ == 0 && entries && options_.edit == Edit::set)
      return config::edit_entries(text, [](const LogicalLine&) { return EntryEdit(); },
                                  {entry_text(request.entry, true, Braces::needed)});
    if (matched_ == 0 && !entries) warn(fmt::format("unmatched service_name/type: \"{}\"", request.argument));
    return text;
  }

 private:
  EntryEdit edit(const LogicalLine& line, const Request& request) {
    if (line.indented || error_) return {};
    // Entries that nobody asked for may be as broken as they are.
    std::vector<std::string> words = config::split_master_entry(line.text);
    if (words.empty()) return {};
    std::string_view name = words[0], type = words.size() > 1 ? words[1] : std::string_view();
    // A new entry takes the place of those that were asked for, and of one that has its name.
    bool replaces =
        !request.entry.fields.empty() && request.entry.name() == name && request.entry.type() == type;
    if (!replaces && !request.selector.matches(name, type)) return {};
    ++matched_;
    if (options_.subject == Subject::master_entries) return edit_entry(request);
    std::vector<std::string> warnings;
    auto entry = parse_entry(line.text, warnings);
    if (entry) return edit_part(*entry, request);
    error_ =
        Error(ErrorKind::invalid, fmt::format("file {}: line {}: {}", path_, line.first, entry.error().text));
    return {};
  }

  EntryEdit edit_entry(const Request& request) const {
    if (options_.edit == Edit::comment_out) return {EntryEdit::Action::comment_out, ""};
    // One entry stays where several had the name.
    if (options_.edit == Edit::remove || matched_ > 1) return {EntryEdit::Action::remove, ""};
    return {EntryEdit::Action::replace, entry_text(request.entry, true, Braces::needed)};
  }

  EntryEdit edit_part(MasterEntry& entry, const Request& request) const {
    if (options_.subject == Subject::master_fields)
      set_field(entry, request);
    else if (options_.edit == Edit::set)
      set_param(entry, request);
    else
      remove_params(entry, request);
    return {EntryEdit::Action::replace, entry_text(entry, true, Braces::needed)};
  }

  const Options& options_;
  const std::string& path_;
  int matched_ = 0;
  std::optional<Error> error_;
};

}  // namespace

void edit_master(const Options& options, const std::string& directory) {
  if (options.arguments.empty())
    fatal(options.edit == Edit::set ? "-e requires name=value argument" : "missing service argument");
  std::string path = directory + "/master.cf";
  // That the file is there comes before what should become of it.
  if (auto there = sys::stat_file(path); !there && there.error().code == ENOENT) {
    bool directory_there = sys::stat_file(directory).has_value();
    fatal(
        fmt::format("open {}{}: No such file or directory", path, directory_there ? " for reading" : ".tmp"));
  }
  std::vector<Request> requests;
  for (const std::string& argument : options.arguments)
    requests.push_back(to_request(options, argument));
  Editor editor(options, path);
  auto edited = config::edit_file(path, [&](std::string_view content) -> Result<std::string> {
    std::string text(content);
    for (const Request& request : requests)
      text = TRY(editor.apply(text, request));
    return text;
  });
  if (!edited) fatal(edited.error().text);
}

}  // namespace postrider::postconf
