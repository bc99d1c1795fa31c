#include "tools/postmulti/edit.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "config/edit.h"
#include "config/params/instance.h"
#include "config/value_text.h"
#include "log/log.h"
#include "service/lock_file.h"
#include "sys/file.h"
#include "tools/postmulti/life_cycle.h"

namespace postrider::postmulti {

namespace {

std::unexpected<Error> refuse(std::string text) {
  return fail(ErrorKind::invalid, std::move(text));
}

/// Directories that a new instance can be given.
constexpr struct {
  std::string_view name;
  std::string Instance::* member;
} kSettings[] = {
    {"config_directory", &Instance::config_directory},
    {"queue_directory", &Instance::queue_directory},
    {"data_directory", &Instance::data_directory},
};

Result<void> check_directory(std::string_view parameter, std::string_view path) {
  if (!path.starts_with('/'))
    return refuse(fmt::format("Parameter setting '{}' is not an absolute path", parameter));
  if (path.find_first_not_of('/') == path.npos)
    return refuse(fmt::format("Parameter setting '{}' is the root directory", parameter));
  return {};
}

/// The settings on the command line.
Result<Instance> parse_settings(const Options& options) {
  Instance out;
  for (const std::string& word : options.words) {
    size_t equals = word.find('=');
    if (equals == word.npos || equals == 0)
      return refuse(fmt::format("Malformed parameter setting '{}'", printable(word)));
    std::string_view name = trim(std::string_view(word).substr(0, equals));
    std::string_view value = trim(std::string_view(word).substr(equals + 1));
    auto setting = std::ranges::find(kSettings, name, [](const auto& row) { return row.name; });
    bool allowed = setting != std::end(kSettings) &&
                   (options.action == EditAction::create || setting->name == "config_directory");
    if (!allowed) {
      return refuse(
          fmt::format("Parameter '{}' not valid with action {}", printable(name), name_of(options.action)));
    }
    TRY(check_directory(name, value));
    while (value.size() > 1 && value.ends_with('/'))
      value.remove_suffix(1);
    out.*setting->member = value;
  }
  return out;
}

/// Where the new instance stands among the directories of the primary one's list.
Result<std::vector<std::string>> with_new(const Instances& instances, const Options& options,
                                          const std::string& directory) {
  std::vector<std::string> out;
  auto insert_at = instances.all().size() - 1;
  bool found = false;
  for (size_t i = 1; i < instances.all().size(); ++i) {
    const Instance& instance = instances.all()[i];
    if (!found && options.selection.kind != Selection::Kind::unset && matches(instance, options.selection)) {
      found = true;
      insert_at = i - 1;
    }
    out.push_back(instance.config_directory);
  }
  bool must_match =
      options.selection.kind == Selection::Kind::group || options.selection.kind == Selection::Kind::name;
  if (must_match && !found) return refuse("No matching secondary instances");
  out.insert(out.begin() + static_cast<std::ptrdiff_t>(insert_at), directory);
  return out;
}

/// The names that the instance shall have; "-" takes one away, empty leaves it.
Names names_of(const Options& options) {
  return {options.new_name.value_or(""), options.new_group.value_or("")};
}

Result<int> add(const config::Config& primary, const Instances& instances, const Options& options) {
  Instance wanted = TRY(parse_settings(options));
  std::string name = options.new_name.value_or("-");
  // What is not given stands beside the directories of the primary instance.
  for (const auto& row : kSettings) {
    std::string& path = wanted.*row.member;
    if (path.empty() && name != "-")
      path = fmt::format("{}/{}", sys::directory_of(instances.primary().*row.member), name);
  }
  if (wanted.config_directory.empty()) return refuse("Missing config_directory parameter value");
  bool exists = sys::exists(wanted.config_directory + "/main.cf") &&
                sys::exists(wanted.config_directory + "/master.cf");
  if (exists || options.action == EditAction::import) {
    wanted = TRY(load_instance(wanted.config_directory));
  } else {
    for (const auto& row : kSettings)
      if ((wanted.*row.member).empty()) return refuse(fmt::format("Missing {} parameter value", row.name));
  }
  if (options.new_name) wanted.name = *options.new_name == "-" ? "" : *options.new_name;
  auto directories = TRY(with_new(instances, options, wanted.config_directory));
  TRY(instances.check_new(wanted));
  LifeCycle work(primary, wanted);
  if (auto done = work.add(options.action == EditAction::create, names_of(options), directories); !done)
    return work.failed(done.error());
  return 0;
}

Result<const Instance*> selected(const Instances& instances, const Options& options) {
  if (options.selection.kind != Selection::Kind::name) return refuse("Select an instance via '-i name'");
  const Instance* found = instances.find(options.selection.text);
  if (!found) return refuse(fmt::format("No instance named {}", printable(options.selection.text)));
  return found;
}

Result<int> remove(const config::Config& primary, const Instances& instances, const Options& options) {
  const Instance& instance = *TRY(selected(instances, options));
  if (instance.primary) return refuse("Cannot remove the primary instance");
  if (instance.enabled) return refuse("Cannot remove enabled instances");
  std::vector<std::string> left;
  for (const Instance& other : instances.all())
    if (!other.primary && other.config_directory != instance.config_directory)
      left.push_back(other.config_directory);
  LifeCycle work(primary, instance);
  auto done = options.action == EditAction::deport ? work.deport(left) : work.destroy(left);
  return done ? Result<int>(0) : work.failed(done.error());
}

Result<int> change(const config::Config& primary, const Instances& instances, const Options& options) {
  const Instance& instance = *TRY(selected(instances, options));
  if (options.action == EditAction::assign) {
    Instance renamed = instance;
    renamed.name = options.new_name.value_or(instance.name);
    for (const Instance& other : instances.all()) {
      bool taken = renamed.name != "-" && !renamed.name.empty() && other.name == renamed.name &&
                   other.config_directory != instance.config_directory;
      if (taken) {
        return refuse(fmt::format(
            "instance {}, multi_instance_name={} conflicts with instance {}, multi_instance_name={}",
            instance.config_directory, renamed.name, other.config_directory, renamed.name));
      }
    }
  }
  LifeCycle work(primary, instance);
  auto done = options.action == EditAction::assign ? work.assign(names_of(options))
                                                   : work.enable(options.action == EditAction::enable);
  return done ? Result<int>(0) : work.failed(done.error());
}

}  // namespace

int init(const config::Config& primary) {
  Instance instance;
  instance.config_directory = primary.directory();
  LifeCycle work(primary, instance);
  auto done = work.init();
  return done ? 0 : work.failed(done.error());
}

Result<int> edit(const config::Config& primary, const Instances& instances, const Options& options) {
  switch (options.action) {
    case EditAction::init:
      return init(primary);
    case EditAction::create:
    case EditAction::import:
      return add(primary, instances, options);
    case EditAction::destroy:
    case EditAction::deport:
      return remove(primary, instances, options);
    case EditAction::enable:
    case EditAction::disable:
    case EditAction::assign:
      return change(primary, instances, options);
  }
  return 1;
}

}  // namespace postrider::postmulti
