// The system call filter of sandbox::enter() on Linux (libseccomp).
#ifdef __linux__

#include "sandbox/seccomp.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <string>

namespace postrider::sandbox {

namespace {

// What every daemon needs, its libraries (name services, TLS, databases) included.
constexpr const char* kEveryone[] = {
    // Open files and descriptors.
    "read",
    "readv",
    "pread64",
    "preadv",
    "preadv2",
    "write",
    "writev",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "lseek",
    "close",
    "close_range",
    "dup",
    "dup2",
    "dup3",
    "fcntl",
    "ioctl",
    "flock",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "ftruncate",
    "fallocate",
    "fadvise64",
    "readahead",
    "sendfile",
    "copy_file_range",
    "splice",
    "tee",
    "pipe",
    "pipe2",
    "memfd_create",
    // Files by name: Landlock and file permissions say which.
    "open",
    "openat",
    "openat2",
    "creat",
    "access",
    "faccessat",
    "faccessat2",
    "stat",
    "lstat",
    "fstat",
    "newfstatat",
    "statx",
    "statfs",
    "fstatfs",
    "getdents",
    "getdents64",
    "readlink",
    "readlinkat",
    "getcwd",
    "chdir",
    "fchdir",
    "truncate",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "symlink",
    "symlinkat",
    "mkdir",
    "mkdirat",
    "rmdir",
    "chmod",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "utime",
    "utimes",
    "futimesat",
    "utimensat",
    "umask",
    "inotify_init",
    "inotify_init1",
    "inotify_add_watch",
    "inotify_rm_watch",
    // Waiting and time.
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "eventfd",
    "eventfd2",
    "signalfd",
    "signalfd4",
    "timerfd_create",
    "timerfd_settime",
    "timerfd_gettime",
    "nanosleep",
    "clock_nanosleep",
    "clock_gettime",
    "clock_getres",
    "gettimeofday",
    "time",
    "times",
    "alarm",
    "getitimer",
    "setitimer",
    "timer_create",
    "timer_settime",
    "timer_gettime",
    "timer_delete",
    "timer_getoverrun",
    "pause",
    "restart_syscall",
    // Memory.
    "brk",
    "mmap",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "mincore",
    "msync",
    "mlock",
    "mlock2",
    "munlock",
    "membarrier",
    "pkey_alloc",
    "pkey_free",
    "pkey_mprotect",
    // Threads and signals of this process.
    "futex",
    "futex_waitv",
    "futex_wake",
    "futex_wait",
    "futex_requeue",
    "set_robust_list",
    "get_robust_list",
    "rseq",
    "set_tid_address",
    "gettid",
    "tgkill",
    "tkill",
    "sched_yield",
    "sched_getaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "getcpu",
    "getpriority",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigsuspend",
    "sigaltstack",
    "wait4",
    "waitid",
    "exit",
    "exit_group",
    "arch_prctl",
    "prctl",
    // Who and where one is.
    "getpid",
    "getppid",
    "getpgrp",
    "getpgid",
    "getsid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getgroups",
    "getresuid",
    "getresgid",
    "getrlimit",
    "setrlimit",
    "prlimit64",
    "getrusage",
    "sysinfo",
    "uname",
    "getrandom",
    "capget",
    // Sockets that are open; socket() itself is below.
    "socketpair",
    "bind",
    "listen",
    "accept",
    "accept4",
    "connect",
    "getsockname",
    "getpeername",
    "getsockopt",
    "setsockopt",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "recvfrom",
    "recvmsg",
    "recvmmsg",
    "shutdown",
};

// Taking on other identities and giving files away.
constexpr const char* kIdentity[] = {
    "setuid",   "setgid",   "setreuid", "setregid", "setresuid", "setresgid", "setgroups",
    "setfsuid", "setfsgid", "capset",   "chown",    "fchown",    "lchown",    "fchownat",
};

// Refused to all, with an error that says so. What is in no list at all does not exist for the process
// (ENOSYS), so that the C library falls back to older calls.
constexpr const char* kForbidden[] = {
    "execve",
    "execveat",
    "fork",
    "vfork",
    "kill",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "pidfd_open",
    "pidfd_send_signal",
    "pidfd_getfd",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "kcmp",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "mknod",
    "mknodat",
    "setns",
    "unshare",
    "setsid",
    "setpgid",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "keyctl",
    "add_key",
    "request_key",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "swapon",
    "swapoff",
    "sethostname",
    "setdomainname",
    "settimeofday",
    "clock_settime",
    "adjtimex",
    "clock_adjtime",
    "acct",
    "quotactl",
    "syslog",
    "vhangup",
    "iopl",
    "ioperm",
    "personality",
    "setpriority",
    "sched_setscheduler",
    "sched_setparam",
    "sched_setattr",
    "ioprio_set",
    "name_to_handle_at",
    "open_by_handle_at",
    "fanotify_init",
    "lookup_dcookie",
    "nfsservctl",
    "uselib",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsmount",
    "fspick",
    "fsconfig",
};

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(ENOSYS)), seccomp_release) {}
  explicit operator bool() const { return context_ != nullptr; }

  void allow(const char* name) { add(SCMP_ACT_ALLOW, name); }
  void refuse(const char* name) { add(SCMP_ACT_ERRNO(EPERM), name); }
  /// For calls whose first argument is (after `mask`) `value`.
  void add_if(uint32_t action, const char* name, scmp_datum_t mask, scmp_datum_t value) {
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) return;
    scmp_arg_cmp condition{.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
    note(seccomp_rule_add_array(context_.get(), action, number, 1, &condition));
  }

  Result<void> load() {
    if (failure_ == 0) {
      // Threads exist in no daemon yet; should a library have started one, it is confined, too. Slowing the
      // process down against speculation, which older kernels couple with filters, is the administrator's
      // choice.
      (void)seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_TSYNC, 1);
      (void)seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_SSB, 1);
      (void)seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
      failure_ = seccomp_load(context_.get());
    }
    if (failure_ == 0) return {};
    return std::unexpected(Error::from_errno("sandbox: system call filter", -failure_));
  }

 private:
  void add(uint32_t action, const char* name) {
    int number = seccomp_syscall_resolve_name(name);
    // Newer than the library, or of another architecture: then it is ENOSYS.
    if (number == __NR_SCMP_ERROR) return;
    note(seccomp_rule_add(context_.get(), action, number, 0));
  }
  /// Calls that this architecture does not have are no failure.
  void note(int status) {
    if (status < 0 && status != -EDOM && status != -EINVAL && failure_ == 0) failure_ = status;
  }

  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  int failure_ = 0;
};

