#include "tools/sendmail/outlet.h"

#include <utility>

#include <fmt/format.h>

#include "log/log.h"
#include "sys/process.h"

namespace postrider::sendmail {

using maildrop::Outcome;
using queue::RecordType;

namespace {
constexpr size_t kWriteSize = 32 * 1024;
constexpr size_t kMaxReply = 64 * 1024;
}  // namespace

// --- directly ---

void DirectOutlet::put(RecordType type, std::string_view data) {
  if (data.size() > record_limit_) too_long_ = true;
  drop_->append(type, data);
}

Outcome DirectOutlet::finish() {
  if (too_long_) {
    log::warning("record longer than {} bytes", record_limit_);
    return {.problems = proto::kProblemWrite};
  }
  drop_->append(RecordType::end, "");
  if (auto committed = drop_->commit(); !committed) {
    log::warning("{}", committed.error().text);
    return Outcome::of(committed.error());
  }
  if (auto told = maildrop::notify_pickup(pickup_socket_); !told) {
    log::warning("unable to look up {}: {}", pickup_socket_, told.error().text);
  }
  return {};
}

// --- through postdrop ---

Result<std::unique_ptr<PostdropOutlet>> PostdropOutlet::start(const std::vector<std::string>& argv,
                                                              const std::vector<std::string>& environment) {
  sys::Pipe input = TRY(sys::make_pipe());
  sys::Pipe output = TRY(sys::make_pipe());
  std::unique_ptr<PostdropOutlet> outlet(new PostdropOutlet);
  for (const std::string& word : argv)
    outlet->command_ += (outlet->command_.empty() ? "" : " ") + word;
  outlet->pid_ = TRY(sys::spawn({.argv = argv,
                                 .environment = environment,
                                 .descriptors = {{input.read.get(), 0}, {output.write.get(), 1}, {2, 2}}}));
  outlet->to_ = std::move(input.write);
  outlet->from_ = std::move(output.read);
  return outlet;
}

PostdropOutlet::~PostdropOutlet() {
  end();
}

/// Without an end record postdrop takes the end of its input for "never mind".
int PostdropOutlet::end() {
  to_.reset();
  from_.reset();
  if (pid_ == 0) return 0;
  return sys::wait_for(std::exchange(pid_, 0)).value_or(1);
}

void PostdropOutlet::put(RecordType type, std::string_view data) {
  queue::append_record(buffer_, type, data);
  if (buffer_.size() >= kWriteSize) flush();
}

void PostdropOutlet::flush() {
  if (!broken_) broken_ = !sys::write_all(to_.get(), buffer_);
  buffer_.clear();
}

Outcome PostdropOutlet::finish() {
  queue::append_record(buffer_, RecordType::end, "");
  flush();
  return read_outcome();
}

Outcome PostdropOutlet::cancel() {
  buffer_.clear();
  return read_outcome();
}

Outcome PostdropOutlet::read_outcome() {
  to_.reset();
  auto reply = sys::read_all(from_.get(), kMaxReply);
  int status = end();
  if (!reply) return {.problems = proto::kProblemWrite};
  if (reply->empty() && status != 0) {
    // It has said on standard error what is wrong, as with a configuration that it does not accept.
    log::warning("command \"{}\" exited with status {}", command_, status);
    return {.problems = proto::kProblemWrite,
            .reason = fmt::format("unable to execute {}: Application error", command_)};
  }
  Outcome outcome = maildrop::parse_reply(*reply);
  if (status != 0 && (outcome.problems & maildrop::kProblemNotPermitted) == 0)
    log::warning("mail_stream_cleanup: close error");
  return outcome;
}

}  // namespace postrider::sendmail
