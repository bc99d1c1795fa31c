#include "qmqpd/session.h"

#include <fmt/format.h>

#include "base/netstring.h"
#include "base/text.h"
#include "io/fiber.h"
#include "log/log.h"

namespace postrider::qmqpd {

using Event = PacketReader::Event;

Session::Session(const Server& server, io::Stream stream, clients::RemoteClient client)
    : server_(server),
      stream_(std::move(stream)),
      client_(std::move(client)),
      reader_({.content = server.settings.message_size_limit,
               .address = static_cast<uint64_t>(server.settings.line_length_limit)}) {}

void Session::run() {
  log::info("connect from {}", client_.label);
  auto watched = server_.debug_peers.match(client_.names.name, client_.address,
                                           Deadline::after(server_.settings.ipc_timeout));
  logged_ = watched && watched->matched;
  if (may_send()) receive();
  (void)stream_.flush(Deadline::after(server_.settings.timeout));
  log::info("disconnect from {}", client_.label);
}

bool Session::may_send() {
  auto decision = server_.authorized.match(client_.names.name, client_.address,
                                           Deadline::after(server_.settings.ipc_timeout));
  if (!decision) {
    reply('Z', "Error: server configuration error");  // The list has told the log why.
    return false;
  }
  if (decision->matched) return true;
  reply('D', fmt::format("Error: {} is not authorized to use this service", client_.label));
  return false;
}

void Session::receive() {
  auto message = Message::begin(server_.settings, server_.cleanup, client_);
  if (!message) {
    log::warning("{}", message.error().text);
    return reply('Z', "Error: queue file write error");
  }
  log::info("{}: client={}", message->queue_id(), client_.label);
  if (!read_packet(*message)) return;
  Message::Outcome outcome = message->finish();
  if (outcome.letter != 'K') log::warning("{}: {}: {}", message->queue_id(), client_.label, outcome.text);
  reply(outcome.letter, outcome.text);
}

/// False when there was no whole packet: the client has been told, where it still listens.
bool Session::read_packet(Message& message) {
  for (;;) {
    std::string_view input = stream_.buffered();
    size_t available = input.size();
    Event event = reader_.next(input);
    take(event, message);
    stream_.consume(available - input.size());
    switch (event) {
      case Event::end:
        return true;
      case Event::malformed:
        fail("netstring format error", message.queue_id(), true);
        return false;
      case Event::too_long:
        fail("netstring length exceeds storage limit", message.queue_id(), true);
        return false;
      case Event::more: {
        auto more = stream_.fill(Deadline::after(server_.settings.timeout));
        if (more && *more) break;
        bool late = !more && more.error().kind == ErrorKind::timeout;
        fail(late ? "read/write timeout" : "lost connection", message.queue_id(), false);
        return false;
      }
      default:
        break;
    }
  }
}

void Session::take(Event event, Message& message) {
  std::string_view text = reader_.text();
  switch (event) {
    case Event::content:
      log_line('<', fmt::format("{} bytes of content", text.size()));
      return message.content(text);
    case Event::sender:
      log_line('<', fmt::format("sender {}", text));
      return message.sender(text);
    case Event::recipient:
      log_line('<', fmt::format("recipient {}", text));
      return message.recipient(text);
    default:
      return;
  }
}

void Session::fail(std::string_view problem, std::string_view queue_id, bool answer) {
  std::string text = fmt::format("{} while receiving {}", problem, describe(reader_.part()));
  log::info("{}: {}: {}", queue_id, client_.label, text);
  if (answer) reply('D', text);
}

void Session::reply(char letter, std::string_view text) {
  if (letter == 'D' && server_.settings.soft_bounce) letter = 'Z';
  // Slows down who is confused, or means harm.
  if (letter != 'K' && server_.settings.error_delay.count() > 0) io::sleep_for(server_.settings.error_delay);
  std::string answer = fmt::format("{}{}", letter, text);
  log_line('>', answer);
  stream_.write(netstring(answer));
}

void Session::log_line(char direction, std::string_view text) const {
  if (logged_) {
    log::info("{} {}: {}", direction, client_.label, printable(text));
  } else if (log::verbose()) {
    log::debug("{} {}: {}", direction, client_.label, printable(text));
  }
}

}  // namespace postrider::qmqpd
