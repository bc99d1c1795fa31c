// One message over a session: envelope and content.
#include <algorithm>
#include <deque>

#include <fmt/format.h>

#include "io/fiber.h"
#include "log/log.h"
#include "smtp/client_state.h"
#include "sys/socket.h"

namespace postrider::smtp {

namespace {

constexpr size_t kWriteAt = 16 * 1024;
constexpr size_t kMinWindow = 2048, kMaxWindow = 32 * 1024;
constexpr std::string_view kEndOfData = "sending end of data -- message may be sent more than once";

/// How many bytes of commands may wait for their replies. No more than the kernel takes from us whether or
/// not the server reads: then we never wait to write while the server waits for us to read. The kernel counts
/// its bookkeeping as well; a quarter is safe.
size_t pipeline_window(int fd) {
  auto size = sys::send_buffer_size(fd);
  return std::clamp(size.value_or(0) / 4, kMinWindow, kMaxWindow);
}

}  // namespace

/// Sends the commands of an envelope and sorts the replies.
class ClientSession::EnvelopeExchange {
 public:
  EnvelopeExchange(State& state, const Envelope& envelope) : s_(state), e_(envelope) {
    out_.recipients.resize(e_.recipients.size());
    if (!s_.capabilities.has(Keyword::pipelining)) return;
    if (s_.pipeline_window == 0) s_.pipeline_window = pipeline_window(s_.stream.fd());
    window_ = s_.pipeline_window;
  }
  EnvelopeReplies run();

 private:
  enum class Kind : unsigned char { probe, xforward, mail, recipient, data };
  struct Command {
    Kind kind;
    size_t index;  // Of the recipient or the XFORWARD command.
    std::string_view text;
    std::string_view doing;
    seconds timeout;
  };
  std::optional<Command> next_command() const;
  bool wanted(const Command& command) const;
  void send_what_fits();
  void take(const Command& command, Reply reply);
  void end_empty_message();

