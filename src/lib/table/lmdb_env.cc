#include "table/lmdb_env.h"

#include <fmt/format.h>

#include "sys/file.h"

namespace postrider::table {

std::unexpected<Error> lmdb_error(std::string_view what, int code) {
  return fail(ErrorKind::temporary, fmt::format("{}: {}", what, mdb_strerror(code)));
}

Result<LmdbEnv> LmdbEnv::open(const std::string& path, unsigned flags, size_t map_size) {
  constexpr mdb_mode_t kFileMode = 0600;  // Of a file that the caller has already created.
  std::string what = fmt::format("open database {}", path);
  LmdbEnv out;
  MDB_env* env = nullptr;
  if (int error = mdb_env_create(&env)) return lmdb_error(what, error);
  out.env_.reset(env);
  if (int error = mdb_env_set_mapsize(env, map_size)) return lmdb_error(what, error);
  if (int error = mdb_env_open(env, path.c_str(), flags | MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS, kFileMode)) {
    return lmdb_error(what, error);
  }
  LmdbTxn txn = TRY(out.begin((flags & MDB_RDONLY) != 0));
  if (int error = mdb_dbi_open(txn.get(), nullptr, 0, &out.dbi_)) return lmdb_error(what, error);
  TRY(commit(std::move(txn)));
  return out;
}

int LmdbEnv::fd() const {
  int fd = -1;
  return mdb_env_get_fd(env_.get(), &fd) == 0 ? fd : -1;
}

Result<LmdbTxn> LmdbEnv::begin(bool reading) const {
  for (bool again = false;; again = true) {
    MDB_txn* txn = nullptr;
    int error = mdb_txn_begin(env_.get(), nullptr, reading ? MDB_RDONLY : 0, &txn);
    if (error == 0) return LmdbTxn(txn);
    if (error != MDB_MAP_RESIZED || again) return lmdb_error("start of transaction", error);
    if (int failed = mdb_env_set_mapsize(env_.get(), 0)) return lmdb_error("change of size limit", failed);
  }
}

Result<void> LmdbEnv::commit(LmdbTxn txn) {
  if (int error = mdb_txn_commit(txn.release())) return lmdb_error("end of transaction", error);
  return {};
}

Result<void> LmdbEnv::reserve(size_t bytes) const {
  MDB_envinfo info{};
  mdb_env_info(env_.get(), &info);
  size_t used = static_cast<size_t>(TRY(sys::stat_fd(fd())).st_size);
  size_t size = info.me_mapsize;
  while (size < used + bytes)
    size *= 2;
  if (size == info.me_mapsize) return {};
  if (int error = mdb_env_set_mapsize(env_.get(), size)) return lmdb_error("change of size limit", error);
  return {};
}

}  // namespace postrider::table
