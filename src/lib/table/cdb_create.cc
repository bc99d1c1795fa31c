// Building cdb files.
#include <cdb.h>

#include <cerrno>

#include "sys/file.h"
#include "table/index_builder.h"

namespace postrider::table {

namespace {

class CdbWriter : public IndexWriter {
 public:
  CdbWriter(std::string path, std::string name) : path_(std::move(path)), name_(std::move(name)) {}
  CdbWriter(const CdbWriter&) = delete;
  CdbWriter& operator=(const CdbWriter&) = delete;
  ~CdbWriter() override {
    // What was collected is only freed by finishing.
    if (fd_) (void)cdb_make_finish(&maker_);
  }

  Result<void> write_all(const StringMap& entries) override {
    fd_ = TRY(sys::open_file(path_, O_RDWR | O_TRUNC));
    if (cdb_make_start(&maker_, fd_.get()) < 0) {
      fd_.reset();
      return failed();
    }
    for (size_t i = 0; i < entries.size(); ++i) {
      auto entry = entries.at(i);
      if (cdb_make_add(&maker_, entry.key.data(), static_cast<unsigned>(entry.key.size()), entry.value.data(),
                       static_cast<unsigned>(entry.value.size())) < 0)
        return failed();
    }
    return {};
  }

  Result<bool> write(std::string_view key, std::string_view value, bool replace) override {
    int status =
        cdb_make_put(&maker_, key.data(), static_cast<unsigned>(key.size()), value.data(),
                     static_cast<unsigned>(value.size()), replace ? CDB_PUT_REPLACE : CDB_PUT_INSERT);
    if (status < 0) return failed();
    return status == 0;
  }

  Result<void> finish() override {
    int status = cdb_make_finish(&maker_), code = errno;
    fd_.reset();
    errno = code;
    return status < 0 ? failed() : Result<void>();
  }

 private:
  std::unexpected<Error> failed() const {
    std::string what = fmt::format("error writing {}", name_);
    // So the library says that its numbers have 32 bits.
    if (errno == ENOMEM) return fail(ErrorKind::limit, what + ": a cdb file holds 4 GB at most");
    return fail_errno(what);
  }

  std::string path_, name_;
  sys::Fd fd_;
  ::cdb_make maker_{};
};

}  // namespace

CreateResult create_cdb(std::string_view name, mode_t mode, const OpenOptions& options) {
  std::string index = fmt::format("{}.cdb", name), spec = fmt::format("cdb:{}", name);
  auto file = IndexFile::begin(index, mode, IndexFile::Lock::flock);
  if (!file && file.error().code == EISDIR)
    return std::unexpected(
        Error::from_errno(fmt::format("rename database from {}.tmp to {}", index, index), EISDIR));
  if (!file)
    return std::unexpected(Error::from_errno(fmt::format("open database {}.tmp", index), file.error().code));
  auto writer = std::make_unique<CdbWriter>(file->path(), spec);
  // Nobody locks these files for reading: they can only be replaced.
  auto refuse = [index](const std::string&, const std::string&, int) {
    return Result<void>(fail(ErrorKind::denied, fmt::format("rename {}.tmp: Permission denied", index)));
  };
  return std::make_unique<IndexBuilder>(spec, std::string(name), options, std::move(*file), std::move(writer),
                                        refuse);
}

}  // namespace postrider::table