  State& s_;
  const Envelope& e_;
  EnvelopeReplies out_;
  size_t window_ = 0;
  size_t sent_ = 0;  // Commands of the whole sequence.
  std::deque<Command> unanswered_;
  size_t unanswered_bytes_ = 0;
};

std::optional<ClientSession::EnvelopeExchange::Command> ClientSession::EnvelopeExchange::next_command()
    const {
  size_t n = sent_;
  if (e_.probe_first) {
    if (n == 0) return Command{Kind::probe, 0, "RSET", "sending RSET probe", s_.settings.rset_timeout};
    --n;
  }
  if (n < e_.xforward.size()) {
    // Two commands at most: the first has name and address unless the server does not want those.
    bool names = e_.xforward[n].find(" NAME=") != std::string::npos ||
                 e_.xforward[n].find(" ADDR=") != std::string::npos;
    return Command{Kind::xforward, n, e_.xforward[n],
                   names ? "sending XFORWARD name/address" : "sending XFORWARD protocol/helo_name",
                   s_.settings.xforward_timeout};
  }
  n -= e_.xforward.size();
  if (n == 0) return Command{Kind::mail, 0, e_.mail, "sending MAIL FROM", s_.settings.mail_timeout};
  --n;
  if (n < e_.recipients.size()) {
    return Command{Kind::recipient, n, e_.recipients[n], "sending RCPT TO", s_.settings.rcpt_timeout};
  }
  if (n == e_.recipients.size() && e_.want_data) {
    return Command{Kind::data, 0, "DATA", "sending DATA command", s_.settings.data_init_timeout};
  }
  return std::nullopt;
}

/// Not when it is known already that it would lead nowhere.
bool ClientSession::EnvelopeExchange::wanted(const Command& command) const {
  if (out_.stale || (out_.mail && !out_.mail->positive())) return false;
  return command.kind != Kind::data || out_.accepted > 0 || !unanswered_.empty();
}

void ClientSession::EnvelopeExchange::send_what_fits() {
  // Wait until much of the window is free again, rather than send each command by itself.
  if (!unanswered_.empty() && unanswered_bytes_ > window_ / 2) return;
  for (auto command = next_command(); command && wanted(*command); command = next_command()) {
    size_t size = command->text.size() + 2;
    if (!unanswered_.empty() && unanswered_bytes_ + size > window_) return;
    if (command->kind == Kind::mail) s_.transaction_open = true;
    s_.write_command(command->text);
    unanswered_bytes_ += size;
    unanswered_.push_back(*command);
    ++sent_;
  }
}

void ClientSession::EnvelopeExchange::take(const Command& command, Reply reply) {
  switch (command.kind) {
    case Kind::probe:
      out_.stale = !reply.positive();
      break;
    case Kind::xforward:
      if (!reply.positive()) {
        log::warning("host {} said: {} (in reply to {})", s_.peer.name_with_port(), reply.one_line(),
                     command.doing.ends_with("address") ? "XFORWARD name/address command"
                                                        : "XFORWARD helo/protocol command");
      }
      break;
    case Kind::mail:
      out_.mail = std::move(reply);
      break;
    case Kind::recipient:
      if (reply.positive() && out_.mail && out_.mail->positive()) ++out_.accepted;
      out_.recipients[command.index] = std::move(reply);
      break;
    case Kind::data:
      out_.data = std::move(reply);
      break;
  }
}

EnvelopeReplies ClientSession::EnvelopeExchange::run() {
  if (s_.failure) {
    out_.failure = s_.failure;
    return std::move(out_);
  }
  for (send_what_fits(); !unanswered_.empty(); send_what_fits()) {
    Command command = unanswered_.front();
    Pace pace = s_.pace(command.timeout);
    auto reply = s_.read_reply(pace, command.doing);
    if (!reply) {
      out_.failure = std::move(reply).error();
      out_.stale = command.kind == Kind::probe;
      return std::move(out_);
    }
    unanswered_.pop_front();
    unanswered_bytes_ -= command.text.size() + 2;
    take(command, std::move(*reply));
    if (out_.stale) return std::move(out_);
  }
  if (out_.data && out_.data->first_digit() == 3) {
    out_.ready_for_content = out_.accepted > 0;
    if (!out_.ready_for_content) end_empty_message();
  }
  s_.accepted = out_.accepted;
  s_.encoder = ContentEncoder(s_.settings.line_limit);
  s_.encoded.clear();
  s_.content_pace.reset();
  s_.told_of_broken_line = false;
  return std::move(out_);
}

/// A pipelined DATA was accepted although no recipient was. What the server makes of it does not matter.
void ClientSession::EnvelopeExchange::end_empty_message() {
  s_.transaction_open = false;
  if (s_.settings.lmtp) {
    // No recipients, no replies; a server that does this may do something else as well.
    s_.write_command(".");
    s_.protocol_error = true;
    return;
  }
  auto reply = s_.exchange(".", s_.settings.data_done_timeout, kEndOfData);
  if (!reply) out_.failure = std::move(reply).error();
}

EnvelopeReplies ClientSession::send_envelope(const Envelope& envelope) {
  return EnvelopeExchange(*state_, envelope).run();
}

Outcome<void> ClientSession::send_content(std::string_view piece, bool ends_line) {
  State& s = *state_;
  if (s.failure) return std::unexpected(*s.failure);
  if (!s.content_pace) s.content_pace = s.pace(s.settings.data_transfer_timeout);
  s.encoder.add(piece, ends_line, s.encoded);
  if (s.encoder.broke_lines() && !s.told_of_broken_line) {
    log::info("{}: breaking line > {} bytes with <CR><LF>SPACE", s.queue_id, s.settings.line_limit);
    s.told_of_broken_line = true;
  }
  if (s.encoded.size() < kWriteAt) return {};
  auto written = s.stream.write_through(s.encoded, s.content_pace->deadline());
  s.content_pace->transferred(s.encoded.size());
  s.encoded.clear();
  if (!written) return s.fail(written.error(), "sending message body");
  return {};
}

ContentReplies ClientSession::end_content(bool then_quit, Clock::duration pause) {
  State& s = *state_;
  ContentReplies out;
  out.failure = s.failure;
  if (out.failure) return out;
  s.transaction_open = false;
  s.encoder.finish(s.encoded);
  s.stream.write(s.encoded);
  s.encoded.clear();
  if (pause > Clock::duration::zero()) {
    Pace body = s.content_pace.value_or(s.pace(s.settings.data_transfer_timeout));
    auto flushed = s.flush(body, "sending message body");
    if (!flushed) {
      out.failure = std::move(flushed).error();
      return out;
    }
    io::sleep_for(pause);
  }
  s.write_command(".");
  if (then_quit && s.capabilities.has(Keyword::pipelining)) {
    s.write_command("QUIT");
    s.quit_sent = true;
  }
  size_t expected = s.settings.lmtp ? s.accepted : 1;
  while (out.replies.size() < expected) {
    Pace pace = s.pace(s.settings.data_done_timeout);
    auto reply = s.read_reply(pace, kEndOfData);
    if (!reply) {
      out.failure = std::move(reply).error();
      break;
    }
    out.replies.push_back(std::move(*reply));
  }
  return out;
}

}  // namespace postrider::smtp
