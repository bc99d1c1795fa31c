#include "sys/mapped_file.h"

#include <sys/mman.h>

#include "sys/file.h"

namespace postrider::sys {

Result<MappedFile> MappedFile::map(int fd) {
  struct stat st = TRY(stat_fd(fd));
  MappedFile out;
  if (st.st_size == 0) return out;
  auto size = static_cast<size_t>(st.st_size);
  void* memory = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return fail_errno("mmap");
  out.text_ = {static_cast<const char*>(memory), size};
  return out;
}

MappedFile::~MappedFile() {
  if (text_.data() == nullptr) return;
  // munmap(2) takes what mmap(2) gave.
  munmap(const_cast<char*>(text_.data()), text_.size());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

}  // namespace postrider::sys
