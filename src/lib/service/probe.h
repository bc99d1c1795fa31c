// A daemon that shows what its sandbox lets it do, instead of serving (option -P).
#pragma once

#include <string>

#include "base/result.h"
#include "sandbox/profile.h"
#include "sys/fd.h"
#include "sys/socket.h"

namespace postrider::service {

/// Made before the sandbox is entered; what it then tries shows whether the kernel keeps the profile. For the
/// test that compares docs/security.md with the programs: what it prints is for that test.
class Probe {
 public:
  /// `directory` has a file "secret" that this process could read without a sandbox.
  static Result<Probe> prepare(std::string directory);
  /// Prints the profile and what became of each attempt, and ends the process.
  [[noreturn]] void run(const sandbox::Profile& profile, const sandbox::Confinement& confinement) const;

 private:
  std::string directory_;
  sys::Fd listener_;
  sys::Address address_;
};

}  // namespace postrider::service
