#include "tools/postsuper/superintendent.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "log/log.h"

namespace postrider::postsuper {

using queue::QueueName;

namespace {

/// Ends the names of files that are being renamed. No valid id has it, so the queue manager lets them be.
constexpr std::string_view kSuffix = "#FIX";
constexpr int64_t kMaxTemporaryAge = 7 * 24 * 60 * 60;
constexpr size_t kMaxDepth = 16;
/// A file may move from one queue into another that was looked at before.
constexpr int kTries = 2;
constexpr QueueName kLogQueues[] = {QueueName::bounce, QueueName::defer, QueueName::trace};

bool is_message_queue(QueueName queue) {
  switch (queue) {
    case QueueName::maildrop:
    case QueueName::incoming:
    case QueueName::active:
    case QueueName::deferred:
    case QueueName::hold:
      return true;
    default:
      return false;
  }
}

/// Whether the action is for messages of this queue.
bool concerns(Action action, QueueName queue) {
  if (!is_message_queue(queue)) return false;
  switch (action) {
    case Action::remove:
      return true;
    case Action::requeue:
    case Action::expire:
    case Action::expire_and_release:
      return queue != QueueName::maildrop;
    case Action::hold:
      return queue != QueueName::maildrop && queue != QueueName::hold;
    case Action::release:
      return queue == QueueName::hold;
  }
  return false;
}

/// The error in the words "what: reason".
std::string explain(std::string_view what, const Error& error) {
  return Error::from_errno(what, error.code).text;
}

}  // namespace

// --- files ---

bool Superintendent::remove_file(const std::string& path) {
  auto removed = store_.files().unlink(path);
  if (removed) {
    log::debug("removed file {}", path);
  } else if (!queue::is_missing(removed.error())) {
    log::warning("{}", explain("remove file " + path, removed.error()));
  }
  return removed.has_value();
}

bool Superintendent::rename_file(const std::string& from, const std::string& to) {
  auto renamed = store_.rename(from, to);
  if (renamed) {
    log::debug("renamed file {} as {}", from, to);
  } else if (!queue::is_missing(renamed.error())) {
    log::warning("{}", explain(fmt::format("rename file {} as {}", from, to), renamed.error()));
  }
  return renamed.has_value();
}

void Superintendent::remove_subdirectory(const std::string& path, const char* kind) {
  auto removed = store_.files().remove_directory(path);
  if (removed) {
    log::debug("remove {} {}", kind, path);
  } else if (!queue::is_missing(removed.error())) {
    log::warning("{}", explain(fmt::format("remove {} {}", kind, path), removed.error()));
  }
}

// --- single messages ---

std::optional<Superintendent::Found> Superintendent::find(QueueName queue, std::string_view id) const {
  Found file{queue, store_.path(queue, id), std::string(id), {}};
  auto status = store_.files().status(file.path);
  if (!status) {
    if (!queue::is_missing(status.error())) log::warning("{}", explain(file.path, status.error()));
    return std::nullopt;
  }
  if (status->type != queue::FileType::regular) {
    log::warning("{}: uid {}: not a regular file", file.path, status->owner);
    return std::nullopt;
  }
  if (!queue::is_complete(*status)) return std::nullopt;
  file.status = *status;
  return file;
}

bool Superintendent::apply(Action action, const Queues& queues, std::string_view id) {
  if (!queue::is_valid_id(id)) {
    log::warning("invalid mail queue id: {}", id);
    return false;
  }
  for (int tries = 0; tries < kTries; ++tries) {
    for (QueueName queue : queues) {
      if (!concerns(action, queue)) continue;
      auto file = find(queue, id);
      if (!file) continue;
      if (action == Action::remove) {
        for (QueueName logs : kLogQueues)
          (void)remove_file(store_.path(logs, id));
      }
      if (act(action, *file, true)) return true;
    }
  }
  return false;
}

bool Superintendent::move(const Found& file, QueueName to) {
  return rename_file(file.path, store_.path(to, file.name));
}

bool Superintendent::act(Action action, const Found& file, bool each) {
  auto report = [&](int& count, const char* text) {
    ++count;
    if (each) log::info("{}: {}", file.name, text);
    return true;
  };
  switch (action) {
    case Action::remove:
      return remove_file(file.path) && report(counts_.removed, "removed");
    case Action::requeue: {
      if (!move(file, QueueName::maildrop)) return false;
      // The time of the next try in the deferred queue means nothing there.
      auto set = store_.set_next_try(QueueName::maildrop, file.name, now_);
      if (!set) log::warning("{}", explain(fmt::format("{}: reset time stamps", file.name), set.error()));
      return report(counts_.requeued, "requeued");
    }
    case Action::hold:
      return move(file, QueueName::hold) && report(counts_.held, "placed on hold");
    case Action::release:
      return move(file, QueueName::deferred) && report(counts_.released, "released from hold");
    case Action::expire:
      return expire(file, each);
    case Action::expire_and_release: {
      bool expired = expire(file, each);
      if (file.queue != QueueName::hold) return expired;
      return move(file, QueueName::deferred) && report(counts_.released, "released from hold");
    }
  }
  return false;
}

/// Whether the message is there and to be returned.
bool Superintendent::expire(const Found& file, bool each) {
  if (!queue::is_complete(file.status)) return false;
  if (queue::is_expired(file.status)) return true;
  auto set = store_.files().set_mode(file.path, file.status.mode | queue::kExpiredMode);
  if (!set) {
    if (!queue::is_missing(set.error())) log::warning("{}", explain("expire file " + file.path, set.error()));
    return false;
  }
  ++counts_.expired;
  if (each) log::info("{}: expired", file.name);
  return true;
}

// --- whole queues ---

Result<void> Superintendent::sweep(const Sweep& what, const Queues& queues) {
  for (QueueName queue : queues) {
    if (stopped_) break;
    log::debug("queue: {}", queue_name(queue));
    TRY(walk(what, queue, store_.directory(queue), 0));
  }
  return {};
}

/// Names of one character are subdirectories; those below the configured depth are removed when they are
/// empty.
Result<void> Superintendent::walk(const Sweep& what, QueueName queue, const std::string& directory,
                                  size_t depth) {
  auto opened = store_.files().open_directory(directory);
  if (!opened) {
    if (depth > 0 && queue::is_missing(opened.error())) return {};
    return fail(ErrorKind::system, explain("open directory " + directory, opened.error()));
  }
  for (;;) {
    auto name = TRY((*opened)->next());
    if (!name || stopped_) break;
    Found file{queue, directory + '/' + *name, *name, {}};
    auto status = store_.files().status(file.path);
    if (!status) continue;
    file.status = *status;
    if (file.name.size() == 1 && status->type == queue::FileType::directory && depth < kMaxDepth) {
      TRY(walk(what, queue, file.path, depth + 1));
      continue;
    }
    visit(what, file);
  }
  size_t wanted = store_.is_hashed(queue) ? static_cast<size_t>(std::max(store_.layout().hash_depth, 0)) : 0;
  if (depth > wanted) remove_subdirectory(directory, "directory");
  return {};
}

void Superintendent::visit(const Sweep& what, Found& file) {
  if (file.status.type == queue::FileType::directory) return remove_subdirectory(file.path, "subdirectory");
  if (discard(what, file)) return;
  if (what.structure && file.name.size() > kSuffix.size() && file.name.ends_with(kSuffix)) {
    if (!take_off_suffix(file)) return;
    file.name.resize(file.name.size() - kSuffix.size());
    file.path = store_.path(file.queue, file.name);
  }
  // The name of a message begins with its time; what follows is an inode number, if not always the right one.
  bool like_a_message = !is_message_queue(file.queue) || file.name.size() == queue::kShortTimeDigits ||
                        (file.name.size() > queue::kShortTimeDigits && queue::inode_of_id(file.name));
  if (!queue::is_valid_id(file.name) || !like_a_message) {
    log::warning("bogus file name: {}", file.path);
    return;
  }
  if (what.structure && is_message_queue(file.queue) && !names_inode(what, file.name, file.status.inode)) {
    (void)rename_after_inode(file);
    return;
  }
  // What is still being written stays where its writer looks for it.
  if (what.action && concerns(*what.action, file.queue) && queue::is_complete(file.status))
    (void)act(*what.action, file, false);
  if (!what.structure) return;
  std::string right = store_.path(file.queue, file.name);
  if (right == file.path) return;
  ++counts_.misplaced;
  (void)rename_file(file.path, right);
}

/// Removes a file that is not to stay, whatever its name; whether it was one.
bool Superintendent::discard(const Sweep& what, const Found& file) {
  if (what.action == Action::remove) {
    bool counts = is_message_queue(file.queue) && queue::is_complete(file.status);
    if (remove_file(file.path) && counts) ++counts_.removed;
    return true;
  }
  bool leftover = what.purge && is_message_queue(file.queue) && !queue::is_complete(file.status) &&
                  now_ > file.status.modified + kMaxTemporaryAge;
  if (file.status.type == queue::FileType::regular && !leftover) return false;
  (void)remove_file(file.path);
  return true;
}

/// From "id#FIX" to "id", when all is well with the id.
bool Superintendent::take_off_suffix(const Found& file) {
  std::string id = file.name.substr(0, file.name.size() - kSuffix.size());
  if (!queue::is_valid_id(id)) {
    log::warning("bogus file name: {}", file.path);
    return false;
  }
  bool message = is_message_queue(file.queue);
  if (message && queue::inode_of_id(id) != file.status.inode) {
    log::warning("name/inode mismatch: {}", file.path);
    return false;
  }
  if (!rename_file(file.path, store_.path(file.queue, id))) return false;
  if (message) ++counts_.renamed;
  return true;
}

bool Superintendent::names_inode(const Sweep& what, std::string_view id, uint64_t inode) const {
  if (!queue::is_long_id(id)) return queue::inode_of_id(id) == inode;
  return store_.layout().long_ids && (!what.check_long_ids || queue::inode_of_id(id) == inode);
}

/// The logs first, so that a pass that was interrupted can be repeated: the new name depends on the old one
/// and the inode alone.
bool Superintendent::rename_after_inode(const Found& file) {
  ++counts_.misnamed;
  std::string id = queue::id_for_inode(file.name, file.status.inode, store_.layout().long_ids);
  for (QueueName logs : kLogQueues) {
    std::string old_path = store_.path(logs, file.name);
    if (!store_.files().status(old_path)) continue;
    (void)rename_file(old_path, store_.path(logs, id) + std::string(kSuffix));
  }
  return rename_file(file.path, store_.path(file.queue, id) + std::string(kSuffix));
}

}  // namespace postrider::postsuper
