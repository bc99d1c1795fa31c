#include "tools/lint/model.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/logical_lines.h"
#include "base/text.h"
#include "config/macro.h"
#include "config/main_cf.h"
#include "config/params/instance.h"
#include "sys/file.h"

namespace postrider::lint {

namespace {

SourceFile source_file(std::string path, std::string_view text) {
  SourceFile out{std::move(path), {}};
  for (std::string_view line : split_each(text, '\n'))
    out.lines.emplace_back(line);
  return out;
}

bool is_word_part(char c) {
  return is_alnum(c) || c == '_' || c == '.' || c == '-' || c == '/';
}

bool has_word(std::string_view line, std::string_view word) {
  for (size_t at = line.find(word); at != line.npos; at = line.find(word, at + 1)) {
    bool before = at > 0 && is_word_part(line[at - 1]) && is_word_part(word.front());
    size_t end = at + word.size();
    bool after = end < line.size() && is_word_part(line[end]) && is_word_part(word.back());
    if (!before && !after) return true;
  }
  return false;
}

/// The lines that the entry beginning at `line` has.
int last_line_of(const std::vector<LogicalLine>& entries, int line) {
  for (const LogicalLine& entry : entries)
    if (entry.first == line) return entry.last;
  return line;
}

std::vector<LogicalLine> logical_lines(std::string_view text) {
  std::vector<LogicalLine> out;
  LogicalLines lines(text);
  while (auto line = lines.next())
    out.push_back(std::move(*line));
  return out;
}

/// "PATH, line 12: text", "PATH: line 12: text" or "text": the number, and the text without what comes before
/// it.
struct Located {
  int line = 0;
  std::string text;
};
Located locate(std::string_view message, std::string_view path) {
  if (message.starts_with(path)) message.remove_prefix(path.size());
  constexpr std::string_view kLine = "line ";
  size_t at = message.find(kLine);
  if (at <= 2) {
    size_t digits = at + kLine.size(), end = digits;
    while (end < message.size() && is_digit(message[end]))
      ++end;
    if (end > digits && end < message.size() && message[end] == ':') {
      auto number = parse_int(message.substr(digits, end - digits)).value_or(0);
      return {static_cast<int>(number), std::string(trim(message.substr(end + 1)))};
    }
  }
  return {0, std::string(trim(message.starts_with(":") ? message.substr(1) : message))};
}

/// What is wrong with the -o options among the arguments goes to `broken`.
std::vector<Override> overrides_of(const config::MasterService& entry, std::vector<std::string>& broken) {
  std::vector<Override> out;
  const auto& arguments = entry.arguments;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string_view word = arguments[i];
    if (!word.starts_with('-') || word == "--") break;
    if (word != "-o" && !word.starts_with("-o")) continue;
    std::string text;
    if (word == "-o") {
      if (++i == arguments.size()) {
        broken.emplace_back("an option -o has no parameter behind it");
        break;
      }
      text = arguments[i];
    } else {
      text = word.substr(2);
    }
    auto assignment = config::parse_assignment(text);
    if (!assignment) {
      broken.push_back(fmt::format("an option -o without \"=\": {}", text));
      continue;
    }
    out.push_back({assignment->name, assignment->value});
  }
  return out;
}

}  // namespace

std::vector<std::string_view> list_words(std::string_view text) {
  return split_braced(text, kListSeparators);
}

int SourceFile::line_of(std::string_view word, int first, int last) const {
  if (word.empty()) return first;
  for (int line = first; line <= last && line <= static_cast<int>(lines.size()); ++line) {
    const std::string& text = lines[static_cast<size_t>(line - 1)];
    if (!trim_left(text).starts_with('#') && has_word(text, word)) return line;
  }
  return first;
}

const Override* Service::find(std::string_view name) const {
  // Of two the last counts.
  auto found = std::ranges::find(overrides.rbegin(), overrides.rend(), name, &Override::name);
  return found == overrides.rend() ? nullptr : &*found;
}

std::optional<Model> Model::load(const std::string& directory, Report& report) {
  auto config = config::Config::load({.directory = directory, .process_name = "postfix"});
  if (!config) {
    std::string path = directory + "/main.cf";
    Located where = locate(config.error().text, path);
    report.add(codes::main_cf_syntax, {path, where.line}, where.text,
               where.line > 0
                   ? "correct the line; the mail system does not start with it"
                   : "name the directory with main.cf by -c, or see to it that the file can be read");
    return std::nullopt;
  }
  Model model(std::move(*config));
  if (!model.read_main_cf(report)) return std::nullopt;
  model.queue_directory_ = model.value("queue_directory");
  model.read_master_cf(report);
  return model;
}

