// Certificates of peers: names and fingerprints.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "tls/openssl.h"

namespace postrider::tls {

/// What is kept of a peer's certificate or raw public key. Names are made printable: a peer may call itself
/// anything.
struct Peer {
  bool present = false;         ///< It has shown a certificate or a key.
  bool raw_public_key = false;  ///< It was a bare key (RFC 7250).
  bool trusted = false;         ///< Signed by an authority that is trusted here.
  bool matched = false;         ///< A server that has proved to be the one that was wanted.
  bool verified = false;        ///< The same, and nobody can have lied about whom to want.
  std::string common_name, issuer_name;
  std::string subject, issuer;                           ///< "/O=Example/CN=mx.example".
  std::string certificate_fingerprint, key_fingerprint;  ///< "35:1E:C7:..."
  std::string key_type;                                  ///< Of a raw public key: "ED25519".
};

/// "/CN=client.test", as log lines have names.
std::string one_line(const X509_NAME* name);
/// The last common name of the subject; "" when there is none, or none that can be shown.
std::string common_name(const X509* certificate);
/// Of the issuer; its organisation where it has no common name.
std::string issuer_name(const X509* certificate);

/// A digest algorithm of smtpd_tls_fingerprint_digest; null for one that the library does not have.
const EVP_MD* find_digest(const std::string& name);
/// "35:1E:C7:..." of bytes.
std::string fingerprint(std::string_view bytes, const EVP_MD* digest);
std::string certificate_fingerprint(const X509* certificate, const EVP_MD* digest);
/// Of the key as it stands in the certificate (SubjectPublicKeyInfo).
std::string key_fingerprint(const X509* certificate, const EVP_MD* digest);

}  // namespace postrider::tls
