#include "maildrop/drop.h"

#include <unistd.h>

#include <fmt/format.h>

#include "sys/fd.h"
#include "sys/file.h"
#include "sys/socket.h"

namespace postrider::maildrop {

using queue::RecordType;

namespace {

/// pickup need not be of the user's identity, and it is nobody's secret that there is mail to pick up: the
/// directory keeps others from reading it.
constexpr mode_t kReadableByOthers = 0044;

/// What pickup, like qmgr, takes for "look at your queue".
constexpr std::string_view kWakeUp = "W";

}  // namespace

Result<void> Drop::DirectoryMayBeUnreadable::sync(std::shared_ptr<queue::File> file,
                                                  const std::vector<std::string>& directories,
                                                  Deadline deadline) {
  std::vector<std::string> readable;
  for (const std::string& directory : directories) {
    if (sys::can_access(directory, R_OK)) readable.push_back(directory);
  }
  return PlainDurability::sync(std::move(file), readable, deadline);
}

Result<std::unique_ptr<Drop>> Drop::begin(queue::Files& files, queue::Layout layout, Options options) {
  std::unique_ptr<Drop> drop(new Drop(files, std::move(layout), options));
  auto writer = queue::MessageWriter::begin(
      drop->store_, drop->durability_,
      {.queue = queue::QueueName::maildrop, .size_record = false, .extra_mode = kReadableByOthers});
  if (!writer) return std::unexpected(std::move(writer).error());
  drop->writer_.emplace(std::move(*writer));
  drop->on_signal_.watch(drop->writer_->path());
  queue::CreationTime now = drop->writer_->created();
  drop->append(RecordType::arrival_time, fmt::format("{} {}", now.seconds, now.microseconds));
  return drop;
}

void Drop::append(RecordType type, std::string_view data) {
  if (options_.max_size > 0 && writer_->position() + queue::record_length(data.size()) > options_.max_size) {
    too_large_ = true;
  }
  if (!too_large_) writer_->append(type, data);
}

std::optional<Error> Drop::error() const {
  if (too_large_) return Error(ErrorKind::limit, "File too large");
  return writer_->error();
}

Result<void> Drop::commit() {
  if (auto failed = error()) return std::unexpected(std::move(*failed));
  TRY(writer_->commit(Deadline::never()));
  on_signal_.keep();
  return {};
}

Result<void> notify_pickup(const std::string& socket_path) {
  sys::Address address = TRY(sys::Address::from_path(socket_path));
  auto socket = sys::start_connect(address);
  if (!socket) {
    int code = socket.error().code;
    bool busy = code == EAGAIN || code == ECONNREFUSED;
    return busy ? Result<void>() : std::unexpected(std::move(socket).error());
  }
  (void)sys::write_all(socket->get(), kWakeUp);
  return {};
}

}  // namespace postrider::maildrop
