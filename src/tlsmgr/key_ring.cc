#include "tlsmgr/key_ring.h"

#include <utility>

namespace postrider::tlsmgr {

tls::TicketKeys KeyRing::at(std::time_t now) {
  if (half_life_.count() <= 0) return {};
  if (keys_.current && now >= keys_.current->expires)
    keys_.previous = std::exchange(keys_.current, std::nullopt);
  if (keys_.previous && now >= keys_.previous->expires + half_life_.count()) keys_.previous.reset();
  if (!keys_.current && !make_key(now)) return {};
  return keys_;
}

bool KeyRing::make_key(std::time_t now) {
  tls::TicketKey key;
  key.name.resize(tls::TicketKey::kNameSize);
  key.cipher_key.resize(tls::TicketKey::kKeySize);
  key.mac_key.resize(tls::TicketKey::kKeySize);
  for (std::string* part : {&key.name, &key.cipher_key, &key.mac_key}) {
    if (!random_(*part)) return false;
  }
  key.expires = now + half_life_.count();
  keys_.current = std::move(key);
  return true;
}

}  // namespace postrider::tlsmgr
