#include "support/fault_files.h"

#include <algorithm>
#include <cerrno>

#include "sys/file.h"

namespace postrider::test {

using queue::FileStatus;
using queue::FileType;

namespace {
constexpr size_t kSector = 512;

std::unexpected<Error> failure(const std::string& what, int error) {
  return std::unexpected(Error::from_errno(what, error));
}
}  // namespace

struct FaultFiles::Node {
  FileType type = FileType::regular;
  uint64_t inode = 0;
  uint64_t links = 1;
  std::string content;
  std::string durable_content;
  mode_t mode = 0;
  mode_t durable_mode = 0;
  int64_t modified = 0;
};

/// An open file. It keeps its node when the name goes.
class FaultFile final : public queue::File {
 public:
  FaultFile(FaultFiles& files, FaultFiles::NodePointer node, std::string path, bool writable)
      : files_(files), node_(std::move(node)), path_(std::move(path)), writable_(writable) {}

  Result<size_t> read_at(uint64_t offset, char* data, size_t size) override {
    std::lock_guard lock(files_.mutex_);
    TRY(files_.count());
    if (offset >= node_->content.size()) return 0;
    size_t count = std::min<size_t>(size, node_->content.size() - offset);
    node_->content.copy(data, count, offset);
    return count;
  }

  Result<void> write_at(uint64_t offset, std::string_view data) override {
    std::lock_guard lock(files_.mutex_);
    if (!writable_) return failure("write " + path_, EBADF);
    auto counted = files_.count();
    if (!counted) data = data.substr(0, data.size() / 2);
    if (node_->content.size() < offset + data.size()) node_->content.resize(offset + data.size());
    node_->content.replace(offset, data.size(), data);
    node_->modified = files_.now_;
    return counted;
  }

  Result<void> truncate(uint64_t size) override {
    return change([&] { node_->content.resize(size); });
  }
  Result<void> set_mode(mode_t mode) override {
    return change([&] { node_->mode = mode; });
  }
  Result<void> set_time(int64_t seconds) override {
    return change([&] { node_->modified = seconds; });
  }
  Result<void> sync() override {
    std::unique_lock lock(files_.mutex_);
    files_.wait_for_release(lock);
    TRY(files_.count());
    node_->durable_content = node_->content;
    node_->durable_mode = node_->mode;
    return {};
  }
  Result<FileStatus> status() override {
    std::lock_guard lock(files_.mutex_);
    TRY(files_.count());
    return FileStatus{.type = node_->type,
                      .inode = node_->inode,
                      .links = node_->links,
                      .size = node_->content.size(),
                      .mode = node_->mode,
                      .owner = 0,
                      .modified = node_->modified,
                      .changed = files_.now_};
  }
  Result<void> lock_exclusive(bool) override {
    return change([] {});
  }
  Result<void> lock_shared(bool) override {
    return change([] {});
  }

 private:
  template <typename Body>
  Result<void> change(Body body) {
    std::lock_guard lock(files_.mutex_);
    TRY(files_.count());
    body();
    return {};
  }

  FaultFiles& files_;
  FaultFiles::NodePointer node_;
  std::string path_;
  bool writable_;
};

namespace {

class FaultDirectory final : public queue::Directory {
 public:
  explicit FaultDirectory(std::vector<std::string> names) : names_(std::move(names)) {}
  Result<std::optional<std::string>> next() override {
    if (names_.empty()) return std::nullopt;
    std::string name = std::move(names_.back());
    names_.pop_back();
    return name;
  }

