#include "tools/posttls-finger/finger.h"

#include <fmt/core.h>

#include "clients/tls_proxy.h"
#include "config/params/cleanup.h"
#include "config/params/instance.h"
#include "config/params/system.h"
#include "log/log.h"
#include "tool/tool.h"
#include "tools/posttls-finger/chain.h"

namespace postrider::posttls_finger {

namespace params = config::params;

Finger::Finger(const config::Config& config, const Options& options, Engine& engine)
    : config_(config),
      options_(options),
      engine_(engine),
      finder_(config, options),
      own_name_(config.get(params::myhostname)),
      line_limit_(static_cast<size_t>(config.get(params::line_length_limit))) {}

void Finger::run(const smtp::Destination& destination) {
  auto targets = finder_.find(destination);
  if (!targets) return log::info("Destination address lookup failed: {}", targets.error().text);
  for (const Target& target : targets->targets) {
    bool path = target.address.is_unix();
    auto demands = finder_.demands(*targets, target, engine_.digests());
    Result<io::Stream> stream = demands ? connect(target) : std::unexpected(demands.error());
    if (!stream) {
      log::info("Failed to establish session to {}{}{}: {}", options_.destination, path ? "" : " via ",
                path ? "" : target.peer.host, stream.error().text);
      continue;
    }
    if (options_.shows_dialogue)
      log::info("Connected to {}", path ? target.peer.name() : target.peer.name_with_port());
    probe(std::move(*stream), target, *demands, false);
    if (options_.reconnect_delay > 0) run_again(target, *demands);
    break;
  }
  log::flush();
  fmt::print("{}", chain_);
}

/// Whether the server knows its sessions again; behind one address there can be several servers.
void Finger::run_again(const Target& target, const tls::Demands& demands) {
  if (sessions_.empty()) return log::info("Server declined session caching. Done reconnecting.");
  for (int left = options_.max_reconnects; left > 0; --left) {
    log::info("Reconnecting after {} seconds", options_.reconnect_delay);
    io::sleep_for(seconds(options_.reconnect_delay));
    auto stream = connect(target);
    if (!stream) {
      return log::info("Failed to establish session to {} via {}: {}", options_.destination, target.peer.host,
                       stream.error().text);
    }
    probe(std::move(*stream), target, demands, true);
    if (sessions_.found()) return log::info("Found a previously used server.  Done reconnecting.");
  }
  log::info("Maximum reconnect count reached.");
}

Result<io::Stream> Finger::connect(const Target& target) {
  auto stream = io::connect(target.address, std::nullopt, Deadline::after(options_.connect_timeout));
  if (stream) return stream;
  return fail(stream.error().kind,
              fmt::format("connect to {}: {}",
                          target.address.is_unix() ? target.peer.name() : target.peer.name_with_port(),
                          stream.error().text));
}

/// `again`: what has been seen already is not shown.
void Finger::probe(io::Stream stream, const Target& target, tls::Demands demands, bool again) {
  Dialogue dialogue(std::move(stream), line_limit_);
  dialogue.show(options_.shows_dialogue);
  session_ = nullptr;
  capabilities_ = {};
  if (options_.wrapper && !secure(dialogue, target, demands, again)) return;
  if (!greet(dialogue)) return;
  dialogue.show(options_.shows_dialogue && !again);
  if (!say_hello(dialogue)) return;
  bool wanted = demands.level > tls::Level::none && (options_.by_proxy || engine_.client(again) != nullptr);
  if (!options_.wrapper && wanted && capabilities_.has(smtp::Keyword::starttls)) {
    if (!start_tls(dialogue)) return;
    demands.session_key = capabilities_.server_name;
    if (!secure(dialogue, target, demands, again)) return;
    if (!again) (void)say_hello(dialogue);
  }
  dialogue.show(options_.shows_dialogue);
  quit(dialogue);
}

bool Finger::greet(Dialogue& dialogue) {
  auto reply = dialogue.read_reply(options_.connect_timeout);
  if (!reply) {
    log::info("{} while reading server greeting", reply.error().text);
    return false;
  }
  if (reply->positive()) return true;
  log::info("{} service not available: {}", options_.lmtp ? "LMTP" : "SMTP", reply->one_line());
  return false;
}

bool Finger::say_hello(Dialogue& dialogue) {
  const char* verb = options_.lmtp ? "LHLO" : "EHLO";
  dialogue.say(fmt::format("{} {}", verb, own_name_));
  auto reply = dialogue.read_reply(options_.command_timeout);
  if (!reply) {
    log::info("{} while sending {}", reply.error().text, verb);
    return false;
  }
  if (!reply->positive()) {
    log::info("{} rejected: {}", verb, reply->one_line());
    return false;
  }
  capabilities_ = smtp::parse_ehlo(reply->text, {});
  return true;
}

bool Finger::start_tls(Dialogue& dialogue) {
  dialogue.say("STARTTLS");
  auto reply = dialogue.read_reply(options_.command_timeout);
  if (!reply) tool::fail("{} while sending STARTTLS", reply.error().text);
  if (reply->positive()) return true;
  log::info("STARTTLS rejected: {}", reply->one_line());
  return false;
}

bool Finger::secure(Dialogue& dialogue, const Target& target, const tls::Demands& demands, bool again) {
  if (options_.by_proxy) return secure_by_proxy(dialogue, target, demands);
  const tls::Client* client = engine_.client(again);
  if (client == nullptr) return false;
  auto session = client->connect(dialogue.stream(), target.peer.name_with_port(), demands, sessions_,
                                 Deadline::after(options_.command_timeout));
  if (!session) return false;
  if (options_.shows_chain && !again) chain_ = chain_text(*session, engine_.digest());
  session_ = session.get();
  dialogue.stream().set_transport(std::move(session));
  // With what the server says next, it may have sent a session that can be resumed.
  dialogue.on_input(
      [this, client] { client->keep(*session_, sessions_, Deadline::after(options_.command_timeout)); });
  return true;
}

bool Finger::secure_by_proxy(Dialogue& dialogue, const Target& target, const tls::Demands& demands) {
  // Where the services are.
  tool::enter_queue_directory(config_);
  std::string address = fmt::format("[{}]:{}", target.peer.address, target.peer.port);
  clients::TlsProxyTask task{.service = address,
                             .peer = address,
                             .label = target.peer.name_with_port(),
                             .handshake = options_.command_timeout,
                             .idle = options_.command_timeout};
  Deadline deadline = Deadline::after(options_.command_timeout);
  auto begun = clients::request_tls_client(config_, "posttls-finger", task, demands, deadline);
  auto handed = begun ? begun->hand_over(dialogue.stream().fd(), deadline)
                      : Result<void>(std::unexpected(begun.error()));
  auto started = handed ? begun->wait_started(deadline)
                        : Result<proto::TlsProxyStarted>(std::unexpected(std::move(handed).error()));
  if (!started) {
    log::warning("{}", begun ? "error receiving TLS proxy context" : started.error().text);
    return false;
  }
  tls::LogTopics topics = tls::parse_log_topics("-L option", options_.topics);
  if (started->present && topics.has(tls::LogTopics::certificate)) {
    tls::Peer peer;
    peer.common_name = started->common_name;
    peer.issuer_name = started->issuer_name;
    peer.certificate_fingerprint = started->certificate_fingerprint;
    peer.key_fingerprint = started->key_fingerprint;
    log::info("{}", tls::certificate_line(peer, target.peer.name_with_port()));
  }
  if (topics.has(tls::LogTopics::summary)) log::info("{}", started->summary);
  dialogue.set_stream(std::move(*begun).take_stream());
  return true;
}

void Finger::quit(Dialogue& dialogue) {
  dialogue.say("QUIT");
  auto reply = dialogue.read_reply(options_.command_timeout);
  if (!reply) log::warning("{} while sending QUIT command", reply.error().text);
}

}  // namespace postrider::posttls_finger
