#include "tls/peer.h"

#include <openssl/objects.h>

#include "base/text.h"

namespace postrider::tls {

namespace {

/// Longer names are nobody's.
constexpr size_t kMaxName = 255;

std::string entry_text(const X509_NAME* name, int kind) {
  int last = -1;
  for (int i = -1; (i = X509_NAME_get_index_by_NID(name, kind, i)) >= 0;)
    last = i;
  if (last < 0) return {};
  unsigned char* text = nullptr;
  int length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
  if (length < 0) return {};
  std::string out(reinterpret_cast<char*>(text), static_cast<size_t>(length));
  OPENSSL_free(text);
  // A null byte hides what is behind it from some programs.
  if (out.size() > kMaxName || out.find('\0') != std::string::npos) return {};
  return printable(out);
}

}  // namespace

std::string one_line(const X509_NAME* name) {
  char text[1024];
  if (name == nullptr || X509_NAME_oneline(name, text, sizeof text) == nullptr) return {};
  return printable(text);
}

std::string common_name(const X509* certificate) {
  return entry_text(X509_get_subject_name(certificate), NID_commonName);
}

std::string issuer_name(const X509* certificate) {
  const X509_NAME* name = X509_get_issuer_name(certificate);
  std::string out = entry_text(name, NID_commonName);
  return out.empty() ? entry_text(name, NID_organizationName) : out;
}

const EVP_MD* find_digest(const std::string& name) {
  return EVP_get_digestbyname(name.c_str());
}

std::string fingerprint(std::string_view bytes, const EVP_MD* digest) {
  unsigned char value[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (digest == nullptr || EVP_Digest(bytes.data(), bytes.size(), value, &size, digest, nullptr) != 1)
    return {};
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (unsigned i = 0; i < size; ++i) {
    if (i > 0) out += ':';
    out += kDigits[value[i] >> 4];
    out += kDigits[value[i] & 15];
  }
  return out;
}

namespace {

/// The fingerprint of what `encode` makes, with the library's convention for its memory.
template <typename Encode>
std::string encoded_fingerprint(const EVP_MD* digest, Encode encode) {
  unsigned char* data = nullptr;
  int length = encode(&data);
  if (length < 0) return {};
  std::string out =
      fingerprint(std::string_view(reinterpret_cast<char*>(data), static_cast<size_t>(length)), digest);
  OPENSSL_free(data);
  return out;
}

}  // namespace

std::string certificate_fingerprint(const X509* certificate, const EVP_MD* digest) {
  return encoded_fingerprint(digest, [&](unsigned char** out) { return i2d_X509(certificate, out); });
}

std::string key_fingerprint(const X509* certificate, const EVP_MD* digest) {
  const X509_PUBKEY* key = X509_get_X509_PUBKEY(certificate);
  return encoded_fingerprint(digest, [&](unsigned char** out) { return i2d_X509_PUBKEY(key, out); });
}

}  // namespace postrider::tls
