#include "sys/process.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "sys/fd.h"

extern char** environ;  // FreeBSD's headers leave it to the program.

namespace postrider::sys {

namespace {

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (const std::string& s : strings)
    out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
}

/// Signals that a program starts with in their default state.
constexpr int kDefaultSignals[] = {SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGCHLD, SIGALRM};

/// Puts the descriptors in place. Targets can overlap sources, so everything is first copied out of the way.
bool arrange_descriptors(const SpawnRequest& request, int* report) {
  int above = 2;
  for (auto [from, to] : request.descriptors)
    above = std::max(above, to);
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
    while (i < request.descriptors.size() && request.descriptors[i].second != fd)
      ++i;
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

/// What a child that became no program tells its parent.
struct ChildFailure {
  enum class Step : unsigned char { descriptors, root, identity, directory, execute };
  Step step;
  int error;
};
using Step = ChildFailure::Step;

/// In words.
std::string describe(Step step, const SpawnRequest& request, const std::string& program) {
  switch (step) {
    case Step::descriptors:
      return "prepare to execute " + program;
    case Step::root:
      return "chroot(" + request.root + ")";
    case Step::identity:
      return fmt::format("cannot become uid={} gid={}", request.uid, request.gid);
    case Step::directory: {
      uid_t uid = request.switch_user ? request.uid : geteuid();
      gid_t gid = request.switch_user ? request.gid : getegid();
      return fmt::format("cannot change directory to \"{}\" for uid={} gid={}", request.directory, uid, gid);
    }
    case Step::execute:
      break;
  }
  return "execute " + program;
}

/// In the child, between fork() and exec(): only async-signal-safe calls, as other threads may hold locks.
[[noreturn]] void become_program(const SpawnRequest& request, const char* program, char* const* argv,
                                 char* const* environment, int report) {
  auto give_up = [&](Step step) {
    ChildFailure failure{step, errno};
    ssize_t ignored = write(report, &failure, sizeof failure);
    (void)ignored;
    _exit(127);
  };
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number : kDefaultSignals)
    signal(number, SIG_DFL);
  if (!arrange_descriptors(request, &report)) give_up(Step::descriptors);
  if (request.new_session) setsid();
  if (!request.root.empty() && (chroot(request.root.c_str()) < 0 || chdir("/") < 0)) give_up(Step::root);
  if (request.switch_user &&
      (setgid(request.gid) < 0 || setgroups(1, &request.gid) < 0 || setuid(request.uid) < 0)) {
    give_up(Step::identity);
  }
  if (!request.directory.empty() && chdir(request.directory.c_str()) < 0) give_up(Step::directory);
  execve(program, argv, environment);
  give_up(Step::execute);
  _exit(127);
}

#ifdef POSIX_SPAWN_SETSID
constexpr bool kCanSpawnSession = true;
constexpr int kSpawnSession = POSIX_SPAWN_SETSID;
#else  // FreeBSD
constexpr bool kCanSpawnSession = false;
constexpr int kSpawnSession = 0;
#endif

/// What posix_spawn(3) has no words for, and descriptors that would overwrite each other.
bool needs_fork(const SpawnRequest& request) {
  if (request.switch_user || !request.root.empty() || !request.directory.empty()) return true;
  if (request.new_session && !kCanSpawnSession) return true;
  for (auto [from, to] : request.descriptors) {
    for (auto [other_from, other_to] : request.descriptors) {
      if (to == other_from && to != from) return true;
    }
  }
  return false;
}

/// posix_spawn(3) does not copy the page tables, which fork() does: a good part of the cost of a small
/// program.
class PosixSpawn {
 public:
  PosixSpawn() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~PosixSpawn() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  PosixSpawn(const PosixSpawn&) = delete;
  PosixSpawn& operator=(const PosixSpawn&) = delete;

  Result<pid_t> run(const SpawnRequest& request, const std::string& program, char* const* argv,
                    char* const* environment) {
    int error = arrange(request);
    pid_t pid = 0;
    if (error == 0) error = posix_spawn(&pid, program.c_str(), &actions_, &attributes_, argv, environment);
    if (error != 0) return std::unexpected(Error::from_errno("execute " + program, error));
    return pid;
  }

