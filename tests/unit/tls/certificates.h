// Keys and certificates that live as long as a test.
#pragma once

#include <stdexcept>
#include <string>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tls/openssl.h"

namespace postrider::tls {

struct TestIdentity {
  Key key;
  Certificate certificate;

  std::string key_pem() const {
    Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(bio.get());
  }
  std::string certificate_pem() const {
    Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate.get());
    return text_of(bio.get());
  }
  /// As smtpd_tls_chain_files wants it.
  std::string pem() const { return key_pem() + certificate_pem(); }

 private:
  static std::string text_of(BIO* bio) {
    char* data = nullptr;
    long size = BIO_get_mem_data(bio, &data);
    return std::string(data, static_cast<size_t>(size));
  }
};

/// A certificate for `name`; without an issuer it signs itself, as an authority does. Valid for `days` from
/// yesterday. With `authority` it may sign others.
inline TestIdentity make_identity(const std::string& name, const TestIdentity* issuer = nullptr,
                                  int days = 100, const char* kind = "EC", bool authority = false) {
  constexpr long kDay = 86400;
  TestIdentity out;
  out.key.reset(std::string(kind) == "EC" ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
                                          : EVP_PKEY_Q_keygen(nullptr, nullptr, kind, size_t{2048}));
  out.certificate.reset(X509_new());
  X509* c = out.certificate.get();
  static long serial = 1;
  X509_set_version(c, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(c), serial++);
  X509_gmtime_adj(X509_getm_notBefore(c), -kDay);
  X509_gmtime_adj(X509_getm_notAfter(c), kDay * (days - 1));
  X509_set_pubkey(c, out.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(c, X509_get_subject_name(issuer ? issuer->certificate.get() : c));
  if (issuer == nullptr || authority) {
    X509_EXTENSION* extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(c, extension, -1);
    X509_EXTENSION_free(extension);
  }
  if (X509_sign(c, issuer ? issuer->key.get() : out.key.get(), EVP_sha256()) == 0)
    throw std::runtime_error("cannot sign a certificate");
  return out;
}

}  // namespace postrider::tls
