#include "tlsmgr/service.h"

#include <algorithm>

#include "tlsmgr/randomness.h"

namespace postrider::tlsmgr {

namespace {

proto::TlsTicketKey message_of(const tls::TicketKey& key) {
  proto::TlsTicketKey out;
  out.name = key.name;
  out.cipher_key = key.cipher_key;
  out.mac_key = key.mac_key;
  out.expires = key.expires;
  return out;
}

}  // namespace

void Service::add_handlers(ipc::Dispatcher& dispatcher) {
  dispatcher.on<proto::TlsSeed>([this](const proto::TlsSeed& request, Deadline) { return seed(request); });
  dispatcher.on<proto::TlsTicketKeysQuery>(
      [this](const proto::TlsTicketKeysQuery&, Deadline) { return ticket_keys(); });
  dispatcher.on<proto::TlsSession>(
      [this](const proto::TlsSession& request, Deadline deadline) { return session(request, deadline); });
}

Result<proto::TlsSeedReply> Service::seed(const proto::TlsSeed& request) {
  std::string bytes(std::clamp<size_t>(request.bytes, 1, proto::kMaxTlsSeed), '\0');
  if (!Randomness::fill(bytes)) return fail(ErrorKind::temporary, "no randomness");
  proto::TlsSeedReply reply;
  reply.seed = std::move(bytes);
  return reply;
}

Result<proto::TlsTicketKeysReply> Service::ticket_keys() {
  proto::TlsTicketKeysReply reply;
  tls::TicketKeys keys = keys_.at(now_());
  if (keys.current) reply.keys.push_back(message_of(*keys.current));
  if (keys.current && keys.previous) reply.keys.push_back(message_of(*keys.previous));
  return reply;
}

Result<proto::TlsSessionReply> Service::session(const proto::TlsSession& request, Deadline deadline) {
  using Action = proto::TlsSession::Action;
  auto which = static_cast<size_t>(request.cache);
  if (which >= caches_.size() || request.id.empty() || request.action > Action::remove)
    return fail(ErrorKind::invalid, "malformed request about a TLS session");
  proto::TlsSessionReply reply;
  if (!caches_[which]) return reply;
  SessionCache& cache = *caches_[which];
  switch (request.action) {
    case Action::find: {
      auto found = TRY(cache.find(request.id, now_(), deadline));
      if (found && found->size() <= ipc::kMaxChunk) reply.data = std::move(*found);
      break;
    }
    case Action::save:
      TRY(cache.save(request.id, request.data, now_(), deadline));
      break;
    case Action::remove:
      TRY(cache.remove(request.id, deadline));
      break;
  }
  return reply;
}

}  // namespace postrider::tlsmgr
