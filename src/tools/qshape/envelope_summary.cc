#include "tools/qshape/envelope_summary.h"

#include "base/text.h"
#include "queue/record.h"

namespace postrider::qshape {

using queue::RecordType;

namespace {

constexpr size_t kReadSize = 4 * 1024;

class Summary {
 public:
  Summary(queue::File& file, bool one_is_enough)
      : reader_(file, 0, {.buffer = kReadSize}), one_is_enough_(one_is_enough) {}

  std::optional<EnvelopeSummary> read() {
    for (;;) {
      auto record = reader_.next();
      if (!record || !*record) return std::nullopt;
      if ((*record)->is(RecordType::end) || !take(**record)) break;
    }
    if (!has_sender_) return std::nullopt;
    return std::move(out_);
  }

 private:
  /// False when there is nothing more of interest.
  bool take(const queue::Record& record) {
    switch (record.type) {
      case RecordType::size:
        if (auto size = queue::SizeRecord::parse(record.data); size && size->size > 0) content_ = size->size;
        return true;
      case RecordType::arrival_time:
        out_.arrival = parse_int(record.data.substr(0, record.data.find(' '))).value_or(0);
        return true;
      case RecordType::sender:
        out_.sender = record.data;
        has_sender_ = true;
        return true;
      case RecordType::recipient:
        out_.recipients.emplace_back(record.data);
        return !one_is_enough_;
      case RecordType::message:
        if (content_ > 0) reader_.seek(reader_.position() + static_cast<uint64_t>(content_));
        return true;
      default:
        return true;
    }
  }

  queue::RecordReader reader_;
  bool one_is_enough_;
  bool has_sender_ = false;
  int64_t content_ = 0;
  EnvelopeSummary out_;
};

}  // namespace

std::optional<EnvelopeSummary> summarize(queue::File& file, bool one_is_enough) {
  return Summary(file, one_is_enough).read();
}

}  // namespace postrider::qshape
