#include "tools/posttls-finger/chain.h"

#include <fmt/format.h>
#include <openssl/pem.h>

#include "tls/peer.h"

namespace postrider::posttls_finger {

namespace {

std::string pem_text(const X509* certificate) {
  tls::Bio out(BIO_new(BIO_s_mem()));
  if (!out || PEM_write_bio_X509(out.get(), certificate) != 1) return {};
  char* data = nullptr;
  long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

}  // namespace

std::string chain_text(const tls::Session& session, const EVP_MD* digest) {
  const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(session.connection());
  if (chain == nullptr) return {};
  std::string out = "\n---\nCertificate chain\n";
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const X509* certificate = sk_X509_value(chain, i);
    out += fmt::format("{:2d} subject: {}\n    issuer: {}\n   cert digest={}\n   pkey digest={}\n{}", i,
                       tls::one_line(X509_get_subject_name(certificate)),
                       tls::one_line(X509_get_issuer_name(certificate)),
                       tls::certificate_fingerprint(certificate, digest),
                       tls::key_fingerprint(certificate, digest), pem_text(certificate));
  }
  return out;
}

}  // namespace postrider::posttls_finger
