#include "flush/ledger.h"

#include <memory>
#include <unordered_set>

#include "base/text.h"
#include "queue/id.h"

namespace postrider::flush {

using queue::QueueName;

namespace {

constexpr size_t kReadSize = 64 * 1024;

/// Ids that are remembered so as not to be handed out twice. With more of them, some may be.
constexpr size_t kMaxRemembered = 100'000;

/// The ids of a list, in bounded memory. Lines that are no ids are left out.
Result<void> each_id(queue::File& file, const std::function<void(const std::string&)>& take) {
  std::string buffer;
  uint64_t offset = 0;
  for (;;) {
    size_t have = buffer.size();
    buffer.resize(have + kReadSize);
    size_t count = TRY(file.read_at(offset, buffer.data() + have, kReadSize));
    buffer.resize(have + count);
    offset += count;
    size_t start = 0;
    for (size_t end; (end = buffer.find('\n', start)) != buffer.npos; start = end + 1) {
      std::string id = buffer.substr(start, end - start);
      if (queue::is_valid_id(id)) take(id);
    }
    buffer.erase(0, start);
    // No id is so long: whatever this is, it ends somewhere.
    if (buffer.size() > queue::kMaxIdLength) buffer.resize(1, '?');
    if (count == 0) return {};
  }
}

}  // namespace

std::string ledger_name(std::string_view site) {
  std::string out;
  for (char c : site.substr(0, queue::kMaxIdLength))
    out += is_alnum(c) ? to_lower(c) : '_';
  return out;
}

Result<void> Ledger::add(const std::string& name, std::string_view queue_id) const {
  for (;;) {
    auto file = TRY(store_.open(QueueName::flush, name, queue::OpenMode::append));
    TRY(file->lock_exclusive(true));
    auto status = TRY(file->status());
    // While this waited for the lock an empty list may have been removed.
    if (status.links == 0) continue;
    TRY(file->write_at(status.size, std::string(queue_id) + "\n"));
    // The time of the file is that of its first entry, so that a list that always grows gets old, too.
    return status.size > 0 ? file->set_time(status.modified) : Result<void>();
  }
}

Result<void> Ledger::drain(const std::string& name,
                           const std::function<void(const std::string&)>& take) const {
  auto file = store_.open(QueueName::flush, name, queue::OpenMode::read_write);
  if (!file)
    return queue::is_missing(file.error()) ? Result<void>() : std::unexpected(std::move(file).error());
  TRY((*file)->lock_exclusive(true));
  std::unordered_set<std::string> seen;
  TRY(each_id(
      **file,
      [&](const std::string& id) {
        if (seen.size() >= kMaxRemembered) seen.clear();
        if (seen.insert(id).second) take(id);
      }));
  return (*file)->truncate(0);
}

Result<void> Ledger::remove_empty(const std::string& name) const {
  auto file = store_.open(QueueName::flush, name, queue::OpenMode::read_write);
  if (!file)
    return queue::is_missing(file.error()) ? Result<void>() : std::unexpected(std::move(file).error());
  TRY((*file)->lock_exclusive(false));
  if (TRY((*file)->status()).size > 0) return {};
  return store_.remove(QueueName::flush, name);
}

}  // namespace postrider::flush
