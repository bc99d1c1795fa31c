// Berkeley DB files, as far as tables use them.
#pragma once

#include <db.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::table {

/// How a new hash file is laid out; zero leaves it to the library.
struct HashLayout {
  u_int32_t page_size = 0;
  u_int32_t buckets = 0;
  u_int32_t per_bucket = 0;
};

/// An open database file.
class BerkeleyFile {
 public:
  /// `flags` are those of DB->open(). Without `writable` the file must exist.
  static Result<BerkeleyFile> open(const std::string& path, DBTYPE type, u_int32_t flags, size_t cache,
                                   const HashLayout& layout = {});

  DB* get() const { return db_.get(); }
  DB* operator->() const { return db_.get(); }
  /// The descriptor that the library reads the file with.
  int fd() const;
  /// Writes what is cached, and closes.
  Result<void> close();

 private:
  struct Closer {
    void operator()(DB* db) const { db->close(db, 0); }
  };
  std::unique_ptr<DB, Closer> db_;
  std::string path_;
};

/// For a parameter of the library.
inline DBT to_dbt(std::string_view text) {
  DBT out{};
  // The library's interface has no const; it does not write to input.
  out.data = const_cast<char*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  out.size = static_cast<u_int32_t>(text.size());
  return out;
}

inline std::string_view to_text(const DBT& item) {
  return {static_cast<const char*>(item.data), item.size};
}

std::unexpected<Error> berkeley_error(std::string_view what, int code);

}  // namespace postrider::table