 private:
  std::vector<std::string> names_;
};

}  // namespace

FaultFiles::FaultFiles() = default;
FaultFiles::~FaultFiles() = default;

// --- faults ---

size_t FaultFiles::calls() const {
  std::lock_guard lock(mutex_);
  return calls_;
}

void FaultFiles::fail_at(size_t n, int error) {
  std::lock_guard lock(mutex_);
  fail_call_ = calls_ + n;
  fail_error_ = error;
}

void FaultFiles::crash_at(size_t n) {
  std::lock_guard lock(mutex_);
  crash_call_ = calls_ + n;
}

Result<void> FaultFiles::count() {
  ++calls_;
  if (calls_ == fail_call_) return failure("injected fault", fail_error_);
  if (crash_call_ != 0 && calls_ >= crash_call_) return failure("crashed", EIO);
  return {};
}

void FaultFiles::hold_syncs(bool on) {
  std::lock_guard lock(mutex_);
  holding_ = on;
  released_.notify_all();
}

void FaultFiles::wait_for_release(std::unique_lock<std::mutex>& lock) {
  released_.wait(lock, [&] { return !holding_; });
}

void FaultFiles::restart(Crash crash, unsigned seed) {
  std::lock_guard lock(mutex_);
  std::mt19937 random(seed);
  auto keep_it = [&] { return crash == Crash::keeps_some && random() % 2 == 0; };
  bool all_names = crash == Crash::keeps_names || crash == Crash::keeps_all;
  for (const Change& change : unsynced_) {
    if (all_names || keep_it()) apply(durable_, change);
  }
  unsynced_.clear();
  names_ = durable_;
  // A name below a directory that is lost cannot be reached.
  std::erase_if(names_, [&](const auto& entry) { return !check_parent(entry.first); });
  durable_ = names_;
  for (auto& [path, node] : names_) {
    if (crash == Crash::keeps_all) {
      node->durable_content = node->content;
    } else if (crash == Crash::keeps_some) {
      std::string kept = node->durable_content;
      if (node->content.size() > kept.size()) {
        kept.resize(kept.size() + random() % (node->content.size() - kept.size() + 1));
      }
      for (size_t at = 0; at < std::min(kept.size(), node->content.size()); at += kSector) {
        if (random() % 2 == 0) {
          size_t end = std::min({at + kSector, kept.size(), node->content.size()});
          kept.replace(at, end - at, node->content, at, end - at);
        }
      }
      node->durable_content = kept;
    }
    if (all_names || keep_it()) node->durable_mode = node->mode;
    node->content = node->durable_content;
    node->mode = node->durable_mode;
  }
  fail_call_ = crash_call_ = 0;
}

// --- looking in from outside ---

std::string FaultFiles::content(const std::string& path) const {
  std::lock_guard lock(mutex_);
  auto node = find(path);
  return node ? (*node)->content : std::string();
}

std::vector<std::string> FaultFiles::all_files() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, node] : names_) {
    if (node->type == FileType::regular) paths.push_back(path);
  }
  return paths;
}

void FaultFiles::set_content(const std::string& path, std::string content) {
  std::lock_guard lock(mutex_);
  if (auto node = find(path)) (*node)->content = (*node)->durable_content = std::move(content);
}

size_t FaultFiles::directory_syncs(const std::string& path) const {
  std::lock_guard lock(mutex_);
  auto it = directory_syncs_.find(path);
  return it == directory_syncs_.end() ? 0 : it->second;
}

// --- names ---

Result<FaultFiles::NodePointer> FaultFiles::find(const std::string& path) const {
  auto it = names_.find(path);
  if (it == names_.end()) return failure(path, ENOENT);
  return it->second;
}

bool FaultFiles::is_directory(const std::string& path) const {
  if (path == "." || path == "/") return true;
  auto it = names_.find(path);
  return it != names_.end() && it->second->type == FileType::directory;
}

Result<void> FaultFiles::check_parent(const std::string& path) const {
  if (!is_directory(sys::directory_of(path))) return failure(path, ENOENT);
  return {};
}

void FaultFiles::apply(std::map<std::string, NodePointer>& names, const Change& change) {
  if (!change.from.empty()) names.erase(change.from);
  if (!change.to.empty()) names[change.to] = change.node;
}

void FaultFiles::record(std::string from, std::string to, NodePointer node) {
  Change change{std::move(from), std::move(to), std::move(node)};
  apply(names_, change);
  unsynced_.push_back(std::move(change));
}

Result<std::shared_ptr<queue::File>> FaultFiles::open(const std::string& path, queue::OpenMode mode) {
  if (mode == queue::OpenMode::append) {
    auto made = create(path, 0600);
    if (made || !queue::already_exists(made.error())) return made;
  }
  std::lock_guard lock(mutex_);
  TRY(count());
  return std::make_shared<FaultFile>(*this, TRY(find(path)), path, mode != queue::OpenMode::read);
}

