#include "tls/credentials.h"

#include <cstring>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "sys/file.h"

namespace postrider::tls {

namespace {

constexpr size_t kMaxFile = size_t{4} << 20;

Result<PemFile> read_pem(const std::string& path) {
  auto text = sys::read_file(path, kMaxFile);
  if (!text) {
    return fail(ErrorKind::not_found, fmt::format("error opening chain file: {}: {}", path,
                                                  text.error().code != 0 ? strerror(text.error().code)
                                                                         : text.error().text.c_str()));
  }
  return PemFile{path, std::move(*text)};
}

std::unexpected<Error> cannot_load(const std::string& files) {
  return fail(ErrorKind::invalid, fmt::format("error loading private keys and certificates from: {}: "
                                              "disabling TLS support",
                                              files));
}

Result<void> load_chain_files(SSL_CTX* context, const IdentityFiles& identity) {
  for (const IdentityFiles::Pair& pair : identity.pairs) {
    if (pair.certificate.empty() || equals_ignore_case(pair.certificate, "none")) continue;
    log::warning(
        "Both {0}chain_files and one or more of the legacy  {0}cert_file, {0}eccert_file or "
        "{0}dcert_file are non-empty; the legacy  parameters will be ignored",
        identity.prefix);
    break;
  }
  std::vector<PemFile> files;
  for (std::string_view path : split_any(identity.chain_files, kListSeparators))
    files.push_back(TRY(read_pem(std::string(path))));
  auto chains = read_chains(files);
  if (!chains) {
    log::warning("{}", chains.error().text);
    return cannot_load(identity.chain_files);
  }
  for (const Chain& chain : *chains) {
    if (auto used = use_chain(context, chain); !used) {
      log::warning("{}", used.error().text);
      return cannot_load(identity.chain_files);
    }
  }
  return {};
}

Result<void> load_pair(SSL_CTX* context, const IdentityFiles::Pair& pair) {
  PemFile certificates = TRY(read_pem(pair.certificate));
  if (pair.key == pair.certificate) {
    auto chain = read_pair(certificates, certificates);
    if (chain && use_chain(context, *chain)) return {};
    if (!chain) log::warning("{}", chain.error().text);
    return cannot_load(pair.certificate);
  }
  auto no_key = [&] {
    return fail(ErrorKind::invalid,
                fmt::format("cannot get {} private key from file \"{}\": disabling TLS support", pair.kind,
                            pair.key));
  };
  auto key_text = sys::read_file(pair.key, kMaxFile);
  if (!key_text) {
    log::warning("{}", key_text.error().text);
    return no_key();
  }
  auto chain = read_pair(certificates, {pair.key, std::move(*key_text)});
  if (!chain) log::warning("{}", chain.error().text);
  if (!chain || !use_chain(context, *chain)) return no_key();
  return {};
}

}  // namespace

Result<bool> load_identity(SSL_CTX* context, const IdentityFiles& files) {
  if (!files.chain_files.empty()) {
    TRY(load_chain_files(context, files));
    return true;
  }
  bool any = false;
  for (const IdentityFiles::Pair& pair : files.pairs) {
    if (pair.certificate.empty()) continue;
    TRY(load_pair(context, pair));
    any = true;
  }
  return any;
}

Result<void> load_authorities(SSL_CTX* context, const AuthorityFiles& files) {
  if (!files.file.empty() || !files.path.empty()) {
    const char* file_name = files.file.empty() ? nullptr : files.file.c_str();
    const char* path_name = files.path.empty() ? nullptr : files.path.c_str();
    if (SSL_CTX_load_verify_locations(context, file_name, path_name) != 1) {
      std::string what;
      if (file_name != nullptr) what += fmt::format(" CAfile=\"{}\"", files.file);
      if (path_name != nullptr) what += fmt::format(" CApath=\"{}\"", files.path);
      log::info("cannot load Certification Authority data,{}: disabling TLS support", what);
      return fail(ErrorKind::invalid, "");
    }
  }
  if (files.append_default) SSL_CTX_set_default_verify_paths(context);
  return {};
}

std::vector<std::string> required_paths(const AuthorityFiles& files) {
  std::vector<std::string> out;
  if (!files.path.empty()) out.push_back(files.path);
  if (files.append_default) {
    out.emplace_back(X509_get_default_cert_dir());
    // Where Debian's links in that directory lead.
    out.emplace_back("/usr/share/ca-certificates");
    out.emplace_back("/usr/local/share/ca-certificates");
  }
  return out;
}

}  // namespace postrider::tls
