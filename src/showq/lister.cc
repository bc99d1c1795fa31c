#include "showq/lister.h"

#include <array>

#include "queue/inspect.h"

namespace postrider::showq {

namespace {

using enum queue::QueueName;
constexpr std::array kQueues = {maildrop, active, incoming, deferred, hold};

/// Bounds of a batch.
constexpr size_t kBatchEntries = 64;
constexpr size_t kBatchRecipients = 2000;
constexpr size_t kBatchFiles = 512;

}  // namespace

std::optional<queue::Scan::Entry> Lister::next_file(Batch& batch) {
  while (at_ < kQueues.size()) {
    if (!scan_) scan_.emplace(store_.scan(kQueues[at_]));
    auto entry = scan_->next();
    if (!entry && !queue::is_missing(entry.error())) batch.warnings.push_back(entry.error().text);
    if (entry && *entry) return std::move(**entry);
    scan_.reset();
    ++at_;
  }
  return std::nullopt;
}

/// Begins with the next file, which may turn out to be no message; false when there is none.
bool Lister::next_message(Batch& batch) {
  auto file = next_file(batch);
  if (!file) return false;
  queue::Inspected inspected = queue::inspect(store_.files(), *file);
  if (!inspected.complaint.empty()) batch.warnings.push_back(inspected.complaint);
  if (inspected.message) {
    report_.emplace(store_, Message{kQueues[at_], file->name, file->path, *inspected.message}, rules_);
  }
  return true;
}

Lister::Batch Lister::next() {
  Batch batch;
  size_t files = 0, recipients = 0;
  while (batch.entries.size() < kBatchEntries && recipients < kBatchRecipients && files < kBatchFiles) {
    if (!report_) {
      if (!next_message(batch)) {
        batch.done = true;
        break;
      }
      ++files;
      continue;
    }
    if (auto entry = report_->next()) {
      recipients += entry->recipients.size();
      batch.entries.push_back(std::move(*entry));
      continue;
    }
    if (!report_->warning().empty()) batch.warnings.push_back(report_->warning());
    report_.reset();
  }
  return batch;
}

}  // namespace postrider::showq
