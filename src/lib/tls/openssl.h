// OpenSSL's objects with owners; its errors as text.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/bio.h>
#include <openssl/dh.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace postrider::tls {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Context = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, Freer<SSL_free>>;
using SavedSession = std::unique_ptr<SSL_SESSION, Freer<SSL_SESSION_free>>;

/// The library's errors since the last call, oldest first: "error:0A000102:SSL routines::unsupported
/// protocol:file:line:". Errors belong to the thread: whoever makes one has to take it before suspending.
std::vector<std::string> take_errors();
/// The same, as warnings in the log: "TLS library problem: ...".
void log_errors();

}  // namespace postrider::tls
