#include "table/plugins.h"

#include <dlfcn.h>

#include <algorithm>
#include <map>

#include "base/logical_lines.h"
#include "base/text.h"
#include "sys/file.h"
#include "table/driver.h"
#include "table/driver_pool.h"
#include "table/internal.h"

namespace postrider::table {

namespace {

constexpr size_t kMaxMapFile = size_t{1} << 20;
// Beside the daemons when the administrator's shlib_directory is that of another mail system.
std::vector<std::string>& directories() {
  static std::vector<std::string> list;
  return list;
}

/// Objects stay loaded: client libraries do not like to be unloaded.
Result<void*> load_object(const std::string& path) {
  static std::map<std::string, void*> loaded;
  auto found = loaded.find(path);
  if (found != loaded.end()) return found->second;
  void* object = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (object == nullptr) {
    const char* reason = dlerror();
    return fail(ErrorKind::system, reason != nullptr ? reason : "cannot be loaded");
  }
  loaded.emplace(path, object);
  return object;
}

Result<void*> call_maker(void* object, const std::string& function, const std::string& path) {
  void* symbol = dlsym(object, function.c_str());
  if (symbol == nullptr) {
    return fail(ErrorKind::invalid, fmt::format("{} is not of this release: it has no {}", path, function));
  }
  void* driver = reinterpret_cast<void* (*)()>(symbol)();
  if (driver == nullptr) return fail(ErrorKind::system, fmt::format("{}: initialization failed", path));
  return driver;
}

/// The first file of that name in the plug-in directories; nothing when there is none.
std::string find_object(const std::string& name) {
  if (name.starts_with('/')) return name;
  for (const std::string& directory : directories()) {
    std::string path = directory + "/" + name;
    if (sys::exists(path)) return path;
  }
  return {};
}

/// A line of dynamicmaps.cf.
struct DynamicType {
  std::string object, function;
};

class LookupTable : public Table {
 public:
  LookupTable(std::string_view type, std::string_view name, driver::LookupDriver* driver,
              const OpenOptions& options)
      : Table(type, name, options.behaviour, options.log),
        pool_(std::make_shared<DriverPool<driver::LookupConnection>>(
            [driver, name = std::string(name)](driver::Timeout timeout) {
              return driver->connect(name, timeout);
            },
            DriverPool<driver::LookupConnection>::Limits{})) {}

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    auto ask = [key = std::string(key)](driver::LookupConnection& connection) {
      return connection.lookup(key);
    };
    auto answer = TRY(pool_->use(ask, deadline));
    if (answer) return std::move(*answer);
    warn(fmt::format("{}: {}", log_name(), printable(answer.error().text)));
    return fail(answer.error().permanent ? ErrorKind::invalid : ErrorKind::temporary,
                fmt::format("table {}: query error", log_name()));
  }

 private:
  std::shared_ptr<DriverPool<driver::LookupConnection>> pool_;
};

OpenResult open_dynamic(const std::string& type, const DynamicType& entry, std::string_view name,
                        const OpenOptions& options) {
  TRY(refuse_write(type, name, options));
  std::string path = find_object(entry.object);
  if (path.empty()) path = entry.object;
  auto object = load_object(path);
  if (!object)
    return fail(ErrorKind::invalid,
                fmt::format("unsupported dictionary type: {}: {}", type, object.error().text));
  auto* driver = static_cast<driver::LookupDriver*>(TRY(call_maker(*object, entry.function, path)));
  return std::make_shared<LookupTable>(type, name, driver, options);
}

void add_file(const std::string& path, const LogSink& log) {
  auto content = sys::read_file(path, kMaxMapFile);
  if (!content) return;
  LogicalLines lines(*content);
  while (auto line = lines.next()) {
    std::vector<std::string_view> words = split_any(line->text, " \t\r\n");
    // The fourth word would create tables, which plug-ins do not.
    if (words.size() < 3 || words.size() > 4) {
      if (log)
        log(Severity::warning, fmt::format("{}, line {}: expected \"dict-type so-name open-function "
                                           "[mkmap-function]\"",
                                           path, line->first));
      continue;
    }
    std::string type(words[0]);
    if (is_known_type(type)) continue;
    DynamicType entry{std::string(words[1]), std::string(words[2])};
    register_type({.type = type,
                   .open =
                       [type, entry](std::string_view name, const OpenOptions& options) {
                         return open_dynamic(type, entry, name, options);
                       },
                   .needs_network = true});
  }
}

}  // namespace

void set_plugin_directories(std::vector<std::string> list) {
  directories() = std::move(list);
}

namespace {

std::string driver_file(std::string_view name) {
  return fmt::format("postrider-{}.so", name);
}

}  // namespace

bool has_driver(std::string_view name) {
  return !find_object(driver_file(name)).empty();
}

Result<void*> load_driver(std::string_view name, std::string_view kind) {
  std::string file = driver_file(name);
  std::string path = find_object(file);
  if (path.empty()) {
    return fail(ErrorKind::invalid,
                fmt::format("unsupported dictionary type: {}. Is the postrider-{} package "
                            "installed? There is no {} in {}",
                            name, name, file, join(directories(), " or ")));
  }
  auto object = load_object(path);
  if (!object) {
    return fail(ErrorKind::invalid,
                fmt::format("unsupported dictionary type: {}: {}", name, printable(object.error().text)));
  }
  return call_maker(*object, fmt::format("postrider_{}_driver_{}", kind, POSTRIDER_DRIVER_VERSION), path);
}

void add_dynamic_types(const std::string& path, const LogSink& log) {
  add_file(path, log);
  auto names = sys::list_directory(path + ".d");
  if (!names) return;
  std::ranges::sort(*names);
  for (const std::string& name : *names)
    if (name.ends_with(".cf")) add_file(path + ".d/" + name, log);
}

}  // namespace postrider::table
