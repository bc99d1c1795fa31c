// postlogd - writes the log lines of all daemons to maillog_file, or to standard output.

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "config/params/instance.h"
#include "config/params/services.h"
#include "io/fiber.h"
#include "log/log.h"
#include "service/daemon.h"
#include "service/log_setup.h"
#include "sys/file.h"
#include "sys/process.h"

namespace postrider {
namespace {

namespace params = config::params;

/// The file that the lines go to. It is opened again when it was moved away or removed by log rotation.
class LogFile {
 public:
  LogFile(std::string path, mode_t mode) : path_(std::move(path)), mode_(mode) { open(); }

  /// `lines` is one or more lines, without the last newline.
  void write(std::string_view lines) {
    if (!is_current()) open();
    std::string text(lines);
    text += '\n';
    if (!fd_ || !sys::write_all(fd_.get(), text)) (void)sys::write_all(STDERR_FILENO, text);
  }

 private:
  void open() {
    // As it was handed down: by its name it may not be opened, when it is a pipe of another user, or a
    // socket.
    auto fd = path_ == "/dev/stdout"
                  ? sys::duplicate(STDOUT_FILENO)
                  : sys::open_file(path_, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, mode_);
    if (!fd) log::fatal("{}", fd.error().text);
    fd_ = std::move(*fd);
    (void)sys::set_nonblocking(fd_.get(), false);
    opened_ = sys::stat_fd(fd_.get()).value_or(opened_);
  }

  /// Looked at each time: whoever rotates the file compresses it soon after, and what is written to it then
  /// is lost.
  bool is_current() const {
    if (path_.starts_with("/dev/")) return true;
    auto named = sys::stat_file(path_);
    return named && named->st_ino == opened_.st_ino && named->st_dev == opened_.st_dev;
  }

  std::string path_;
  mode_t mode_;
  sys::Fd fd_;
  struct stat opened_{};
};

mode_t file_mode(const config::Config& config) {
  return static_cast<mode_t>(std::stoul(config.get(params::maillog_file_permissions), nullptr, 8));
}

void run(service::Daemon& daemon) {
  const config::Config& config = daemon.config();
  daemon.set_watchdog(config.get(params::postlogd_watchdog_timeout));
  // It makes no file but the log, and master's mask would leave that to root alone.
  sys::set_umask(0777 & ~file_mode(config));
  std::string path = config.get(params::maillog_file);
  if (path.empty()) {
    // Lines that still come were sent under an older configuration.
    log::warning("empty \"{} =\" configuration: lines are dropped", "maillog_file");
    path = "/dev/null";
  }
  static LogFile file(path, file_mode(config));
  daemon.confine({.name = "postlogd", .write = {sys::directory_of(path)}});
  daemon.serve_datagrams([](std::string_view lines) { file.write(lines); });
}

}  // namespace
}  // namespace postrider

int main(int argc, char** argv) {
  return postrider::service::run(argc, argv, {.name = "postlogd", .never_idle_out = true}, postrider::run);
}
