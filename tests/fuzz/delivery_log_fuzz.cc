// Any bytes as a bounce, defer or trace log; what was read is written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "queue/delivery_log.h"

using namespace postrider;
using namespace postrider::queue;

namespace {

void check(bool good) {
  if (!good) abort();
}

class Text : public ByteSource {
 public:
  Text(std::string_view text, size_t at_a_time) : text_(text), at_a_time_(at_a_time) {}
  Result<size_t> read_at(uint64_t offset, char* data, size_t size) override {
    if (offset >= text_.size()) return 0;
    return text_.copy(data, std::min(size, at_a_time_), offset);
  }

 private:
  std::string_view text_;
  size_t at_a_time_;
};

std::vector<RecipientStatus> read_all(std::string_view text, LogKind kind, size_t at_a_time) {
  Text source(text, at_a_time);
  LogReader reader(source, kind);
  std::vector<RecipientStatus> out;
  while (auto entry = reader.next().value())
    out.push_back(std::move(*entry));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  auto kind = static_cast<LogKind>(data[0] % 3);
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<RecipientStatus> entries = read_all(text, kind, 7);
  check(entries == read_all(text, kind, 64 * 1024));
  for (const RecipientStatus& entry : entries)
    check(!entry.status.empty() && !entry.action.empty() && !entry.reason.empty());

  for (LogForm form : {LogForm::headline, LogForm::attributes}) {
    std::string again;
    for (const RecipientStatus& entry : entries)
      again += log_entry(entry, form);
    std::vector<RecipientStatus> copies = read_all(again, kind, 64 * 1024);
    check(copies.size() == entries.size());
    std::string third;
    for (const RecipientStatus& entry : copies)
      third += log_entry(entry, form);
    check(read_all(third, kind, 64 * 1024) == copies);
  }
  return 0;
}