void add_sockets(Filter& filter, const Profile& profile) {
  constexpr scmp_datum_t kWhole = ~scmp_datum_t{0};
  // Netlink: how the C library learns the addresses of this machine.
  for (int family : {AF_UNIX, AF_NETLINK})
    filter.add_if(SCMP_ACT_ALLOW, "socket", kWhole, static_cast<scmp_datum_t>(family));
  uint32_t internet = profile.connect || profile.accept_more ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES);
  for (int family : {AF_INET, AF_INET6})
    filter.add_if(internet, "socket", kWhole, static_cast<scmp_datum_t>(family));
}

}  // namespace

Result<bool> filter_system_calls(const Profile& profile) {
  if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0 && errno == EINVAL) return false;
  Filter filter;
  if (!filter) return fail(ErrorKind::system, "sandbox: system call filter: cannot be made");
  for (const char* name : kEveryone)
    filter.allow(name);
  for (const char* name : kForbidden)
    filter.refuse(name);
  for (const char* name : kIdentity)
    profile.all_files || profile.identities ? filter.allow(name) : filter.refuse(name);
  add_sockets(filter, profile);
  // Threads, but no processes. The flags of clone3() are out of a filter's reach; it is in no list, and the C
  // library then uses clone().
  filter.add_if(SCMP_ACT_ALLOW, "clone", CLONE_THREAD, CLONE_THREAD);
  filter.add_if(SCMP_ACT_ERRNO(EPERM), "clone", CLONE_THREAD, 0);
  TRY(filter.load());
  return true;
}

}  // namespace postrider::sandbox

#endif
