// What a handshake has come to.
#include <openssl/core_names.h>
#include <openssl/objects.h>

#include "base/text.h"
#include "tls/session.h"

namespace postrider::tls {

namespace {

std::string curve_of(const EVP_PKEY* key) {
  char name[80];
  size_t length = 0;
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof name, &length) != 1)
    return {};
  // The name that configurations use, where there are several.
  int id = OBJ_txt2nid(name);
  return id == NID_undef ? std::string(name, length) : OBJ_nid2sn(id);
}

void note_key_exchange(mail::ReceivedTls& out, EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_DH:
      out.key_exchange = "DHE";
      out.key_exchange_bits = EVP_PKEY_get_bits(key);
      break;
    case EVP_PKEY_EC:
      out.key_exchange = "ECDHE";
      out.key_exchange_curve = curve_of(key);
      break;
    default:
      out.key_exchange = OBJ_nid2sn(EVP_PKEY_get_base_id(key));
  }
}

mail::TlsSignature signature(const EVP_PKEY* key, int digest) {
  mail::TlsSignature out;
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:  // TLS 1.3 has only this way to sign with RSA.
    case EVP_PKEY_RSA_PSS:
      out.name = "RSA-PSS";
      out.bits = EVP_PKEY_get_bits(key);
      break;
    case EVP_PKEY_EC:
      out.name = "ECDSA";
      out.curve = curve_of(key);
      break;
    case EVP_PKEY_DSA:
      out.name = "DSA";
      out.bits = EVP_PKEY_get_bits(key);
      break;
    default:
      out.name = OBJ_nid2sn(EVP_PKEY_get_base_id(key));
  }
  if (digest != NID_undef) out.digest = OBJ_nid2sn(digest);
  return out;
}

}  // namespace

void Session::note_handshake() {
  SSL* ssl = connection_.get();
  mail::ReceivedTls& out = info_.handshake;
  out.protocol = SSL_get_version(ssl);
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  out.cipher = SSL_CIPHER_get_name(cipher);
  out.used_bits = SSL_CIPHER_get_bits(cipher, &out.algorithm_bits);
  info_.resumed = SSL_session_reused(ssl) == 1;
  // Earlier versions tell it all in the name of the cipher.
  if (SSL_version(ssl) < TLS1_3_VERSION) return;
  EVP_PKEY* exchanged = nullptr;
  if (SSL_get_peer_tmp_key(ssl, &exchanged) == 1) {
    Key key(exchanged);
    note_key_exchange(out, key.get());
  }
  int ours = NID_undef, theirs = NID_undef;
  (void)SSL_get_signature_nid(ssl, &ours);
  (void)SSL_get_peer_signature_nid(ssl, &theirs);
  if (info_.resumed) ours = theirs = NID_undef;
  const X509* own = SSL_get_certificate(ssl);
  const X509* peer = SSL_get0_peer_certificate(ssl);
  mail::TlsSignature &own_side = labels_.server ? out.server : out.client,
                     &peer_side = labels_.server ? out.client : out.server;
  bool signs = labels_.server || ours != NID_undef;
  if (own != nullptr && signs) own_side = signature(X509_get0_pubkey(own), ours);
  if (peer != nullptr) peer_side = signature(X509_get0_pubkey(peer), theirs);
}

void Session::note_peer(const EVP_MD* digest) {
  const X509* certificate = SSL_get0_peer_certificate(connection_.get());
  if (certificate == nullptr) return;
  Peer& peer = info_.peer;
  peer.present = true;
  // Of a session that is resumed, this is what was found when it was made.
  long result = SSL_get_verify_result(connection_.get());
  if (problems.none() && result != X509_V_OK) problems.note(result, 0, certificate);
  peer.trusted = problems.error == X509_V_OK;
  peer.common_name = common_name(certificate);
  peer.issuer_name = issuer_name(certificate);
  peer.subject = one_line(X509_get_subject_name(certificate));
  peer.issuer = one_line(X509_get_issuer_name(certificate));
  peer.certificate_fingerprint = certificate_fingerprint(certificate, digest);
  peer.key_fingerprint = key_fingerprint(certificate, digest);
}

}  // namespace postrider::tls
