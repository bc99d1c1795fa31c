#include "tools/postfix/check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "config/main_cf.h"
#include "config/master_cf.h"
#include "config/params/instance.h"
#include "log/log.h"
#include "sys/file.h"
#include "sys/process.h"

namespace postrider::postfix {

namespace params = config::params;

namespace {

constexpr mode_t kWritableByOthers = S_IWGRP | S_IWOTH;
/// A file that some distributions keep elsewhere, behind a link.
constexpr std::string_view kBuildRecord = "makedefs.out";
constexpr int kMaxDepth = 64;
constexpr size_t kMaxCompared = 256 * 1024 * 1024;

struct Seen {
  std::string path;
  struct stat status;  ///< Of what a link leads to, where it leads anywhere.
  bool is_link = false;
};
using Visit = std::function<void(const Seen&)>;

/// Everything at and below `top`, directories before what is in them; links are followed.
class Walk {
 public:
  explicit Walk(const Visit& visit) : visit_(visit) {}

  void at(const std::string& path, int depth = 0) {
    auto own = sys::lstat_file(path);
    if (!own) {
      if (own.error().code != ENOENT || depth == 0) log::warning("{}", own.error().text);
      return;
    }
    auto target = sys::stat_file(path);
    Seen seen{path, target ? *target : *own, S_ISLNK(own->st_mode) != 0};
    visit_(seen);
    if (!S_ISDIR(seen.status.st_mode) || depth >= kMaxDepth) return;
    // A link can lead back to where we came from.
    if (!directories_.insert({seen.status.st_dev, seen.status.st_ino}).second) return;
    auto names = sys::list_directory(path);
    if (!names) return log::warning("{}", names.error().text);
    for (const std::string& name : *names)
      at(path + "/" + name, depth + 1);
  }

 private:
  const Visit& visit_;
  std::set<std::pair<dev_t, ino_t>> directories_;
};

void walk(const std::vector<std::string>& tops, const Visit& visit) {
  for (const std::string& top : tops)
    Walk(visit).at(top);
}

bool leaves(const std::string& link, const std::string& top) {
  auto target = sys::real_path(link);
  auto root = sys::real_path(top);
  if (!target || !root) return true;
  return !(*target + "/").starts_with(*root + "/");
}

class Check {
 public:
  Check(const config::Config& config, const Identities& ids)
      : config_(config), ids_(ids), queue_(config.get(params::queue_directory)) {}

  void run() {
    queue_directory();
    configuration_and_programs();
    std::string data = config_.get(params::data_directory) + "/.";
    if (!ids_.rootless)
      walk({data}, [this](const Seen& seen) { expect_owner(seen, ids_.owner, ids_.owner_name); });
    walk({data}, [](const Seen& seen) { expect_private(seen); });
    if (!ids_.rootless) queue_files();
    setgid_files();
    chroot_copies();
    damaged_messages();
  }

 private:
  static void expect_owner(const Seen& seen, uid_t uid, const std::string& name) {
    if (seen.status.st_uid != uid) log::warning("not owned by {}: {}", name, seen.path);
  }
  static void expect_private(const Seen& seen) {
    if ((seen.status.st_mode & kWritableByOthers) != 0)
      log::warning("group or other writable: {}", seen.path);
  }
  /// Without descending.
  static void look_at(const std::vector<std::string>& paths, const Visit& visit) {
    for (const std::string& path : paths) {
      auto status = sys::stat_file(path);
      if (!status) {
        log::warning("{}", status.error().text);
      } else {
        visit({path, *status, false});
      }
    }
  }

  void queue_directory() const {
    std::vector<std::string> paths = {queue_ + "/.", queue_ + "/pid"};
    if (!ids_.rootless) look_at(paths, [](const Seen& seen) { expect_owner(seen, 0, "root"); });
    look_at(paths, expect_private);
  }

  /// Whoever can change these can change what the mail system does.
  void configuration_and_programs() const {
    std::set<std::string> tops = {config_.directory() + "/."};
    // Users' own instances share the programs of somebody else.
    if (!ids_.rootless) tops.insert(config_.get(params::daemon_directory) + "/.");
    std::vector<std::string> sorted(tops.begin(), tops.end());
    if (!ids_.rootless) walk(sorted, [](const Seen& seen) { expect_owner(seen, 0, "root"); });
    walk(sorted, expect_private);
    for (const std::string& top : sorted) {
      walk({top}, [&](const Seen& seen) {
        if (sys::base_name(seen.path) == kBuildRecord) return;
        if (seen.is_link && leaves(seen.path, top)) log::warning("symlink leaves directory: {}", seen.path);
      });
    }
  }