Result<std::shared_ptr<queue::File>> FaultFiles::create(const std::string& path, mode_t mode) {
  std::lock_guard lock(mutex_);
  TRY(count());
  TRY(check_parent(path));
  if (names_.contains(path)) return failure("create " + path, EEXIST);
  auto node = std::make_shared<Node>();
  node->inode = next_inode_++;
  node->mode = node->durable_mode = mode;
  node->modified = now_;
  record("", path, node);
  return std::make_shared<FaultFile>(*this, node, path, true);
}

Result<void> FaultFiles::move(const std::string& from, const std::string& to, bool replace) {
  std::lock_guard lock(mutex_);
  TRY(count());
  NodePointer node = TRY(find(from));
  TRY(check_parent(to));
  if (!replace && names_.contains(to)) return failure("rename " + from, EEXIST);
  record(from, to, node);
  return {};
}

Result<void> FaultFiles::rename(const std::string& from, const std::string& to) {
  return move(from, to, true);
}
Result<void> FaultFiles::rename_new(const std::string& from, const std::string& to) {
  return move(from, to, false);
}

Result<void> FaultFiles::link(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  TRY(count());
  NodePointer node = TRY(find(from));
  TRY(check_parent(to));
  if (names_.contains(to)) return failure("link " + from, EEXIST);
  ++node->links;
  record("", to, node);
  return {};
}

Result<void> FaultFiles::unlink(const std::string& path) {
  std::lock_guard lock(mutex_);
  TRY(count());
  NodePointer node = TRY(find(path));
  --node->links;
  record(path, "", node);
  return {};
}

Result<void> FaultFiles::set_mode(const std::string& path, mode_t mode) {
  std::lock_guard lock(mutex_);
  TRY(count());
  TRY(find(path))->mode = mode;
  return {};
}

Result<void> FaultFiles::set_time(const std::string& path, int64_t seconds) {
  std::lock_guard lock(mutex_);
  TRY(count());
  TRY(find(path))->modified = seconds;
  return {};
}

Result<FileStatus> FaultFiles::status(const std::string& path) {
  NodePointer node;
  {
    std::lock_guard lock(mutex_);
    node = TRY(find(path));
  }
  return FaultFile(*this, node, path, false).status();
}

Result<void> FaultFiles::make_directory(const std::string& path, mode_t mode) {
  std::lock_guard lock(mutex_);
  TRY(count());
  TRY(check_parent(path));
  if (names_.contains(path)) return failure("mkdir " + path, EEXIST);
  auto node = std::make_shared<Node>();
  node->type = FileType::directory;
  node->inode = next_inode_++;
  node->mode = node->durable_mode = mode;
  record("", path, node);
  return {};
}

Result<void> FaultFiles::remove_directory(const std::string& path) {
  std::lock_guard lock(mutex_);
  TRY(count());
  if (!is_directory(path)) return failure("rmdir " + path, ENOENT);
  for (const auto& entry : names_) {
    if (sys::directory_of(entry.first) == path) return failure("rmdir " + path, ENOTEMPTY);
  }
  record(path, "", TRY(find(path)));
  return {};
}

Result<std::unique_ptr<queue::Directory>> FaultFiles::open_directory(const std::string& path) {
  std::lock_guard lock(mutex_);
  TRY(count());
  if (!is_directory(path)) return failure("open directory " + path, names_.contains(path) ? ENOTDIR : ENOENT);
  std::vector<std::string> names;
  for (const auto& entry : names_) {
    if (sys::directory_of(entry.first) == path) names.emplace_back(sys::base_name(entry.first));
  }
  return std::make_unique<FaultDirectory>(std::move(names));
}

Result<void> FaultFiles::sync_directory(const std::string& path) {
  std::unique_lock lock(mutex_);
  wait_for_release(lock);
  TRY(count());
  if (!is_directory(path)) return failure("sync " + path, ENOENT);
  ++directory_syncs_[path];
  std::vector<Change> rest;
  for (Change& change : unsynced_) {
    bool touches = (!change.from.empty() && sys::directory_of(change.from) == path) ||
                   (!change.to.empty() && sys::directory_of(change.to) == path);
    if (!touches) {
      rest.push_back(std::move(change));
      continue;
    }
    apply(durable_, change);
    // What happened to this file before cannot come back over it.
    std::erase_if(rest, [&](const Change& before) { return before.node == change.node; });
  }
  unsynced_ = std::move(rest);
  return {};
}

}  // namespace postrider::test
