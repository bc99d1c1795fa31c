// LMDB files, as far as tables use them.
#pragma once

#include <lmdb.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::table {

inline MDB_val to_val(std::string_view text) {
  // The library's interface has no const; it does not write to input.
  return {text.size(), const_cast<char*>(text.data())};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}
inline std::string_view to_text(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

/// ErrorKind::temporary: "what: MDB_...: reason".
std::unexpected<Error> lmdb_error(std::string_view what, int code);

struct TxnAborter {
  void operator()(MDB_txn* txn) const { mdb_txn_abort(txn); }
};
/// A transaction that is given up unless it is committed.
using LmdbTxn = std::unique_ptr<MDB_txn, TxnAborter>;

/// One open file with its one database. Locks are the caller's business, as in Postfix: LMDB's own would need
/// a second file that all readers may write to.
class LmdbEnv {
 public:
  /// `flags` are those of mdb_env_open().
  static Result<LmdbEnv> open(const std::string& path, unsigned flags, size_t map_size);

  MDB_env* get() const { return env_.get(); }
  MDB_dbi dbi() const { return dbi_; }
  int fd() const;

  /// Starts a transaction; adapts to a file that another process has made larger.
  Result<LmdbTxn> begin(bool reading) const;
  static Result<void> commit(LmdbTxn txn);
  /// Makes room for `bytes` more than the file has; no transaction may be open.
  Result<void> reserve(size_t bytes) const;

 private:
  struct Closer {
    void operator()(MDB_env* env) const { mdb_env_close(env); }
  };
  std::unique_ptr<MDB_env, Closer> env_;
  MDB_dbi dbi_ = 0;
};

}  // namespace postrider::table
