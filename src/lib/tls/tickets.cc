#include "tls/tickets.h"

#include <algorithm>
#include <cstring>
#include <ctime>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "log/log.h"
#include "tls/session.h"

namespace postrider::tls {

namespace {

constexpr int kBlockSize = 16;

int keys_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

int cipher_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

const TicketKeys* keys_of(const SSL* connection) {
  return static_cast<const TicketKeys*>(SSL_get_ex_data(connection, keys_index()));
}

/// The key that a ticket names.
const TicketKey* find_key(const TicketKeys* keys, std::string_view name) {
  if (keys == nullptr) return nullptr;
  for (const std::optional<TicketKey>* key : {&keys->current, &keys->previous}) {
    if (*key && (*key)->name == name) return &**key;
  }
  return nullptr;
}

bool set_up(const TicketKey& key, const EVP_CIPHER* cipher, unsigned char* iv, EVP_CIPHER_CTX* sealing,
            EVP_MAC_CTX* mac, bool make) {
  std::string mac_key = key.mac_key;
  char digest[] = "sha256";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key.data(), mac_key.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  const auto* cipher_key = reinterpret_cast<const unsigned char*>(key.cipher_key.data());
  return EVP_MAC_CTX_set_params(mac, parameters) == 1 &&
         EVP_CipherInit_ex(sealing, cipher, nullptr, cipher_key, iv, make ? 1 : 0) == 1;
}

/// As OpenSSL wants it: 0: no ticket, or no key for it; 1: done; 2: done, and the client needs a newer one.
int on_ticket(SSL* connection, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* sealing,
              EVP_MAC_CTX* mac, int make) {
  const auto* cipher =
      static_cast<const EVP_CIPHER*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), cipher_index()));
  const TicketKeys* keys = keys_of(connection);
  Session& session = Session::of(connection);
  const TicketKey* key = nullptr;
  if (make == 1) {
    if (keys == nullptr || !keys->current || RAND_bytes(iv, EVP_CIPHER_get_iv_length(cipher)) != 1) return 0;
    key = &*keys->current;
    memcpy(name, key->name.data(), TicketKey::kNameSize);
  } else {
    key = find_key(keys, std::string_view(reinterpret_cast<char*>(name), TicketKey::kNameSize));
    if (key == nullptr) return 0;
  }
  if (!set_up(*key, cipher, iv, sealing, mac, make == 1)) return -1;
  if (session.labels().topics.has(LogTopics::cache)) {
    log::info("{}: {} session ticket, key expiration: {}", session.labels().peer,
              make == 1 ? "Issuing" : "Decrypting", key->expires);
  }
  if (make == 1) return 1;
  session.used_ticket = true;
  return keys->current && key == &*keys->current ? 1 : 2;
}

}  // namespace

const EVP_CIPHER* find_ticket_cipher(const std::string& name) {
  if (name.empty()) return nullptr;
  const EVP_CIPHER* cipher = EVP_get_cipherbyname(name.c_str());
  if (cipher != nullptr && EVP_CIPHER_get_mode(cipher) == EVP_CIPH_CBC_MODE &&
      EVP_CIPHER_get_block_size(cipher) == kBlockSize && EVP_CIPHER_get_key_length(cipher) >= 16 &&
      EVP_CIPHER_get_key_length(cipher) <= static_cast<int>(TicketKey::kKeySize)) {
    return cipher;
  }
  ERR_clear_error();
  log::warning("tls_session_ticket_cipher: invalid value: {}; session tickets disabled", name);
  return nullptr;
}

void use_tickets(SSL_CTX* context, const EVP_CIPHER* cipher) {
  SSL_CTX_set_ex_data(context, cipher_index(), const_cast<EVP_CIPHER*>(cipher));  // NOLINT: OpenSSL's way.
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
  // One is enough for a client that comes back.
  SSL_CTX_set_num_tickets(context, 1);
}

void use_ticket_keys(SSL* connection, const TicketKeys* keys) {
  if (keys == nullptr || !keys->current) {
    // A client of TLS 1.3 takes an empty ticket for an error.
    SSL_set_ex_data(connection, keys_index(), nullptr);
    SSL_set_options(connection, SSL_OP_NO_TICKET);
    SSL_set_num_tickets(connection, 0);
    return;
  }
  SSL_set_ex_data(connection, keys_index(), const_cast<TicketKeys*>(keys));  // NOLINT: as above.
}

}  // namespace postrider::tls
