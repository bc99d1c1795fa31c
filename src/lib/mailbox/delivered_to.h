// Noticing mail that comes back: every delivery leaves a Delivered-To: header in what it hands on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/result.h"
#include "queue/files.h"

namespace postrider::mailbox {

/// The addresses in the Delivered-To: headers of a message, in internal form, compared without regard to
/// case.
class DeliveredTo {
 public:
  /// Reads the header of the message whose content begins at `data_offset`.
  static Result<DeliveredTo> read(queue::ByteSource& file, int64_t data_offset);

  bool contains(std::string_view address) const;
  bool empty() const { return addresses_.empty(); }

 private:
  void add(std::string_view line);
  std::unordered_set<std::string> addresses_;
};

}  // namespace postrider::mailbox
