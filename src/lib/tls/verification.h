// Looking at the certificates of peers. A handshake goes on whatever is wrong with them: what is to become of
// it, its caller decides.
#pragma once

#include <string>
#include <string_view>

#include "tls/openssl.h"

namespace postrider::tls {

/// What is wrong with a peer's certificates.
struct VerifyProblems {
  long error = X509_V_OK;  ///< Of the chain: the one nearest to the peer's own certificate.
  int depth = -1;          ///< Where that is; 0: the peer's own certificate.
  std::string issuer;      ///< Who has signed the certificate there.
  bool wrong_name = false;

  bool none() const { return error == X509_V_OK && !wrong_name; }
  void note(long problem, int at, const X509* certificate);
};

/// The kinds of it that a report tells apart (RFC 8460 section 4.3.1).
enum class VerifyFault : unsigned char { none, expired, wrong_name, untrusted };
VerifyFault fault_of(const VerifyProblems& problems);
/// "self-signed certificate" and so on, in the words of the library; empty where nothing is wrong.
std::string fault_text(const VerifyProblems& problems);

/// "certificate verification failed for name[address]: untrusted issuer /CN=Example CA", and other reasons.
/// `role` is the peer's: "client", "server".
std::string failure_line(const VerifyProblems& problems, std::string_view peer, std::string_view role);

/// Has the certificates of peers looked at, by SSL_VERIFY_... `mode`; what is found is in Session::problems.
void look_at_peers(SSL_CTX* context, int mode);

}  // namespace postrider::tls
