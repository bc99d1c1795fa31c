#include "tls/chain.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/text.h"
#include "log/log.h"

namespace postrider::tls {

namespace {

/// More objects in one file are a mistake.
constexpr size_t kMaxObjects = 256;

/// One object of a PEM file: a key or a certificate.
struct Object {
  Key key;
  Certificate certificate;
};

/// Memory that the library has allocated.
struct PemParts {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long length = 0;
  PemParts() = default;
  PemParts(const PemParts&) = delete;
  PemParts& operator=(const PemParts&) = delete;
  ~PemParts() {
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<size_t>(length));
  }
};

bool is_private_key(std::string_view name) {
  return name == "PRIVATE KEY" || (name.ends_with(" PRIVATE KEY") && name != "ENCRYPTED PRIVATE KEY");
}

bool is_certificate(std::string_view name) {
  return name == "CERTIFICATE" || name == "X509 CERTIFICATE" || name == "TRUSTED CERTIFICATE";
}

bool is_parameter(std::string_view name) {
  return name.ends_with(" PARAMETERS");
}

Result<Object> make_object(const PemParts& parts, const PemFile& file) {
  Object out;
  const unsigned char* data = parts.data;
  std::string_view name = parts.name;
  if (is_private_key(name)) {
    if (parts.header != nullptr && *parts.header != '\0') {
      return fail(ErrorKind::invalid, fmt::format("private key with a password in {}", file.name));
    }
    out.key.reset(d2i_AutoPrivateKey(nullptr, &data, parts.length));
    if (!out.key) return fail(ErrorKind::invalid, fmt::format("malformed private key in {}", file.name));
  } else {
    out.certificate.reset(name == "TRUSTED CERTIFICATE" ? d2i_X509_AUX(nullptr, &data, parts.length)
                                                        : d2i_X509(nullptr, &data, parts.length));
    if (!out.certificate)
      return fail(ErrorKind::invalid, fmt::format("malformed certificate in {}", file.name));
  }
  return out;
}

/// The keys and certificates of a file; parameters of curves and the like are passed over.
Result<std::vector<Object>> read_objects(const PemFile& file) {
  std::vector<Object> out;
  Bio bio(BIO_new_mem_buf(file.text.data(), static_cast<int>(file.text.size())));
  bool anything = false;
  for (;;) {
    PemParts parts;
    if (PEM_read_bio(bio.get(), &parts.name, &parts.header, &parts.data, &parts.length) != 1) break;
    anything = true;
    if (!is_private_key(parts.name) && !is_certificate(parts.name)) {
      if (!is_parameter(parts.name))
        log::warning("loading {}: ignoring PEM type: {}", file.name, printable(parts.name));
      continue;
    }
    if (out.size() == kMaxObjects)
      return fail(ErrorKind::limit, fmt::format("too many keys in {}", file.name));
    out.push_back(TRY(make_object(parts, file)));
  }
  unsigned long error = ERR_peek_last_error();
  if (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
    return fail(ErrorKind::invalid, fmt::format("malformed PEM data in {}", file.name));
  }
  ERR_clear_error();
  if (!anything) return fail(ErrorKind::not_found, fmt::format("No PEM data in {}", file.name));
  return out;
}

/// Where a key stands, for error texts.
struct Position {
  size_t index = 0;
  std::string file;
};

std::unexpected<Error> no_certificate(const Position& key) {
  return fail(ErrorKind::invalid, fmt::format("No certs for key at index {} in {}", key.index, key.file));
}

Result<void> check_key(const Chain& chain, const Position& key) {
  if (X509_check_private_key(chain.certificate.get(), chain.key.get()) == 1) return {};
  return fail(ErrorKind::invalid,
              fmt::format("key at index {} in {} does not match next certificate", key.index, key.file));
}

struct StackFreer {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};

template <typename Use>
Result<void> use(const Chain& chain, Use call) {
  // Without a list of them OpenSSL looks for issuers among the authorities that are trusted.
  std::unique_ptr<STACK_OF(X509), StackFreer> issuers(chain.issuers.empty() ? nullptr : sk_X509_new_null());
  for (const Certificate& certificate : chain.issuers)
    sk_X509_push(issuers.get(), certificate.get());
  if (call(chain.certificate.get(), chain.key.get(), issuers.get()) == 1) return {};
  return fail(ErrorKind::invalid, "the key and its certificate cannot be used");
}

}  // namespace

Result<std::vector<Chain>> read_chains(const std::vector<PemFile>& files) {
  std::vector<Chain> out;
  Position key;
  for (const PemFile& file : files) {
    size_t index = 0;
    for (Object& object : TRY(read_objects(file))) {
      ++index;
      if (object.key) {
        if (!out.empty() && !out.back().certificate) return no_certificate(key);
        out.emplace_back().key = std::move(object.key);
        key = {index, file.name};
      } else if (out.empty()) {
        return fail(ErrorKind::invalid, fmt::format("error loading chain from {}: key not first", file.name));
      } else if (!out.back().certificate) {
        out.back().certificate = std::move(object.certificate);
        TRY(check_key(out.back(), key));
      } else {
        out.back().issuers.push_back(std::move(object.certificate));
      }
    }
  }
  if (!out.empty() && !out.back().certificate) return no_certificate(key);
  return out;
}

Result<Chain> read_pair(const PemFile& certificates, const PemFile& key) {
  Chain out;
  for (Object& object : TRY(read_objects(certificates))) {
    if (!object.certificate) continue;
    if (out.certificate) {
      out.issuers.push_back(std::move(object.certificate));
    } else {
      out.certificate = std::move(object.certificate);
    }
  }
  if (!out.certificate)
    return fail(ErrorKind::not_found, fmt::format("No certificate found in {}", certificates.name));
  for (Object& object : TRY(read_objects(key))) {
    if (object.key && !out.key) out.key = std::move(object.key);
  }
  if (!out.key) return fail(ErrorKind::not_found, fmt::format("No private key found in {}", key.name));
  if (X509_check_private_key(out.certificate.get(), out.key.get()) != 1) {
    return fail(ErrorKind::invalid, fmt::format("the key in {} does not match the certificate in {}",
                                                key.name, certificates.name));
  }
  return out;
}

Result<void> use_chain(SSL_CTX* context, const Chain& chain) {
  return use(chain, [&](X509* certificate, EVP_PKEY* key, STACK_OF(X509) * issuers) {
    return SSL_CTX_use_cert_and_key(context, certificate, key, issuers, 1);
  });
}

Result<void> use_chain(SSL* connection, const Chain& chain) {
  return use(chain, [&](X509* certificate, EVP_PKEY* key, STACK_OF(X509) * issuers) {
    return SSL_use_cert_and_key(connection, certificate, key, issuers, 1);
  });
}

}  // namespace postrider::tls
