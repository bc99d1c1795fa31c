#include "queue/spill_file.h"

#include "io/offload.h"
#include "sys/file.h"

namespace postrider::queue {

namespace {
constexpr size_t kPiece = 64 * 1024;
}

Result<SpillFile> SpillFile::make() {
  return SpillFile(TRY(sys::make_unnamed_file(kDirectory)));
}

Result<void> SpillFile::append(std::string bytes, Deadline deadline) {
  if (bytes.empty()) return {};
  return io::offload([file = file_, bytes = std::move(bytes)] { return sys::write_all(file->get(), bytes); },
                     deadline);
}

Result<std::string> SpillFile::next(Deadline deadline) {
  auto read = [file = file_, position = position_]() -> Result<std::string> {
    std::string out(kPiece, '\0');
    out.resize(TRY(sys::read_at(file->get(), out.data(), out.size(), position)));
    return out;
  };
  std::string out = TRY(io::offload(std::move(read), deadline));
  position_ += static_cast<off_t>(out.size());
  return out;
}

}  // namespace postrider::queue
