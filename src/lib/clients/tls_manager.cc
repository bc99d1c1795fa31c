#include "clients/tls_manager.h"

#include <algorithm>

#include <openssl/rand.h>

#include "clients/endpoint.h"
#include "config/params/tls.h"
#include "log/log.h"

namespace postrider::clients {

namespace params = config::params;

namespace {

constexpr seconds kPatience{5};
constexpr std::time_t kPause = 60;

tls::TicketKey key_of(const proto::TlsTicketKey& key) {
  return {key.name, key.cipher_key, key.mac_key, static_cast<std::time_t>(key.expires)};
}

bool is_complete(const proto::TlsTicketKey& key) {
  return key.name.size() == tls::TicketKey::kNameSize && key.cipher_key.size() == tls::TicketKey::kKeySize &&
         key.mac_key.size() == tls::TicketKey::kKeySize;
}

}  // namespace

TlsManager::TlsManager(const config::Config& config, std::string_view asker)
    : client_(private_endpoint(config, config.get(params::tlsmgr_service_name), asker)),
      random_bytes_(static_cast<uint32_t>(std::clamp(config.get(params::tls_daemon_random_bytes), 1,
                                                     static_cast<int>(proto::kMaxTlsSeed)))) {}

template <typename Reply, typename Request>
Result<Reply> TlsManager::ask(Request request, Deadline deadline) {
  auto reply = client_.call<Reply>(request, Deadline::after(kPatience).or_sooner(deadline));
  std::time_t now = std::time(nullptr);
  if (!reply && now >= complain_again_) {
    complain_again_ = now + kPause;
    log::warning("tlsmgr does not answer: {}", reply.error().text);
  }
  return reply;
}

void TlsManager::seed(Deadline deadline) {
  proto::TlsSeed request;
  request.bytes = random_bytes_;
  auto reply = ask<proto::TlsSeedReply>(request, deadline);
  if (reply) RAND_seed(reply->seed.data(), static_cast<int>(reply->seed.size()));
}

std::shared_ptr<const tls::TicketKeys> TlsManager::ticket_keys(Deadline deadline) {
  std::time_t now = std::time(nullptr);
  if (now < ask_again_) return keys_;
  // Other handshakes do not wait with this one.
  ask_again_ = now + kPause;
  auto reply = ask<proto::TlsTicketKeysReply>(proto::TlsTicketKeysQuery{}, deadline);
  keys_.reset();
  if (!reply || reply->keys.empty() || !std::ranges::all_of(reply->keys, is_complete)) return nullptr;
  auto made = std::make_shared<tls::TicketKeys>();
  made->current = key_of(reply->keys[0]);
  if (reply->keys.size() > 1) made->previous = key_of(reply->keys[1]);
  ask_again_ = made->current->expires;
  keys_ = std::move(made);
  return keys_;
}

std::optional<std::string> TlsManager::session(proto::TlsSession request, Deadline deadline) {
  auto reply = ask<proto::TlsSessionReply>(std::move(request), deadline);
  if (!reply || !reply->data) return std::nullopt;
  return std::move(*reply->data);
}

std::optional<std::string> TlsManager::find_session(proto::TlsCache cache, std::string_view id,
                                                    Deadline deadline) {
  proto::TlsSession request;
  request.cache = cache;
  request.id = id;
  return session(std::move(request), deadline);
}

void TlsManager::save_session(proto::TlsCache cache, std::string_view id, std::string_view data,
                              Deadline deadline) {
  proto::TlsSession request;
  request.action = proto::TlsSession::Action::save;
  request.cache = cache;
  request.id = id;
  request.data = data;
  (void)session(std::move(request), deadline);
}

void TlsManager::remove_session(proto::TlsCache cache, std::string_view id, Deadline deadline) {
  proto::TlsSession request;
  request.action = proto::TlsSession::Action::remove;
  request.cache = cache;
  request.id = id;
  (void)session(std::move(request), deadline);
}

}  // namespace postrider::clients
