// What "postfix tls" has openssl(1) do: private keys, certificates, requests for them.
//
// The program, not the library: it reads the configuration of the administrator's OpenSSL, and with
// openssl_path another build of it can make the keys.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postrider::postfix {

enum class KeyAlgorithm : unsigned char { rsa, ecdsa };

/// "rsa", "ecdsa".
std::string_view name_of(KeyAlgorithm algorithm);

class Openssl {
 public:
  /// `path`: openssl_path; a name without "/" is searched in PATH. An error when it does not run.
  static Result<Openssl> find(const std::string& path);

  /// A new private key, PEM. `bits` is a number for RSA, the name of a curve for ECDSA.
  Result<std::string> make_key(KeyAlgorithm algorithm, const std::string& bits) const;
  /// The private key in a file that may have certificates too, PEM.
  Result<std::string> private_key(const std::string& file) const;
  /// The public key, PEM, that belongs to the private key, or to the first certificate, in a file.
  Result<std::string> public_key(const std::string& key_file) const;
  Result<std::string> certified_key(const std::string& certificate_file) const;
  /// A certificate, PEM, that the key signs itself, for a hundred years. The first name is its subject's.
  /// Names are of letters, digits, '.', '-', '_' and '*': they become part of a configuration text.
  Result<std::string> self_signed(const std::string& key_file, const std::vector<std::string>& names) const;
  /// A certificate signing request, PEM, with the names as alternative names.
  Result<std::string> signing_request(const std::string& key_file,
                                      const std::vector<std::string>& names) const;
  /// In hexadecimal.
  Result<std::string> sha256(std::string_view data) const;

 private:
  explicit Openssl(std::string program) : program_(std::move(program)) {}
  Result<std::string> run(std::vector<std::string> arguments, std::string_view input = {}) const;

  std::string program_;
};

/// A public key as TLSA records have it (DER), from PEM.
Result<std::string> public_key_der(std::string_view pem);
/// An error for keys of another kind.
Result<KeyAlgorithm> algorithm_of(std::string_view der);

}  // namespace postrider::postfix
