#include "sys/process.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "sys/fd.h"

namespace postrider::sys {

namespace {

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (const std::string& s : strings) out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
}

/// Puts the descriptors in place. Targets can overlap sources, so everything is first copied out of the way.
bool arrange_descriptors(const SpawnRequest& request, int* report) {
  int above = 2;
  for (auto [from, to] : request.descriptors) above = std::max(above, to);
  *report = fcntl(*report, F_DUPFD_CLOEXEC, above + 1);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (*report < 0 || null < 0) return false;
  std::array<int, 64> copies;
  if (request.descriptors.size() > copies.size()) {
    errno = EINVAL;
    return false;
  }
  for (size_t i = 0; i < request.descriptors.size(); ++i) {
    copies[i] = fcntl(request.descriptors[i].first, F_DUPFD_CLOEXEC, above + 1);
    if (copies[i] < 0) return false;
  }
  null = fcntl(null, F_DUPFD_CLOEXEC, above + 1);
  if (null < 0) return false;
  for (int fd = 0; fd <= above; ++fd) {
    size_t i = 0;
    while (i < request.descriptors.size() && request.descriptors[i].second != fd) ++i;
    if (i < request.descriptors.size()) {
      if (dup2(copies[i], fd) < 0) return false;
    } else if (fd <= 2) {
      if (dup2(null, fd) < 0) return false;
    } else {
      close(fd);
    }
  }
  if (*report != above + 1) *report = dup3(*report, above + 1, O_CLOEXEC);
  if (*report < 0) return false;
  close_from(above + 2);
  return true;
}

/// In the child, between fork() and exec(): only async-signal-safe calls, as other threads may hold locks.
[[noreturn]] void become_program(const SpawnRequest& request, char* const* argv, char* const* environment,
                                 int report) {
  auto give_up = [&] {
    int error = errno;
    ssize_t ignored = write(report, &error, sizeof error);
    (void)ignored;
    _exit(127);
  };
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number : {SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGCHLD, SIGALRM}) signal(number, SIG_DFL);
  if (!arrange_descriptors(request, &report)) give_up();
  if (request.new_session) setsid();
  if (request.switch_user &&
      (setgid(request.gid) < 0 || setgroups(1, &request.gid) < 0 || setuid(request.uid) < 0)) {
    give_up();
  }
  if (!request.directory.empty() && chdir(request.directory.c_str()) < 0) give_up();
  execve(argv[0], argv, environment);
  give_up();
  _exit(127);
}

}  // namespace

Result<pid_t> spawn(const SpawnRequest& request) {
  if (request.argv.empty()) return fail(ErrorKind::invalid, "no program to execute");
  std::vector<char*> argv = pointers(request.argv);
  std::vector<char*> environment = pointers(request.environment);
  Pipe report = TRY(make_pipe());
  pid_t pid = fork();
  if (pid < 0) return fail_errno("fork");
  if (pid == 0) become_program(request, argv.data(), environment.data(), report.write.get());
  report.write.reset();
  int error = 0;
  auto count = read_some(report.read.get(), &error, sizeof error);
  if (count && *count == sizeof error) {
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return std::unexpected(Error::from_errno("execute " + request.argv[0], error));
  }
  return pid;
}

bool process_exists(pid_t pid) { return kill(pid, 0) == 0 || errno == EPERM; }

pid_t process_id() { return getpid(); }

bool has_borrowed_rights() { return getuid() != geteuid() || getgid() != getegid(); }

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) < 0) return "localhost";
  return name.data();
}

}  // namespace postrider::sys
