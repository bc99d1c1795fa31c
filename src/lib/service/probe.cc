#include "service/probe.h"

#include <unistd.h>

#include <cstdio>

#include <fmt/format.h>

#include "sys/file.h"
#include "sys/process.h"

namespace postrider::service {

Result<Probe> Probe::prepare(std::string directory) {
  Probe out;
  out.directory_ = std::move(directory);
  out.listener_ = TRY(sys::listen_stream(*sys::Address::from_ip("127.0.0.1"), 1));
  out.address_ = TRY(sys::local_address(out.listener_.get()));
  return out;
}

void Probe::run(const sandbox::Profile& profile, const sandbox::Confinement& confinement) const {
  fmt::print("{}\n  Landlock: {}\n  system call filter: {}\n", sandbox::describe(profile),
             confinement.landlock_abi > 0 ? "yes" : "no", confinement.filtered ? "yes" : "no");
  auto attempt = [](const char* what, bool done) {
    fmt::print("  try {}: {}\n", what, done ? "done" : "refused");
  };
  attempt("read", sys::read_file(directory_ + "/secret", 100).has_value());
  attempt("write", sys::open_file(directory_ + "/secret", O_WRONLY).has_value());
  attempt("create", sys::replace_file(directory_ + "/new", "x", 0600).has_value());
  attempt("execute", sys::spawn({.argv = {"/bin/true"}}).has_value());
  pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  attempt("fork", child > 0);
  attempt("trace", sys::trace_process(::getppid()));
  attempt("signal", ::kill(::getppid(), 0) == 0);
  attempt("identity", ::setgid(::getgid()) == 0);
  attempt("connect", sys::connect_blocking(address_).has_value());
  attempt("listen", sys::listen_stream(*sys::Address::from_ip("127.0.0.1"), 1).has_value());
  ::fflush(stdout);
  ::_exit(0);
}

}  // namespace postrider::service
