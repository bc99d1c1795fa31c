#include "table/berkeley_db.h"

#include <fmt/format.h>

namespace postrider::table {

std::unexpected<Error> berkeley_error(std::string_view what, int code) {
  return std::unexpected(
      Error(ErrorKind::system, code > 0 ? code : 0, fmt::format("{}: {}", what, db_strerror(code))));
}

Result<BerkeleyFile> BerkeleyFile::open(const std::string& path, DBTYPE type, u_int32_t flags, size_t cache,
                                        const HashLayout& layout) {
  constexpr u_int32_t kFileMode = 0600;  // Of a file that the caller has already created.
  std::string what = fmt::format("open database {}", path);
  BerkeleyFile out;
  out.path_ = path;
  DB* db = nullptr;
  if (int error = db_create(&db, nullptr, 0)) return berkeley_error(what, error);
  out.db_.reset(db);
  auto set_up = [&]() -> int {
    if (int error = db->set_cachesize(db, static_cast<u_int32_t>(cache >> 32) / 4,
                                      static_cast<u_int32_t>(cache), 1)) {
      return error;
    }
    if (layout.page_size != 0) {
      if (int error = db->set_pagesize(db, layout.page_size)) return error;
    }
    if (layout.buckets == 0) return 0;
    if (int error = db->set_h_ffactor(db, layout.per_bucket)) return error;
    return db->set_h_nelem(db, layout.buckets * layout.per_bucket);
  };
  if (int error = set_up()) return berkeley_error(what, error);
  // So the library's own messages name the file as those of Postfix do.
  std::string name = path.find('/') == std::string::npos ? "./" + path : path;
  // A mapped file that another process truncates would kill this one.
  if (int error = db->open(db, nullptr, name.c_str(), nullptr, type, flags | DB_NOMMAP, kFileMode)) {
    return berkeley_error(what, error);
  }
  return out;
}

int BerkeleyFile::fd() const {
  int fd = -1;
  return db_->fd(db_.get(), &fd) == 0 ? fd : -1;
}

Result<void> BerkeleyFile::close() {
  DB* db = db_.release();
  if (int error = db->close(db, 0)) return berkeley_error(fmt::format("write {}", path_), error);
  return {};
}

}  // namespace postrider::table
