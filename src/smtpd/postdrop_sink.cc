#include "smtpd/postdrop_sink.h"

#include <optional>
#include <utility>

#include "io/stream.h"
#include "log/log.h"
#include "maildrop/postdrop_protocol.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace postrider::smtpd {

namespace {

constexpr size_t kMaxAnswer = 64 * 1024;

class PostdropSink : public MailSink {
 public:
  PostdropSink(pid_t pid, sys::Fd to, sys::Fd from) : pid_(pid), to_(std::move(to)), from_(std::move(from)) {}
  ~PostdropSink() override {
    // Without an end record it takes the end of its input for "never mind", and is gone at once.
    to_.reset();
    (void)end();
  }

  /// Waits until there is a file.
  Result<void> start(Deadline deadline) {
    for (;;) {
      if (auto id = maildrop::parse_greeting(answer_)) {
        queue_id_ = std::move(*id);
        return {};
      }
      if (!TRY(read_more(deadline))) return fail(ErrorKind::denied, maildrop::parse_reply(answer_).text());
    }
  }
  const std::string& queue_id() const override { return queue_id_; }

  Result<void> record(queue::RecordType type, std::string_view data, Deadline deadline) override {
    std::string bytes;
    queue::append_record(bytes, type, data);
    return to_->write_through(bytes, deadline);
  }

  void flush(Deadline) override {}
  Result<proto::CleanupStatus> finish(Deadline deadline) override {
    TRY(to_->flush(deadline));
    to_.reset();
    while (TRY(read_more(deadline))) {
    }
    maildrop::Outcome outcome = maildrop::parse_reply(answer_);
    if (end() != 0 && (outcome.problems & maildrop::kProblemNotPermitted) == 0)
      log::warning("mail_stream_cleanup: close error");
    proto::CleanupStatus out;
    out.problems = outcome.problems;
    out.reason = std::string_view(outcome.reason).substr(0, out.reason.kMax);
    return out;
  }

 private:
  Result<bool> read_more(Deadline deadline) {
    if (!TRY(from_.fill(deadline))) return false;
    answer_ += from_.buffered();
    from_.consume(from_.buffered().size());
    if (answer_.size() > kMaxAnswer) return fail(ErrorKind::limit, "postdrop says too much");
    return true;
  }

  /// Its exit status. It has closed its output, and has nothing left to do.
  int end() { return pid_ == 0 ? 0 : sys::wait_for(std::exchange(pid_, 0)).value_or(1); }

  pid_t pid_;
  std::optional<io::Stream> to_;
  io::Stream from_;
  std::string answer_, queue_id_;
};

}  // namespace

Result<std::unique_ptr<MailSink>> PostdropSystem::begin(uint32_t, Deadline deadline) {
  sys::Pipe input = TRY(sys::make_pipe());
  sys::Pipe output = TRY(sys::make_pipe());
  pid_t pid = TRY(sys::spawn({.argv = {program_, "-r"},
                              .environment = sys::environment(),
                              .descriptors = {{input.read.get(), 0}, {output.write.get(), 1}, {2, 2}}}));
  auto sink = std::make_unique<PostdropSink>(pid, std::move(input.write), std::move(output.read));
  input.read.reset();
  output.write.reset();
  TRY(sink->start(deadline));
  return sink;
}

}  // namespace postrider::smtpd
