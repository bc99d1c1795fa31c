// What any local user may hand to postdrop: nothing but the records of a submission passes the filter.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bytes.h"
#include "maildrop/submission.h"
#include "queue/record.h"

using namespace postrider;
using fuzz::Bytes;

namespace {

bool tells_where_mail_goes(queue::RecordType type) {
  using enum queue::RecordType;
  return type == done || type == redirect || type == inspector || type == pointer || type == size;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes source({reinterpret_cast<const char*>(data), size});
  queue::RecordReader::Options options;
  options.follow_pointers = false;
  queue::RecordReader reader(source, 0, options);
  maildrop::SubmissionFilter filter;
  for (;;) {
    auto record = reader.next();
    if (!record || !*record) return 0;
    auto verdict = filter.check((*record)->type, (*record)->data);
    if (!verdict) return 0;
    using Verdict = maildrop::SubmissionFilter::Verdict;
    if (*verdict != Verdict::drop && tells_where_mail_goes((*record)->type)) abort();
    if (*verdict == Verdict::end) return 0;
  }
}
