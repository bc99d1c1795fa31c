#include "queue/delivery_log.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "io/offload.h"
#include "queue/record.h"
#include "sys/file.h"

namespace postrider::queue {

namespace {

constexpr size_t kReadSize = 8 * 1024;
/// Longer lines are cut; no status text is that long.
constexpr size_t kMaxLine = 64 * 1024;

constexpr std::string_view kRecipient = "recipient";
constexpr std::string_view kOriginal = "original_recipient";
constexpr std::string_view kOffset = "offset";
constexpr std::string_view kDsnOriginal = "dsn_orig_rcpt";
constexpr std::string_view kNotify = "notify_flags";
constexpr std::string_view kStatus = "status";
constexpr std::string_view kAction = "action";
constexpr std::string_view kDiagnosticType = "diag_type";
constexpr std::string_view kDiagnosticText = "diag_text";
constexpr std::string_view kMtaType = "mta_type";
constexpr std::string_view kMtaName = "mta_mname";
constexpr std::string_view kReason = "reason";

void add_line(std::string& out, std::string_view name, std::string_view value) {
  out += fmt::format("{}={}\n", name, printable(value));
}

void add_pair(std::string& out, std::string_view name, std::string_view value, std::string_view other_name,
              std::string_view other_value) {
  if (value.empty() || other_value.empty()) return;
  add_line(out, name, value);
  add_line(out, other_name, other_value);
}

void take_attribute(RecipientStatus& entry, std::string_view name, std::string_view value) {
  const std::pair<std::string_view, std::string*> texts[] = {
      {kRecipient, &entry.recipient},
      {kOriginal, &entry.original},
      {kDsnOriginal, &entry.dsn_original},
      {kStatus, &entry.status},
      {kAction, &entry.action},
      {kDiagnosticType, &entry.diagnostic_type},
      {kDiagnosticText, &entry.diagnostic_text},
      {kMtaType, &entry.mta_type},
      {kMtaName, &entry.mta_name},
      {kReason, &entry.reason},
  };
  for (auto [known, field] : texts) {
    if (name == known) *field = value;
  }
  if (name == kOffset) entry.offset = parse_unsigned(value).value_or(0);
  if (name == kNotify)
    entry.notify = static_cast<int>(std::min<uint64_t>(parse_unsigned(value).value_or(0), 0xff));
}

/// "<address>: text", which precedes the attributes; before Postfix 2.3 it was all there was.
void take_headline(RecipientStatus& entry, std::string_view line) {
  size_t end = line.find(">: ");
  if (end == std::string_view::npos) return;
  if (entry.recipient.empty()) entry.recipient = line.substr(1, end - 1);
  if (entry.reason.empty()) entry.reason = line.substr(end + 3);
}

void take_line(RecipientStatus& entry, std::string_view line) {
  if (line.front() == '<') return take_headline(entry, line);
  auto attribute = parse_attribute(line);
  if (attribute) take_attribute(entry, attribute->name, attribute->value);
}

/// Whether an entry begins with this line: each has one headline, then one recipient.
bool begins_entry(std::string_view line) {
  if (line.front() == '<') return line.find(">: ") != std::string_view::npos;
  auto attribute = parse_attribute(line);
  return attribute && attribute->name == kRecipient;
}

void set_defaults(RecipientStatus& entry, LogKind kind) {
  if (entry.status.empty()) entry.status = kind == LogKind::bounce ? "5.0.0" : "4.0.0";
  if (entry.action.empty()) entry.action = kind == LogKind::bounce ? "failed" : "delayed";
  if (entry.reason.empty()) entry.reason = "(description unavailable)";
}

/// A log with entries at its end that may have to be taken back. It stays locked while it is open.
struct Appended {
  std::shared_ptr<File> file;
  uint64_t old_size = 0;
  std::vector<std::string> new_directories;
};

Result<Appended> append_text(const Store& store, QueueName queue, const std::string& id,
                             std::string_view text) {
  Appended done;
  done.file = TRY(store.open(queue, id, OpenMode::append, &done.new_directories));
  TRY(done.file->lock_exclusive(true));
  done.old_size = TRY(done.file->status()).size;
  auto written = done.file->write_at(done.old_size, text);
  if (written) return done;
  (void)done.file->truncate(done.old_size);
  return std::unexpected(std::move(written).error());
}

}  // namespace

QueueName log_queue(LogKind kind) {
  return kind == LogKind::bounce  ? QueueName::bounce
         : kind == LogKind::defer ? QueueName::defer
                                  : QueueName::trace;
}

std::string log_entry(const RecipientStatus& status, LogForm form) {
  std::string out = "\n";
  if (form == LogForm::headline) {
    out += fmt::format("<{}>: {}\n", printable(status.recipient), printable(status.reason));
  }
  add_line(out, kRecipient, status.recipient);
  if (!status.original.empty() && !equals_ignore_case(status.original, status.recipient)) {
    add_line(out, kOriginal, status.original);
  }
  if (status.offset != 0) add_line(out, kOffset, std::to_string(status.offset));
  if (!status.dsn_original.empty()) add_line(out, kDsnOriginal, status.dsn_original);
  if (status.notify != 0) add_line(out, kNotify, std::to_string(status.notify));
  if (!status.status.empty()) add_line(out, kStatus, status.status);
  if (!status.action.empty()) add_line(out, kAction, status.action);
  add_pair(out, kDiagnosticType, status.diagnostic_type, kDiagnosticText, status.diagnostic_text);
  add_pair(out, kMtaType, status.mta_type, kMtaName, status.mta_name);
  if (!status.reason.empty()) add_line(out, kReason, status.reason);
  out += '\n';
  return out;
}

// --- reading ---

Result<bool> LogReader::read_line(std::string& line) {
  line.clear();
  for (;;) {
    size_t end = buffer_.find('\n', consumed_);
    std::string_view part =
        std::string_view(buffer_).substr(consumed_, end == std::string::npos ? end : end - consumed_);
    line += part.substr(0, kMaxLine - line.size());
    if (end != std::string::npos) {
      consumed_ = end + 1;
      return true;
    }
    if (at_end_) return false;
    buffer_.resize(kReadSize);
    consumed_ = 0;
    auto got = source_->read_at(offset_, buffer_.data(), kReadSize);
    buffer_.resize(got ? *got : 0);
    if (!got) return std::unexpected(std::move(got).error());
    offset_ += *got;
    at_end_ = *got == 0;
  }
}

Result<std::optional<RecipientStatus>> LogReader::next() {
  RecipientStatus entry;
  bool any = false, named = false;
  std::string line;
  while (TRY(read_line(line))) {
    if (line.empty()) {
      if (!any) continue;
      set_defaults(entry, kind_);
      return entry;
    }
    bool begins = begins_entry(line);
    if (begins && named) {
      // Appended behind an entry that was cut off in the middle of a line.
      entry = {};
      named = false;
    }
    any = true;
    if (begins && line.front() != '<') named = true;
    take_line(entry, line);
  }
  return std::nullopt;
}

// --- files ---

Result<void> DeliveryLogs::append(LogKind kind, std::string_view id, std::span<const RecipientStatus> entries,
                                  Deadline deadline) {
  std::string text;
  for (const RecipientStatus& entry : entries)
    text += log_entry(entry, form_);
  QueueName queue = log_queue(kind);
  auto appended = TRY(io::offload([&store = store_, queue, id = std::string(id),
                                   text = std::move(text)] { return append_text(store, queue, id, text); },
                                  deadline));
  if (kind == LogKind::defer) return {};
  std::vector<std::string> directories;
  if (appended.old_size == 0) directories.push_back(sys::directory_of(store_.path(queue, id)));
  for (const std::string& made : appended.new_directories)
    directories.push_back(sys::directory_of(made));
  auto synced = committer_.sync(appended.file, directories, deadline);
  if (!synced) (void)appended.file->truncate(appended.old_size);
  return synced;
}

Result<std::shared_ptr<File>> DeliveryLogs::open(LogKind kind, std::string_view id) const {
  return store_.open(log_queue(kind), id, OpenMode::read);
}

Result<void> DeliveryLogs::remove(LogKind kind, std::string_view id) const {
  auto removed = store_.remove(log_queue(kind), id);
  if (!removed && is_missing(removed.error())) return {};
  return removed;
}

}  // namespace postrider::queue
