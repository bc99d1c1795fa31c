#include "table/cdb_file.h"

#include <cerrno>

#include <fmt/format.h>

namespace postrider::table {

namespace {

std::string copy_of(const void* data, unsigned size) {
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

}  // namespace

Result<void> CdbFile::open(int fd, const std::string& path) {
  close();
  path_ = path;
  if (cdb_init(&db_, fd) < 0) return fail_errno(fmt::format("dict_cdbq_open: unable to init {}", path));
  open_ = true;
  cdb_seqinit(&position_, &db_);
  return {};
}

void CdbFile::close() {
  if (open_) cdb_free(&db_);
  open_ = false;
}

std::unexpected<Error> CdbFile::failed() const {
  return std::unexpected(
      Error(ErrorKind::temporary, Error::from_errno("error reading " + path_, errno).text));
}

Result<std::optional<std::string>> CdbFile::find(std::string_view key) {
  int found = cdb_find(&db_, key.data(), static_cast<unsigned>(key.size()));
  if (found < 0) return failed();
  if (found == 0) return std::nullopt;
  return copy_of(cdb_getdata(&db_), cdb_datalen(&db_));
}

Result<std::optional<CdbFile::Record>> CdbFile::first() {
  cdb_seqinit(&position_, &db_);
  return next();
}

Result<std::optional<CdbFile::Record>> CdbFile::next() {
  for (;;) {
    int found = cdb_seqnext(&position_, &db_);
    if (found < 0) return failed();
    if (found == 0) return std::nullopt;
    Record out{copy_of(cdb_getkey(&db_), cdb_keylen(&db_)), copy_of(cdb_getdata(&db_), cdb_datalen(&db_))};
    unsigned place = cdb_datapos(&db_);
    if (cdb_find(&db_, out.key.data(), static_cast<unsigned>(out.key.size())) > 0 &&
        cdb_datapos(&db_) == place)
      return out;
  }
}

}  // namespace postrider::table
