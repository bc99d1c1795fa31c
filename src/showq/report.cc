#include "showq/report.h"

#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "mail/quote.h"

namespace postrider::showq {

using queue::LogKind;
using queue::RecordType;

namespace {

/// Text of recipients in one entry; well below what a frame may have.
constexpr size_t kEntryText = 48 * 1024;

/// Few envelopes are longer, and nothing else of the file is read.
constexpr size_t kReadSize = 4 * 1024;

template <size_t Max>
void assign(ipc::Text<Max>& field, std::string_view text) {
  field = text.substr(0, Max);
}

}  // namespace

/// As a person may see it: external form, without control characters.
std::string Report::readable(std::string_view address) const {
  return address.empty() ? rules_.empty_address : printable(mail::quote_822_local(address));
}

Report::Report(const queue::Store& store, Message message, const Rules& rules)
    : store_(store), message_(std::move(message)), rules_(rules) {
  auto file = store.files().open(message_.path, queue::OpenMode::read);
  if (!file) {
    if (!queue::is_missing(file.error()))
      warning_ = fmt::format("open {} {}: {}", queue::queue_name(message_.queue), message_.id,
                             std::strerror(file.error().code));
    done_ = true;
    return;
  }
  file_ = std::move(*file);
  reader_.emplace(*file_, 0, queue::RecordReader::Options{.buffer = kReadSize});
}

std::optional<proto::QueueEntry> Report::next() {
  while (!done_ && !full())
    done_ = !step();
  if (!entry_) return std::nullopt;
  proto::QueueEntry out = *entry_;
  out.more = !done_;
  if (done_) {
    entry_.reset();
  } else {
    entry_->recipients.clear();
    text_ = 0;
  }
  return out;
}

bool Report::full() const {
  return text_ >= kEntryText || (entry_ && entry_->recipients.size() >= entry_->recipients.kMax);
}

/// The next record or log entry; false when there is none that is of interest.
bool Report::step() {
  if (log_) return next_status();
  auto record = reader_->next();
  return record && *record && take(**record);
}

bool Report::take(const queue::Record& record) {
  switch (record.type) {
    case RecordType::size:
      if (auto parsed = queue::SizeRecord::parse(record.data); !size_ && parsed && parsed->size > 0)
        size_ = *parsed;
      return true;
    case RecordType::arrival_time:
      if (arrival_ == 0) arrival_ = parse_int(record.data.substr(0, record.data.find(' '))).value_or(0);
      return true;
    case RecordType::sender:
      return take_sender(record.data);
    case RecordType::original_recipient:
      original_ = std::string(record.data);
      return true;
    case RecordType::done:
      ++recipients_;
      original_.clear();
      return true;
    case RecordType::recipient:
      ++recipients_;
      return take_recipient(record.data);
    case RecordType::message:
      return skip_content();
    default:
      return true;
  }
}

bool Report::take_sender(std::string_view address) {
  if (entry_) {
    warning_ = fmt::format("{}: duplicate sender address: {} -- skipping remainder of this file", message_.id,
                           readable(address));
    return false;
  }
  entry_.emplace();
  entry_->queue_name = std::string(queue::queue_name(message_.queue));
  entry_->queue_id = message_.id;
  entry_->arrival_time = arrival_ > 0 ? arrival_ : message_.status.modified;
  entry_->size = size_ ? size_->size : static_cast<int64_t>(message_.status.size);
  entry_->forced_expire = queue::is_expired(message_.status);
  assign(entry_->sender, readable(address));
  // The logs come before the recipients, as only they have reasons. They may be incomplete when deliveries
  // were interrupted.
  open_log(LogKind::defer);
  return true;
}

bool Report::take_recipient(std::string_view address) {
  std::string original = std::exchange(original_, {});
  std::string text = readable(address);
  if (!entry_) {
    warning_ =
        fmt::format("{}: missing sender address: {} -- skipping remainder of this file", message_.id, text);
    return false;
  }
  if (seen_.contains(text)) return true;
  proto::QueueRecipient one;
  assign(one.address, text);
  assign(one.original, original.empty() ? text : readable(original));
  add(std::move(one));
  return true;
}

bool Report::skip_content() {
  // Without a size, as in maildrop, the content is read over.
  if (!size_) return true;
  if (size_->recipients > 0 && recipients_ >= size_->recipients) return false;
  reader_->seek(reader_->position() + static_cast<uint64_t>(size_->size));
  return true;
}

/// Opens a log, or the one after it.
void Report::open_log(LogKind kind) {
  log_.reset();
  // Mail on its way in has none.
  if (message_.queue == queue::QueueName::maildrop) return;
  auto file = store_.open(queue::log_queue(kind), message_.id, queue::OpenMode::read);
  if (file) {
    log_ = std::make_unique<Log>(std::move(*file), kind);
  } else if (kind == LogKind::defer) {
    open_log(LogKind::bounce);
  }
}

bool Report::next_status() {
  auto status = log_->reader.next();
  if (!status || !*status) {
    if (log_->kind == LogKind::defer) {
      open_log(LogKind::bounce);
    } else {
      log_.reset();
    }
    return true;
  }
  const queue::RecipientStatus& read = **status;
  proto::QueueRecipient one;
  assign(one.address, read.recipient);
  assign(one.original, read.original.empty() ? read.recipient : read.original);
  assign(log_->kind == LogKind::defer ? one.delay_reason : one.bounce_reason, read.reason);
  if (rules_.dup_limit == 0 || seen_.size() < rules_.dup_limit) seen_.insert(read.recipient);
  add(std::move(one));
  return true;
}

void Report::add(proto::QueueRecipient recipient) {
  text_ += recipient.address.size() + recipient.original.size() + recipient.delay_reason.size() +
           recipient.bounce_reason.size();
  entry_->recipients.push_back(std::move(recipient));
}

}  // namespace postrider::showq