  void queue_files() const {
    for (const QueueDirectory& directory : queue_directories()) {
      std::string_view name = directory.name;
      if (name == "maildrop" || name == "pid") continue;
      walk({queue_ + "/" + directory.name}, [this](const Seen& seen) {
        if (!S_ISSOCK(seen.status.st_mode) && !S_ISFIFO(seen.status.st_mode)) {
          expect_owner(seen, ids_.owner, ids_.owner_name);
        }
      });
    }
  }

  void setgid_files() const {
    if (ids_.rootless) return;
    std::string commands = config_.get(params::command_directory);
    std::vector<std::string> programs = {commands + "/postqueue", commands + "/postdrop"};
    std::vector<std::string> all = programs;
    all.push_back(queue_ + "/public");
    all.push_back(queue_ + "/maildrop");
    look_at(all, [this](const Seen& seen) {
      if (seen.status.st_gid != ids_.setgid)
        log::warning("not owned by group {}: {}", ids_.setgid_name, seen.path);
    });
    look_at(programs, [](const Seen& seen) {
      constexpr mode_t kNeeded = S_ISGID | S_IXUSR | S_IXGRP | S_IXOTH;
      if ((seen.status.st_mode & kNeeded) != kNeeded) {
        log::warning("not set-gid or not owner+group+world executable: {}", seen.path);
      }
    });
  }

  /// Copies of system files that services in a chroot use.
  void chroot_copies() const {
    for (const char* name : {"bin", "etc", "lib", "sbin", "usr"}) {
      std::string top = queue_ + "/" + name;
      if (!sys::exists(top)) continue;
      walk({top}, [this](const Seen& seen) {
        std::string original = seen.path.substr(queue_.size());
        if (!S_ISREG(seen.status.st_mode) || seen.is_link || !sys::exists(original)) return;
        auto copy = sys::read_file(seen.path, kMaxCompared), model = sys::read_file(original, kMaxCompared);
        if (copy && model && *copy != *model) log::warning("{} and {} differ", seen.path, original);
      });
    }
  }

  void damaged_messages() const {
    walk({queue_ + "/corrupt"}, [this](const Seen& seen) {
      if (S_ISREG(seen.status.st_mode))
        log::warning("damaged message: {}", seen.path.substr(queue_.size() + 1));
    });
  }

  const config::Config& config_;
  const Identities& ids_;
  std::string queue_;
};

}  // namespace

std::optional<pid_t> start_ordering_queue(const config::Config& config, std::string_view queue) {
  std::vector<std::string> argv = {config.get(params::command_directory) + "/postsuper", "-c",
                                   config.directory()};
  if (!queue.empty()) argv.emplace_back(queue);
  log::flush();
  auto pid = sys::spawn({.argv = argv, .environment = sys::environment(), .descriptors = {{2, 2}}});
  if (pid) return *pid;
  log::write(log::Severity::fatal, pid.error().text);
  return std::nullopt;
}

bool order_queue(const config::Config& config, std::string_view queue) {
  auto pid = start_ordering_queue(config, queue);
  if (!pid) return false;
  auto status = sys::wait_for(*pid);
  return status && *status == 0;
}

bool check_fatal(const config::Config& config, const Identities& ids) {
  if (auto created = create_missing(config, ids); !created) {
    log::error("{}", created.error().text);
    log::write(log::Severity::fatal, "unable to create missing queue directories");
    return false;
  }
  std::string master_cf = config.directory() + "/master.cf";
  if (!sys::exists(master_cf)) {
    log::write(log::Severity::fatal, fmt::format("no {} file found", master_cf));
    return false;
  }
  auto text = sys::read_file(master_cf, config::kMaxConfigFile);
  auto services = text ? config::parse_master_cf(*text, master_cf) : std::unexpected(std::move(text).error());
  if (!services) {
    log::write(log::Severity::fatal, services.error().text);
    return false;
  }
  for (const std::string& warning : services->warnings)
    log::warning("{}", warning);
  return order_queue(config);
}

void check_warn(const config::Config& config, const Identities& ids) {
  Check(config, ids).run();
}

}  // namespace postrider::postfix
