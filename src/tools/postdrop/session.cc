#include "tools/postdrop/session.h"

#include <unistd.h>

#include <cstring>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "clients/queue_layout.h"
#include "config/params/cleanup.h"
#include "config/params/services.h"
#include "log/log.h"
#include "maildrop/drop.h"
#include "maildrop/postdrop_protocol.h"
#include "maildrop/submission.h"
#include "queue/record.h"
#include "sys/fd.h"
#include "tool/tool.h"

namespace postrider::postdrop {

namespace params = config::params;

using maildrop::Outcome;
using maildrop::SubmissionFilter;
using queue::RecordType;

namespace {

constexpr size_t kReadSize = 32 * 1024;
/// How long to wait for a full disk and its like to pass. The caller has nowhere else to put the message.
constexpr unsigned kRetrySeconds = 10;

/// Standard input, which can only be read in order.
class StandardInput : public queue::ByteSource {
 public:
  Result<size_t> read_at(uint64_t, char* data, size_t size) override {
    return sys::read_some(STDIN_FILENO, data, size);
  }
};

void say(const std::string& text) {
  // A caller that has gone away has no use for the answer.
  (void)sys::write_all(STDOUT_FILENO, text);
}

class Session {
 public:
  Session(const config::Config& config, Policy& policy)
      : config_(config),
        policy_(policy),
        reader_(input_, 0,
                {.follow_pointers = false,
                 .skip_padding = false,
                 .max_record = static_cast<size_t>(config.get(params::line_length_limit)),
                 .buffer = kReadSize}) {}

  int run() {
    create();
    say(maildrop::greeting(drop_->id()));
    std::optional<Outcome> outcome = take_message();
    if (!outcome) return tool::kOk;
    if (outcome->problems == 0) *outcome = complete();
    drop_.reset();  // Removes what is not complete.
    say(maildrop::reply(*outcome));
    return static_cast<int>(outcome->problems & 0xff);
  }

 private:
  void create() {
    maildrop::Drop::Options options{.max_size =
                                        static_cast<uint64_t>(config_.get(params::message_size_limit))};
    for (;;) {
      auto drop = maildrop::Drop::begin(queue::system_files(), clients::queue_layout(config_), options);
      if (drop) {
        drop_ = std::move(*drop);
        return;
      }
      log::warning("mail_queue_enter: {}", drop.error().text);
      ::sleep(kRetrySeconds);
    }
  }

  /// Ends the process; what was written goes with it.
  template <typename... A>
  [[noreturn]] void give_up(fmt::format_string<A...> format, A&&... arguments) {
    drop_.reset();
    tool::fail("uid={}: {}", uid_, fmt::format(format, std::forward<A>(arguments)...));
  }

  /// Reads up to the end record. Nothing when the caller has thought better of it.
  std::optional<Outcome> take_message() {
    for (;;) {
      auto record = reader_.next();
      if (!record) {
        log::warning("stdin: {}", record.error().text);
        give_up("malformed input");
      }
      if (!*record) return std::nullopt;
      auto verdict = filter_.check((*record)->type, (*record)->data);
      if (!verdict) give_up("{}", verdict.error().text);
      if (*verdict == SubmissionFilter::Verdict::drop) {
        log::warning("uid={}: {}", uid_, filter_.warning());
        continue;
      }
      if ((*record)->is(RecordType::sender)) check_sender((*record)->data);
      drop_->append((*record)->type, (*record)->data);
      if (*verdict == SubmissionFilter::Verdict::end) return judge();
    }
  }

  /// A refusal is told when the message is over: the caller does not listen before.
  void check_sender(std::string_view sender) {
    auto allowed = policy_.may_use(sender);
    if (allowed) return;
    if (allowed.error().kind == ErrorKind::denied) {
      refused_ = Outcome{.problems = proto::kProblemContent, .reason = allowed.error().text};
    } else {
      refused_ = Outcome{.problems = proto::kProblemWrite};  // The table has logged what is wrong.
    }
  }

  Outcome judge() const {
    if (refused_) return *refused_;
    if (!filter_.has_sender() || !filter_.has_recipient()) return {.problems = proto::kProblemBad};
    return {};
  }

  Outcome complete() {
    if (auto done = drop_->commit(); !done) {
      const Error& error = done.error();
      log::warning("uid={}: {}", uid_, error.code != 0 ? std::strerror(error.code) : error.text.c_str());
      return Outcome::of(done.error());
    }
    std::string socket = "public/" + config_.get(params::pickup_service_name);
    if (auto told = maildrop::notify_pickup(socket); !told) {
      log::warning("unable to look up {}: {}", socket, told.error().text);
    }
    return {};
  }

  const config::Config& config_;
  Policy& policy_;
  uid_t uid_ = ::getuid();
  StandardInput input_;
  queue::RecordReader reader_;
  SubmissionFilter filter_;
  std::unique_ptr<maildrop::Drop> drop_;
  std::optional<Outcome> refused_;
};

}  // namespace

int serve(const config::Config& config, Policy& policy, const CommandLine& line) {
  auto allowed = policy.may_submit();
  if (allowed) return Session(config, policy).run();
  bool refused = allowed.error().kind == ErrorKind::denied;
  if (!line.for_program) tool::fail("{}", allowed.error().text);
  // Whoever has started this program says, and logs, why.
  uint32_t problem = refused ? maildrop::kProblemNotPermitted : uint32_t{proto::kProblemWrite};
  say(maildrop::reply({.problems = problem, .reason = refused ? allowed.error().text : ""}));
  return 1;
}

CommandLine parse_command_line(int argc, char** argv) {
  CommandLine line;
  for (int option; (option = getopt(argc, argv, "+c:rv")) != -1;) {
    switch (option) {
      case 'c':
        line.config_directory = optarg;
        break;
      case 'r':
        line.for_program = true;
        break;
      case 'v':
        ++line.verbose;
        break;
      default:
        tool::fail("usage: {} [-c config_dir] [-v]", argv[0]);
    }
  }
  return line;
}

}  // namespace postrider::postdrop
