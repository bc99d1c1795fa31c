#include "queue/store.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sys/file.h"

namespace postrider::queue {

namespace {

constexpr std::array<std::string_view, 11> kNames = {"maildrop", "incoming", "active", "deferred",
                                                     "hold",     "corrupt",  "defer",  "bounce",
                                                     "trace",    "flush",    "saved"};

constexpr mode_t kDirectoryMode = 0700;
/// Deeper than any configuration makes them; a scan must end.
constexpr size_t kMaxScanDepth = 16;
/// How often a name that is taken is replaced by another before something else must be wrong.
constexpr int kNameTries = 100;
/// Of a file in saved/.
constexpr size_t kMaxKeptName = 250;

}  // namespace

std::string_view queue_name(QueueName queue) {
  return kNames[static_cast<size_t>(queue)];
}

std::optional<QueueName> find_queue(std::string_view name) {
  auto it = std::ranges::find(kNames, name);
  if (it == kNames.end()) return std::nullopt;
  return static_cast<QueueName>(it - kNames.begin());
}

// --- paths ---

bool Store::is_hashed(QueueName queue) const {
  return std::ranges::find(layout_.hashed, queue_name(queue)) != layout_.hashed.end();
}

std::string Store::directory(QueueName queue) const {
  std::string_view name = queue_name(queue);
  return layout_.directory.empty() ? std::string(name) : fmt::format("{}/{}", layout_.directory, name);
}

std::string Store::path(QueueName queue, std::string_view id) const {
  std::string path = directory(queue) + '/';
  if (is_hashed(queue)) {
    std::string digits = hash_digits(id);
    for (size_t level = 0; level < static_cast<size_t>(std::max(layout_.hash_depth, 0)); ++level) {
      path += level < digits.size() ? digits[level] : '_';
      path += '/';
    }
  }
  path += id;
  return path;
}

Result<void> Store::make_parents(const std::string& path, std::vector<std::string>* new_directories) const {
  std::vector<std::string> missing = {sys::directory_of(path)};
  auto make = [&]() -> Result<void> {
    auto made = files_.make_directory(missing.back(), kDirectoryMode);
    if (!made) return already_exists(made.error()) ? Result<void>() : made;
    if (new_directories != nullptr) new_directories->push_back(missing.back());
    return {};
  };
  // Up to where something exists, and down again. The queue directory itself is the administrator's to make.
  auto made = make();
  while (!made && is_missing(made.error()) && missing.size() < kMaxScanDepth) {
    std::string above = sys::directory_of(missing.back());
    if (above == layout_.directory) return made;
    missing.push_back(std::move(above));
    made = make();
  }
  for (missing.pop_back(); made && !missing.empty(); missing.pop_back())
    made = make();
  return made;
}

Result<void> Store::rename_to(const std::string& from, const std::string& to, bool replace,
                              std::vector<std::string>* new_directories) const {
  auto rename = [&] { return replace ? files_.rename(from, to) : files_.rename_new(from, to); };
  auto renamed = rename();
  if (renamed || !is_missing(renamed.error())) return renamed;
  // Either the directory is missing or the file.
  if (auto made = make_parents(to, new_directories); !made) return made;
  return rename();
}

// --- files ---

Result<NewFile> Store::create(QueueName queue, std::vector<std::string>* new_directories) const {
  // The id has the inode number in it, so the file must exist before its name does.
  NewFile made;
  std::string temporary;
  for (int tries = 1;; ++tries) {
    temporary = fmt::format("{}/{}.{}", directory(queue), CreationTime::now().microseconds, getpid());
    auto file = files_.create(temporary, kIncompleteMode);
    if (file) {
      made.file = std::move(*file);
      break;
    }
    if (!already_exists(file.error()) || tries == kNameTries) return std::unexpected(std::move(file).error());
  }
  auto named = [&]() -> Result<void> {
    uint64_t inode = TRY(made.file->status()).inode;
    for (int tries = 1;; ++tries) {
      made.created = CreationTime::now();
      made.id = layout_.long_ids ? long_id(made.created, inode) : short_id(made.created, inode);
      made.path = path(queue, made.id);
      auto renamed = rename_to(temporary, made.path, false, new_directories);
      if (renamed) return {};
      if (!already_exists(renamed.error()) || tries == kNameTries) return renamed;
    }
  }();
  if (!named) {
    (void)files_.unlink(temporary);
    return std::unexpected(std::move(named).error());
  }
  return made;
}

Result<std::shared_ptr<File>> Store::open(QueueName queue, std::string_view id, OpenMode mode,
                                          std::vector<std::string>* new_directories) const {
  std::string where = path(queue, id);
  auto file = files_.open(where, mode);
  if (file || mode != OpenMode::append || !is_missing(file.error())) return file;
  TRY(make_parents(where, new_directories));
  return files_.open(where, mode);
}

Result<FileStatus> Store::status(QueueName queue, std::string_view id) const {
  return files_.status(path(queue, id));
}

Result<void> Store::move(std::string_view id, QueueName from, QueueName to,
                         std::vector<std::string>* new_directories) const {
  return rename_to(path(from, id), path(to, id), true, new_directories);
}

Result<void> Store::remove(QueueName queue, std::string_view id) const {
  return remove_file(path(queue, id), id);
}

Result<void> Store::remove_file(const std::string& path, std::string_view name) const {
  if (!layout_.keep_removed) return files_.unlink(path);
  std::string kept = directory(QueueName::saved) + "/" + std::string(name);
  while (files_.status(kept)) {
    kept += '+';
    if (kept.size() > kMaxKeptName) return fail(ErrorKind::limit, kept + ": the name is too long");
  }
  return files_.rename(path, kept);
}

Result<void> Store::set_next_try(QueueName queue, std::string_view id, int64_t when) const {
  return files_.set_time(path(queue, id), when);
}

// --- scanning ---

Scan::Scan(Files& files, std::string directory) : files_(files), top_(std::move(directory)) {}

Result<std::optional<Scan::Entry>> Scan::next() {
  if (!opened_) {
    levels_.push_back({top_, TRY(files_.open_directory(top_))});
    opened_ = true;
  }
  while (!levels_.empty()) {
    Level& level = levels_.back();
    auto name = TRY(level.directory->next());
    if (!name) {
      levels_.pop_back();
      continue;
    }
    std::string path = level.path + '/' + *name;
    if (name->size() > 1) return Entry{std::move(*name), std::move(path)};
    if (levels_.size() >= kMaxScanDepth) continue;
    auto below = files_.open_directory(path);
    // Subdirectories may be removed while they are listed; what cannot be opened holds no mail for us.
    if (below) levels_.push_back({std::move(path), std::move(*below)});
  }
  return std::nullopt;
}

}  // namespace postrider::queue
