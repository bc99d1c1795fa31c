#include "table/index_table.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <thread>

#include "base/text.h"
#include "io/fiber.h"
#include "sys/file.h"

namespace postrider::table {

namespace {

constexpr int kMaxAttempts = 20;
constexpr auto kRetryOpen = std::chrono::seconds(1);
// For a table of one process: as long as its predecessor may take to end.
constexpr auto kExclusivePatience = std::chrono::seconds(10);
constexpr auto kFirstPause = std::chrono::milliseconds(2);
constexpr auto kLongestPause = std::chrono::milliseconds(100);
// A source that was just edited is about to be compiled; an older one has been forgotten.
constexpr time_t kOutdatedAfter = 100;

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Text as C programs store it ends at its first null byte.
void cut_terminator(std::string& text) {
  text.resize(std::min(text.find('\0'), text.size()));
}

}  // namespace

IndexTable::IndexTable(std::string_view type, std::string_view name, std::string_view suffix,
                       const OpenOptions& options)
    : Table(type, name, options.behaviour, options.log),
      options_(options),
      index_path_(fmt::format("{}{}", name, suffix)),
      duplicate_name_(index_path_) {}

Result<void> IndexTable::open() {
  for (int attempt = 1;; ++attempt) {
    auto opened = open_current(true);
    if (opened) break;
    // Replaced by another file just then.
    if (opened.error().kind != ErrorKind::temporary || attempt == kMaxAttempts)
      return std::unexpected(std::move(opened).error());
  }
  warn_if_outdated();
  return {};
}

void IndexTable::warn_if_outdated() {
  auto source = sys::stat_file(name());
  if (source && source->st_mtime > file_.stamp().modified.tv_sec &&
      source->st_mtime < time(nullptr) - kOutdatedAfter) {
    warn(fmt::format("database {} is older than source file {}", index_path_, name()));
  }
}

/// A process that another one makes room for gets the lock soon; one that nobody makes room for never would.
Result<void> IndexTable::lock_for_good(int fd) {
  for (Deadline deadline = Deadline::after(kExclusivePatience);;) {
    auto locked = try_lock(fd, true, false);
    if (locked || locked.error().kind != ErrorKind::temporary) return locked;
    if (deadline.passed())
      return fail(ErrorKind::system,
                  fmt::format("{}: unable to get exclusive lock: {}", spec(), strerror(EAGAIN)));
    std::this_thread::sleep_for(kFirstPause);
  }
}

Result<void> IndexTable::open_current(bool wait) {
  bool reading = options_.access == Access::read;
  int flags = reading ? O_RDONLY : options_.create_mode ? O_RDWR | O_CREAT : O_RDWR;
  auto fd = sys::open_file(index_path_, flags, options_.create_mode.value_or(0));
  if (!fd) return std::unexpected(Error::from_errno("open database " + index_path_, fd.error().code));
  TRY(wait&& exclusive() ? lock_for_good(fd -> get()) : try_lock(fd->get(), !reading, wait));
  if (open_) close_index();
  open_ = false;
  file_ = WatchedFile(index_path_, std::move(*fd), {});
  int used = TRY(open_index());
  struct stat ours = TRY(sys::stat_fd(file_.fd())), theirs = TRY(sys::stat_fd(used));
  if (!same_file(ours, theirs)) {  // Replaced between the two looks.
    close_index();
    unlock(file_.fd());
    return fail(ErrorKind::temporary, fmt::format("{} was changed by another process", index_path_));
  }
  file_.set_stamp(FileStamp::of(ours));
  owner_ = ours.st_uid;
  open_ = true;
  stale_ = false;
  with_terminator_ = options_.terminator != Terminator::never;
  without_terminator_ = options_.terminator != Terminator::always;
  if (!keeps_lock()) unlock(file_.fd());
  return {};
}

IndexTable::State IndexTable::state() {
  auto st = sys::stat_fd(file_.fd());
  if (!st) return State::rewritten;
  if (!(FileStamp::of(*st) == file_.stamp())) {
    if (!sees_changes()) return State::rewritten;
    file_.set_stamp(FileStamp::of(*st));
  }
  return st->st_nlink == 0 || file_.check_changed() ? State::replaced : State::current;
}

Result<IndexTable::Locked> IndexTable::try_acquire(bool exclusive, bool wait) {
  if (!open_) {
    if (Clock::now() < retry_at_)
      return fail(ErrorKind::system, fmt::format("{} is unavailable", log_name()));
    retry_at_ = Clock::now() + kRetryOpen;
    TRY(open_current(wait));
  }
  TRY(try_lock(file_.fd(), exclusive, wait));
  Locked locked(this);
  State now = state();
  if (now == State::current || (now == State::replaced && Clock::now() < retry_at_)) return locked;
  unlock(file_.fd());
  auto opened = open_current(wait);
  if (opened) {
    warn_if_outdated();
    TRY(try_lock(file_.fd(), exclusive, wait));
    return locked;
  }
  if (opened.error().kind == ErrorKind::temporary && now == State::rewritten)
    return std::unexpected(opened.error());
  if (!open_ || now == State::rewritten) {
    if (open_) close_index();
    open_ = false;
    return std::unexpected(opened.error());
  }
  // The old file has lost its name and is as good as it was.
  if (opened.error().kind != ErrorKind::temporary && !std::exchange(stale_, true)) {
    warn(fmt::format("{}: using the content read before: {}", log_name(), opened.error().text));
  }
  retry_at_ = Clock::now() + kRetryOpen;
  TRY(try_lock(file_.fd(), exclusive, wait));
  return locked;
}

Result<IndexTable::Locked> IndexTable::acquire(bool exclusive, Deadline deadline) {
  if (holds_lock()) return Locked(nullptr);
  Locked locked = TRY(wait_for_lock(exclusive, deadline));
  if (batch_ && !exclusive) {
    held_ = true;
    locked.keep();
  }
  return locked;
}

Result<IndexTable::Locked> IndexTable::wait_for_lock(bool exclusive, Deadline deadline) {
  for (Clock::duration pause = kFirstPause;; pause = std::min<Clock::duration>(pause * 2, kLongestPause)) {
    auto locked = try_acquire(exclusive, !io::in_fiber());
    if (locked || locked.error().kind != ErrorKind::temporary) return locked;
    if (deadline.passed())
      return fail(ErrorKind::timeout, fmt::format("{}: {}", log_name(), locked.error().text));
    if (io::in_fiber()) io::sleep_until(Deadline::after(pause).or_sooner(deadline));
  }
}

void IndexTable::end_batch() {
  batch_ = false;
  if (!std::exchange(held_, false)) return;
  end_reading();
  unlock(file_.fd());
}

Result<std::optional<std::string>> IndexTable::find(std::string_view key, Deadline deadline) {
  Locked locked = TRY(acquire(false, deadline));
  for (bool terminated : {true, false}) {
    if (!(terminated ? with_terminator_ : without_terminator_)) continue;
    // A std::string's text is followed by a null byte.
    std::string text(key);
    auto value = TRY(get(std::string_view(text.c_str(), text.size() + (terminated ? 1 : 0))));
    if (!value) continue;
    // All entries have the form of the first one that is found.
    (terminated ? without_terminator_ : with_terminator_) = false;
    cut_terminator(*value);
    return value;
  }
  return std::nullopt;
}

Result<void> IndexTable::do_put(std::string_view key, std::string_view value, Deadline deadline) {
  if (options_.access == Access::read) return not_supported("update");
  Locked locked = TRY(acquire(true, deadline));
  std::string k(key), v(value);
  size_t extra = with_terminator_ ? 1 : 0;
  bool replace = options_.duplicates == Duplicates::replace;
  if (!TRY(set({k.c_str(), k.size() + extra}, {v.c_str(), v.size() + extra}, replace))) {
    if (options_.duplicates == Duplicates::warn) {
      warn(fmt::format("{}: duplicate entry: \"{}\"", duplicate_name_, printable(key)));
    }
    return {};
  }
  return updated();
}

Result<bool> IndexTable::do_remove(std::string_view key, Deadline deadline) {
  if (options_.access == Access::read) return not_supported("delete");
  Locked locked = TRY(acquire(true, deadline));
  std::string k(key);
  for (size_t extra : {1, 0}) {
    if (!(extra == 1 ? with_terminator_ : without_terminator_)) continue;
    if (!TRY(erase({k.c_str(), k.size() + extra}))) continue;
    TRY(updated());
    return true;
  }
  return false;
}

Result<void> IndexTable::updated() {
  if (exclusive()) return {};
  TRY(sync());
  file_.set_stamp(FileStamp::of(TRY(sys::stat_fd(file_.fd()))));
  return {};
}

Result<std::optional<Entry>> IndexTable::sequence(bool first, Deadline deadline) {
  Locked locked = TRY(acquire(false, deadline));
  auto entry = TRY(step(first));
  if (entry) {
    cut_terminator(entry->key);
    cut_terminator(entry->value);
  }
  return entry;
}

}  // namespace postrider::table