bool Model::read_main_cf(Report& report) {
  main_cf_.path = config_.main_cf_path();
  auto text = sys::read_file(main_cf_.path, config::kMaxConfigFile);
  if (!text) {
    report.add(codes::main_cf_syntax, {main_cf_.path}, text.error().text, "make the file readable");
    return false;
  }
  main_cf_ = source_file(main_cf_.path, *text);
  auto entries = logical_lines(*text);
  auto parsed = config::parse_main_cf(*text, main_cf_.path);
  if (!parsed) return false;
  for (const config::MainCfEntry& entry : parsed->entries) {
    auto [found, is_new] = extents_.try_emplace(entry.name, Extent{});
    auto same = [&](const config::MainCfEntry& other) {
      return other.name == entry.name && other.line < entry.line && other.value != entry.value;
    };
    if (!is_new && std::ranges::any_of(parsed->entries, same)) {
      report.add(
          codes::main_cf_repeated, {main_cf_.path, entry.line},
          fmt::format("{} is set a second time; line {} has no effect", entry.name, found->second.first),
          "remove one of the two lines");
    }
    found->second = {entry.line, last_line_of(entries, entry.line)};
  }
  for (const std::string& warning : parsed->warnings) {
    Located where = locate(warning, main_cf_.path);
    // That an entry overrides another has been said.
    if (where.text.find("overriding earlier entry") != std::string::npos) continue;
    report.add(codes::main_cf_syntax, {main_cf_.path, where.line}, where.text, "correct the line");
  }
  return true;
}

void Model::read_master_cf(Report& report) {
  master_cf_.path = config_.directory() + "/master.cf";
  auto text = sys::read_file(master_cf_.path, config::kMaxConfigFile);
  if (!text) {
    report.add(codes::master_cf_syntax, {master_cf_.path}, text.error().text,
               "copy a master.cf into the directory, or make it readable");
    return;
  }
  master_cf_ = source_file(master_cf_.path, *text);
  // One line with a mistake does not hide the others.
  for (const LogicalLine& line : logical_lines(*text)) {
    if (line.indented) {
      report.add(codes::master_cf_syntax, {master_cf_.path, line.first},
                 "a line that begins with white space has no entry to continue", "remove the white space");
      continue;
    }
    auto parsed = config::parse_master_cf(line.text, master_cf_.path);
    if (parsed && !parsed->services.empty()) {
      add_service(std::move(parsed->services.front()), line.first, line.last, report);
    } else if (!parsed) {
      report.add(
          codes::master_cf_syntax, {master_cf_.path, line.first},
          locate(parsed.error().text, master_cf_.path).text,
          "correct the line; the mail system does not start with it (master(5) describes the columns)");
    }
  }
}

void Model::add_service(config::MasterService entry, int first, int last, Report& report) {
  entry.line = first;
  std::vector<std::string> broken;
  std::string program(sys::base_name(entry.command));
  auto overrides = overrides_of(entry, broken);
  for (std::string& problem : broken) {
    report.add(codes::master_cf_option, {master_cf_.path, first}, std::move(problem),
               "write -o name=value, with braces around it where the value has spaces: -o { name = value }");
  }
  config::LoadOptions options{
      .directory = config_.directory(), .process_name = program, .service_name = entry.name};
  for (const Override& override_ : overrides)
    options.overrides.push_back({override_.name, override_.value});
  auto config = config::Config::load(options);
  if (!config) return;
  services_.push_back({std::move(entry), last, std::move(program), std::move(overrides), std::move(*config)});
}

const Service* Model::local_service(std::string_view name) const {
  for (const Service& service : services_)
    if (!service.is_inet() && service.entry.name == name) return &service;
  return nullptr;
}

void Model::each_setting(
    const std::function<void(std::string_view, const std::string&, const Service*)>& visit) const {
  for (const auto& [name, extent] : extents_)
    visit(name, config_.set_text(name), nullptr);
  for (const Service& service : services_)
    for (const Override& override_ : service.overrides)
      visit(override_.name, override_.value, &service);
}

std::string Model::value(std::string_view name, const Service* service) const {
  try {
    auto value = (service ? service->config : config_).value(name);
    return value ? value->value_or("") : std::string();
  } catch (const config::ConfigError&) {
    return {};  // mynetworks cannot be found out.
  }
}

std::string Model::expand(std::string_view text, const Service* service) const {
  try {
    return (service ? service->config : config_).expand(text).value_or("");
  } catch (const config::ConfigError&) {
    return {};
  }
}

bool Model::has_undefined_names(std::string_view text, const Service* service) const {
  const config::Config& config = service ? service->config : config_;
  try {
    auto expansion = config::expand_macros(text, [&](std::string_view name) { return config.text(name); },
                                           {.recursive = true});
    return expansion && expansion->undefined;
  } catch (const config::ConfigError&) {
    return false;
  }
}

Place Model::place(std::string_view name, const Service* service, std::string_view word) const {
  if (service && service->find(name)) {
    int line = master_cf_.line_of(name, service->entry.line, service->last_line);
    return {master_cf_.path, word.empty() ? line : master_cf_.line_of(word, line, service->last_line)};
  }
  auto found = extents_.find(name);
  if (found == extents_.end()) return {main_cf_.path};
  return {main_cf_.path, main_cf_.line_of(word, found->second.first, found->second.last)};
}

bool Model::is_chrooted(const Service& service) const {
  if (service.entry.chroot) return *service.entry.chroot;
  try {
    return config_.compat_level() < config::CompatLevel{1};
  } catch (const config::ConfigError&) {
    return false;
  }
}

}  // namespace postrider::lint