 private:
  int arrange(const SpawnRequest& request) {
    int above = 2, error = 0;
    for (auto [from, to] : request.descriptors)
      above = std::max(above, to);
    auto check = [&error](int result) {
      if (error == 0) error = result;
    };
    for (int fd = 0; fd <= above; ++fd) {
      auto listed = std::ranges::find(request.descriptors, fd, &std::pair<int, int>::second);
      if (listed != request.descriptors.end()) {
        check(posix_spawn_file_actions_adddup2(&actions_, listed->first, fd));
      } else if (fd <= 2) {
        check(posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", O_RDWR, 0));
      } else {
        check(posix_spawn_file_actions_addclose(&actions_, fd));
      }
    }
    check(posix_spawn_file_actions_addclosefrom_np(&actions_, above + 1));
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (int number : kDefaultSignals)
      sigaddset(&defaults, number);
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (request.new_session ? kSpawnSession : 0);
    check(posix_spawnattr_setsigmask(&attributes_, &none));
    check(posix_spawnattr_setsigdefault(&attributes_, &defaults));
    check(posix_spawnattr_setflags(&attributes_, static_cast<short>(flags)));
    return error;
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace

Result<pid_t> spawn(const SpawnRequest& request) {
  if (request.argv.empty()) return fail(ErrorKind::invalid, "no program to execute");
  std::vector<char*> argv = pointers(request.argv);
  std::vector<char*> environment = pointers(request.environment);
  const std::string& program = request.program.empty() ? request.argv[0] : request.program;
  if (!needs_fork(request)) return PosixSpawn().run(request, program, argv.data(), environment.data());
  Pipe report = TRY(make_pipe());
  pid_t pid = fork();
  if (pid < 0) return fail_errno("fork");
  if (pid == 0) become_program(request, program.c_str(), argv.data(), environment.data(), report.write.get());
  report.write.reset();
  ChildFailure failure{};
  auto count = read_some(report.read.get(), &failure, sizeof failure);
  if (count && *count == sizeof failure) {
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    Error error = Error::from_errno(describe(failure.step, request, program), failure.error);
    if (failure.step != Step::execute) error.kind = ErrorKind::denied;
    return std::unexpected(std::move(error));
  }
  return pid;
}

Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != name.npos) return name;
  const char* list = std::getenv("PATH");
  std::string_view rest = list == nullptr ? std::string_view("/bin:/usr/bin") : std::string_view(list);
  int reason = ENOENT;
  for (bool more = true; more;) {
    size_t colon = rest.find(':');
    more = colon != rest.npos;
    std::string directory(rest.substr(0, colon));
    if (more) rest.remove_prefix(colon + 1);
    std::string path = directory.empty() ? name : directory + "/" + name;
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (::access(path.c_str(), X_OK) == 0) return path;
    reason = EACCES;
  }
  return fail(ErrorKind::not_found, std::strerror(reason));
}

Error replace_process(const std::vector<std::string>& argv) {
  std::vector<char*> arguments = pointers(argv);
  execv(arguments[0], arguments.data());
  return Error::from_errno("execute " + argv[0], errno);
}

Result<int> wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return fail_errno("wait");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<std::string> environment() {
  std::vector<std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    out.emplace_back(*entry);
  return out;
}

void set_environment(const std::vector<std::string>& entries) {
  // The strings become part of the environment and must stay.
  static std::vector<std::string>* kept = new std::vector<std::string>;
  static std::vector<char*>* list = new std::vector<char*>;
  *kept = entries;
  *list = pointers(*kept);
  environ = list->data();
}

void set_environment_entry(const std::string& name, const std::string& value) {
  if (setenv(name.c_str(), value.c_str(), 1) < 0) abort();  // Out of memory.
}

void open_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd) abort();
  }
}

bool process_exists(pid_t pid) {
  return kill(pid, 0) == 0 || errno == EPERM;
}

bool trace_process(pid_t pid) {
#ifdef __linux__
  return ::ptrace(PTRACE_ATTACH, pid, nullptr, nullptr) == 0;
#else
  return ::ptrace(PT_ATTACH, pid, nullptr, 0) == 0;
#endif
}

pid_t process_id() {
  return getpid();
}

bool has_borrowed_rights() {
  if (getuid() == 0 && geteuid() == 0) return false;  // A set-gid program gives the super-user nothing.
  return getuid() != geteuid() || getgid() != getegid();
}

void set_umask(mode_t mask) {
  ::umask(mask);
}

DelaySignals::DelaySignals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before_);
}

DelaySignals::~DelaySignals() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) < 0) return "localhost";
  return name.data();
}

}  // namespace postrider::sys
