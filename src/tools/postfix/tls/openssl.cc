#include "tools/postfix/tls/openssl.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace postrider::postfix {

namespace {

/// Of a key, a certificate or an error text.
constexpr size_t kMaxOutput = 1 << 20;
/// A hundred years, in days.
constexpr const char* kLifetime = "36525";

/// The configuration of "openssl req", which is complete without that of the system.
std::string request_settings(const std::vector<std::string>& names, std::string_view first_line) {
  std::string alternatives;
  for (const std::string& name : names)
    alternatives += fmt::format("{}DNS:{}", alternatives.empty() ? "" : ", ", name);
  return fmt::format(
      "[req]\nprompt = no\ndistinguished_name = subject\n[subject]\nCN = {}\n[extensions]\n{}"
      "subjectKeyIdentifier = hash\nextendedKeyUsage = serverAuth, clientAuth\nsubjectAltName = {}\n",
      names.front(), first_line, alternatives);
}

}  // namespace

std::string_view name_of(KeyAlgorithm algorithm) {
  return algorithm == KeyAlgorithm::rsa ? "rsa" : "ecdsa";
}

Result<Openssl> Openssl::find(const std::string& path) {
  auto program = sys::find_program(path);
  if (program) {
    Openssl openssl(std::move(*program));
    if (openssl.run({"version"})) return openssl;
  }
  return fail(ErrorKind::invalid,
              fmt::format("No working openssl(1) command found with 'openssl_path = {}'", path));
}

/// What it prints; its complaints are the error's text. It says little enough of them for a pipe to hold.
Result<std::string> Openssl::run(std::vector<std::string> arguments, std::string_view input) const {
  auto in = TRY(sys::make_pipe());
  auto out = TRY(sys::make_pipe());
  auto complaints = TRY(sys::make_pipe());
  arguments.insert(arguments.begin(), program_);
  pid_t child = TRY(
      sys::spawn({.argv = std::move(arguments),
                  .environment = sys::environment(),
                  .descriptors = {{in.read.get(), 0}, {out.write.get(), 1}, {complaints.write.get(), 2}}}));
  for (sys::Fd* theirs : {&in.read, &out.write, &complaints.write})
    theirs->reset();
  // It may not read all of it, or nothing.
  (void)sys::write_all(in.write.get(), input);
  in.write.reset();
  auto output = sys::read_all(out.read.get(), kMaxOutput);
  auto text = sys::read_all(complaints.read.get(), kMaxOutput);
  int status = TRY(sys::wait_for(child));
  if (status == 0) return output;
  return fail(ErrorKind::invalid, text && !text->empty() ? *text : fmt::format("exit status {}", status));
}

Result<std::string> Openssl::make_key(KeyAlgorithm algorithm, const std::string& bits) const {
  if (algorithm == KeyAlgorithm::rsa)
    return run({"genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:" + bits});
  // The one curve that openssl knows by another name than TLS.
  std::string curve = bits == "secp256r1" ? "prime256v1" : bits;
  return run({"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + curve, "-pkeyopt",
              "ec_param_enc:named_curve"});
}

Result<std::string> Openssl::private_key(const std::string& file) const {
  return run({"pkey", "-in", file});
}

Result<std::string> Openssl::public_key(const std::string& key_file) const {
  return run({"pkey", "-in", key_file, "-pubout"});
}

Result<std::string> Openssl::certified_key(const std::string& certificate_file) const {
  return run({"x509", "-in", certificate_file, "-noout", "-pubkey"});
}

Result<std::string> Openssl::self_signed(const std::string& key_file,
                                         const std::vector<std::string>& names) const {
  std::string settings = request_settings(names, "basicConstraints = CA:FALSE\n");
  return run({"req", "-x509", "-new", "-sha256", "-days", kLifetime, "-key", key_file, "-config",
              "/dev/stdin", "-extensions", "extensions"},
             settings);
}

Result<std::string> Openssl::signing_request(const std::string& key_file,
                                             const std::vector<std::string>& names) const {
  std::string settings = request_settings(names, "");
  // Authorities go by the alternative names, and fill in the subject.
  return run({"req", "-new", "-sha256", "-subj", "/", "-key", key_file, "-config", "/dev/stdin", "-reqexts",
              "extensions"},
             settings);
}

Result<std::string> Openssl::sha256(std::string_view data) const {
  // "HEX *stdin"
  std::string line = TRY(run({"dgst", "-sha256", "-r"}, data));
  return line.substr(0, line.find(' '));
}

Result<std::string> public_key_der(std::string_view pem) {
  std::string body;
  for (std::string_view line : split_any(pem, "\r\n"))
    if (!line.starts_with("-----")) body += line;
  auto der = base64_decode(body);
  if (!der || der->empty()) return fail(ErrorKind::invalid, "not a public key");
  return *der;
}

Result<KeyAlgorithm> algorithm_of(std::string_view der) {
  // The object identifiers 1.2.840.113549.1.1.1 and 1.2.840.10045.2.1, near the start.
  constexpr std::string_view kRsa("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9);
  constexpr std::string_view kEc("\x2a\x86\x48\xce\x3d\x02\x01", 7);
  std::string_view start = der.substr(0, 32);
  if (start.find(kRsa) != start.npos) return KeyAlgorithm::rsa;
  if (start.find(kEc) != start.npos) return KeyAlgorithm::ecdsa;
  return fail(ErrorKind::invalid, "neither an RSA nor an ECDSA key");
}

}  // namespace postrider::postfix
