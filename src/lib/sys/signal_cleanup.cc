#include "sys/signal_cleanup.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>

namespace postrider::sys {

namespace {

constexpr int kSignals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

// Static memory: a handler may run at any moment, and what it uses must never be freed.
std::array<char, 4096> watched_path;
std::atomic<bool> watching = false;

void remove_and_end(int number) {
  if (watching.exchange(false)) ::unlink(watched_path.data());
  // With the default action, so that the parent sees which signal it was.
  signal(number, SIG_DFL);
  raise(number);
}

}  // namespace

RemoveOnSignal::RemoveOnSignal() {
  sigset_t ending;
  sigemptyset(&ending);
  for (int number : kSignals)
    sigaddset(&ending, number);
  sigprocmask(SIG_BLOCK, &ending, &before_);
}

RemoveOnSignal::~RemoveOnSignal() {
  keep();
  if (blocked_) sigprocmask(SIG_SETMASK, &before_, nullptr);
}

void RemoveOnSignal::watch(const std::string& path) {
  if (path.size() < watched_path.size()) {
    std::memcpy(watched_path.data(), path.c_str(), path.size() + 1);
    watching = true;
    for (int number : kSignals) {
      struct sigaction action{}, old{};
      action.sa_handler = remove_and_end;
      if (sigaction(number, nullptr, &old) == 0 && old.sa_handler != SIG_IGN)
        sigaction(number, &action, nullptr);
    }
  }
  if (blocked_) sigprocmask(SIG_SETMASK, &before_, nullptr);
  blocked_ = false;
}

void RemoveOnSignal::keep() {
  watching = false;
}

}  // namespace postrider::sys
