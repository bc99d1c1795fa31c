#include "tools/postmulti/instances.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/params/instance.h"
#include "log/log.h"

namespace postrider::postmulti {

namespace params = config::params;

namespace {

std::unexpected<Error> refuse(std::string text) {
  return fail(ErrorKind::invalid, std::move(text));
}

Result<Instance> read_instance(const config::Config& config) {
  Instance out;
  out.config_directory = config.directory();
  out.queue_directory = config.get(params::queue_directory);
  out.data_directory = config.get(params::data_directory);
  out.name = config.get(params::multi_instance_name);
  out.group = config.get(params::multi_instance_group);
  try {
    out.enabled = config.get(params::multi_instance_enable);
  } catch (const config::ConfigError&) {
    return refuse(fmt::format("Unexpected {}/main.cf entry: {} = {}", config.directory(),
                              params::multi_instance_enable.name(),
                              config.text(params::multi_instance_enable.name()).value_or("")));
  }
  return out;
}

/// What two instances cannot have in common.
Result<void> check_conflict(const Instance& instance, const Instance& other) {
  constexpr struct {
    std::string_view parameter;
    std::string Instance::* member;
  } kOwn[] = {
      {"multi_instance_name", &Instance::name},
      {"queue_directory", &Instance::queue_directory},
      {"data_directory", &Instance::data_directory},
  };
  for (const auto& own : kOwn) {
    const std::string& value = instance.*own.member;
    if (value.empty() || value != other.*own.member) continue;
    return refuse(fmt::format("instance {}, {}={} conflicts with instance {}, {}={}",
                              instance.config_directory, own.parameter, value, other.config_directory,
                              own.parameter, value));
  }
  return {};
}

}  // namespace

Result<Instance> load_instance(const std::string& directory) {
  auto config = config::Config::load({.directory = directory, .process_name = "postmulti"});
  if (!config) {
    log::write(log::Severity::fatal, config.error().text);
    return refuse(fmt::format("Failed to obtain all required {}/main.cf parameters", directory));
  }
  return read_instance(*config);
}

Result<Instances> Instances::load(const config::Config& primary) {
  Instances out;
  std::string list = primary.get(params::multi_instance_directories);
  auto directories = split_any(list, kListSeparators);
  Instance first = TRY(read_instance(primary));
  first.primary = true;
  // Where there are no others there is nothing that could leave it out.
  first.enabled = first.enabled || directories.empty();
  out.all_.push_back(std::move(first));
  for (std::string_view directory : directories) {
    auto known = std::ranges::find(out.all_, directory, &Instance::config_directory);
    if (known != out.all_.end()) {
      out.all_.push_back(Instance(*known));
      continue;
    }
    Instance instance = TRY(load_instance(std::string(directory)));
    TRY(out.check_new(instance));
    out.all_.push_back(std::move(instance));
  }
  return out;
}

const Instance* Instances::find(std::string_view name) const {
  auto same = [&](const Instance& instance) {
    return matches(instance, {Selection::Kind::name, std::string(name)});
  };
  auto found = std::ranges::find_if(all_, same);
  return found == all_.end() ? nullptr : &*found;
}

Result<void> Instances::check_new(const Instance& instance) const {
  for (const Instance& other : all_) {
    if (instance.config_directory == other.config_directory) {
      return refuse(
          fmt::format("new config_directory={} is already in use by instance {}, config_directory={}",
                      instance.config_directory, other.config_directory, other.config_directory));
    }
    TRY(check_conflict(instance, other));
  }
  return {};
}

bool matches(const Instance& instance, const Selection& selection) {
  switch (selection.kind) {
    case Selection::Kind::unset:
    case Selection::Kind::all:
      return true;
    case Selection::Kind::group:
      return instance.group == selection.text;
    case Selection::Kind::name:
      if (selection.text == "-") return instance.primary;
      return (!instance.name.empty() && instance.name == selection.text) ||
             instance.config_directory == selection.text;
  }
  return false;
}

}  // namespace postrider::postmulti
