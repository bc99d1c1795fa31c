// Where sendmail puts a message: into the maildrop queue, itself or through postdrop.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "maildrop/drop.h"
#include "maildrop/postdrop_protocol.h"
#include "queue/record.h"
#include "sys/fd.h"

namespace postrider::sendmail {

class Outlet {
 public:
  virtual ~Outlet() = default;
  /// The next record. Failures show in the outcome.
  virtual void put(queue::RecordType type, std::string_view data) = 0;
  /// The end of the message: what became of it. Without it nothing is queued.
  virtual maildrop::Outcome finish() = 0;
};

/// The whole queue file is written here, which saves a second program: for callers who could write to
/// maildrop anyway, the super-user and the owner of a queue.
class DirectOutlet : public Outlet {
 public:
  DirectOutlet(std::unique_ptr<maildrop::Drop> drop, size_t record_limit, std::string pickup_socket)
      : drop_(std::move(drop)), record_limit_(record_limit), pickup_socket_(std::move(pickup_socket)) {}
  void put(queue::RecordType type, std::string_view data) override;
  maildrop::Outcome finish() override;

 private:
  std::unique_ptr<maildrop::Drop> drop_;
  size_t record_limit_;
  std::string pickup_socket_;
  bool too_long_ = false;
};

/// Records go through a pipe to postdrop, which has the right to write to maildrop.
class PostdropOutlet : public Outlet {
 public:
  static Result<std::unique_ptr<PostdropOutlet>> start(const std::vector<std::string>& argv,
                                                       const std::vector<std::string>& environment);
  ~PostdropOutlet() override;
  void put(queue::RecordType type, std::string_view data) override;
  maildrop::Outcome finish() override;
  /// Takes the message back; the outcome says whether the caller may submit mail.
  maildrop::Outcome cancel();

 private:
  PostdropOutlet() = default;
  void flush();
  /// Its exit status.
  int end();
  maildrop::Outcome read_outcome();

  std::string command_;  ///< For messages.
  pid_t pid_ = 0;        // 0: it has ended.
  sys::Fd to_, from_;
  std::string buffer_;
  bool broken_ = false;
};

}  // namespace postrider::sendmail
