#include "queue/message_writer.h"

#include <algorithm>
#include <utility>

#include "sys/file.h"

namespace postrider::queue {

namespace {
constexpr size_t kWriteSize = 64 * 1024;
/// From the beginning of the file: type and length of the size record.
constexpr uint64_t kSizeDataOffset = 2;
constexpr uint64_t kPointerHeader = 2;
}  // namespace

Result<MessageWriter> MessageWriter::begin(Store& store, Durability& durability, Options options) {
  MessageWriter writer(store, durability, options);
  writer.made_ = TRY(store.create(options.queue, &writer.new_directories_));
  writer.current_ = options.queue;
  writer.open_ = true;
  if (options.size_record) writer.append(RecordType::size, SizeRecord().text());
  return writer;
}

MessageWriter::MessageWriter(MessageWriter&& other) noexcept
    : store_(other.store_),
      durability_(other.durability_),
      options_(other.options_),
      destination_(other.destination_),
      current_(other.current_),
      made_(std::move(other.made_)),
      new_directories_(std::move(other.new_directories_)),
      buffer_(std::move(other.buffer_)),
      written_(other.written_),
      error_(std::move(other.error_)),
      open_(std::exchange(other.open_, false)) {}

MessageWriter::~MessageWriter() {
  abort();
}

uint64_t MessageWriter::append(RecordType type, std::string_view data) {
  uint64_t offset = position();
  append_record(buffer_, type, data);
  while (buffer_.size() >= kWriteSize)
    write_out(kWriteSize);
  return offset;
}

uint64_t MessageWriter::append_pointer(uint64_t target) {
  return append(RecordType::pointer, pointer_text(target));
}

void MessageWriter::write_out(size_t count) {
  if (!error_) {
    auto done = made_.file->write_at(written_, std::string_view(buffer_).substr(0, count));
    if (!done) error_ = std::move(done).error();
  }
  written_ += count;
  buffer_.erase(0, count);
}

void MessageWriter::patch(uint64_t offset, std::string_view bytes) {
  if (offset < written_) {
    size_t before = std::min<uint64_t>(bytes.size(), written_ - offset);
    if (!error_) {
      auto done = made_.file->write_at(offset, bytes.substr(0, before));
      if (!done) error_ = std::move(done).error();
    }
    offset += before;
    bytes.remove_prefix(before);
  }
  if (bytes.empty()) return;
  size_t at = offset - written_;
  if (at + bytes.size() > buffer_.size()) {
    if (!error_) error_ = Error(ErrorKind::limit, "change behind the end of a queue file");
    return;
  }
  buffer_.replace(at, bytes.size(), bytes);
}

void MessageWriter::patch_pointer(uint64_t offset, uint64_t target) {
  patch(offset + kPointerHeader, pointer_text(target));
}

void MessageWriter::fill_size(const SizeRecord& size) {
  patch(kSizeDataOffset, size.text());
}

Result<void> MessageWriter::flush() {
  if (!buffer_.empty()) write_out(buffer_.size());
  if (error_) return std::unexpected(*error_);
  return {};
}

Result<void> MessageWriter::commit(Deadline deadline) {
  auto finished = finish(deadline);
  if (!finished) {
    abort();
    return finished;
  }
  open_ = false;
  made_.file.reset();
  return {};
}

Result<void> MessageWriter::finish(Deadline deadline) {
  if (!open_) return fail(ErrorKind::invalid, "the queue file is gone");
  TRY(flush());
  // Before the file becomes complete, so that the queue manager does not find it in the wrong queue.
  if (destination_ != current_) {
    TRY(store_.move(made_.id, current_, destination_, &new_directories_));
    current_ = destination_;
  }
  TRY(made_.file->set_mode(kCompleteMode | options_.extra_mode));
  std::vector<std::string> directories = {sys::directory_of(store_.path(current_, made_.id))};
  for (const std::string& made : new_directories_)
    directories.push_back(sys::directory_of(made));
  return durability_.sync(made_.file, directories, deadline);
}

void MessageWriter::abort() {
  if (!std::exchange(open_, false)) return;
  auto removed = store_.remove(current_, made_.id);
  // The queue manager must not deliver what was refused, even if it cannot be removed.
  if (!removed && !is_missing(removed.error())) (void)made_.file->set_mode(kIncompleteMode);
  made_.file.reset();
}

}  // namespace postrider::queue
