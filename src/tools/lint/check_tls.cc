// Certificates and keys: whether they are there, belong together, and are in date.
#include <sys/stat.h>

#include <cerrno>
#include <ctime>
#include <memory>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/encoding.h"
#include "base/text.h"
#include "config/table.h"
#include "sys/file.h"
#include "table/open.h"
#include "tls/chain.h"
#include "tls/openssl.h"
#include "tools/lint/checks.h"
#include "tools/lint/secrets.h"
#include "tools/lint/tables.h"

namespace postrider::lint {

namespace {

constexpr size_t kMaxFile = size_t{4} << 20;
constexpr int kWarnDays = 14;
constexpr int kSecondsPerDay = 86400;

using tls::Bio;
using tls::Certificate;
using tls::Key;

Bio bio_of(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// A key with a password cannot be used by a daemon; nobody is asked for one here.
int no_password(char*, int, int, void*) {
  return 0;
}

Key read_key(const std::string& text) {
  Bio bio = bio_of(text);
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  return key;
}

Certificate read_certificate(const std::string& text) {
  Bio bio = bio_of(text);
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  return certificate;
}

std::string date_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unknown date";
  char text[32];
  size_t length = std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return std::string(text, length);
}

class TlsCheck {
 public:
  TlsCheck(const Model& model, Report& report, const Service* service)
      : model_(model), report_(report), service_(service) {}

  /// "smtpd" + "_tls_cert_file" and so on.
  void side(const std::string& prefix) {
    std::string chains = value(prefix + "_chain_files");
    if (is_mine(prefix + "_chain_files")) chain(prefix + "_chain_files", chains);
    // With chain files the others do not count.
    if (chains.empty()) {
      for (std::string_view kind : {"", "ec", "d"})
        pair(fmt::format("{}_{}cert_file", prefix, kind), fmt::format("{}_{}key_file", prefix, kind));
    }
    exists(prefix + "_CApath");
    std::string parameters = prefix + "_dh1024_param_file";
    if (!equals_ignore_case(value(parameters), "auto")) exists(parameters);
    std::string authorities = prefix + "_CAfile";
    std::string path = value(authorities);
    if (!path.empty() && is_mine(authorities) && readable(authorities, path)) {
      auto text = sys::read_file(path, kMaxFile);
      if (text && !read_certificate(*text)) invalid(authorities, path, "certificate");
    }
  }

  /// Values of tls_server_sni_maps: in the source the names of files, in an index what is in them.
  void server_names(const TableUse& use) {
    constexpr std::string_view kParameter = "tls_server_sni_maps";
    bool index = !index_suffix(use.type).empty();
    if (!index && !is_text_type(use.type) && use.type != "inline") return;
    for (const TableEntry& entry : entries_of(model_, use.type, use.name))
      if (!index || entry.line > 0) chain(std::string(kParameter), entry.value);
    if (index && use.name.starts_with('/')) built_names(use);
  }

 private:
  std::string value(std::string_view name) const {
    return config::find_param(name) ? model_.value(name, service_) : std::string();
  }
  /// Whether this service, or main.cf, sets it: what a service inherits has been looked at.
  bool is_mine(std::string_view name) const {
    return service_ ? service_->find(name) != nullptr : model_.config().is_set(name);
  }
  Place place(std::string_view name) const { return model_.place(name, service_); }

  /// False where there is nothing to look at.
  bool readable(std::string_view parameter, const std::string& path) {
    auto status = sys::stat_file(path);
    if (status) return S_ISREG(status->st_mode);
    if (status.error().code == EACCES) return false;
    report_.add(codes::tls_file_missing, place(parameter),
                fmt::format("the file {} that {} names does not exist", path, parameter),
                "correct the path, or install the file");
    return false;
  }

  void exists(const std::string& parameter) {
    std::string path = value(parameter);
    if (!path.empty() && !equals_ignore_case(path, "none") && is_mine(parameter))
      (void)readable(parameter, path);
  }

  void invalid(std::string_view parameter, const std::string& path, std::string_view what) {
    report_.add(
        codes::tls_file_invalid, place(parameter),
        fmt::format("{} has no {} that can be read ({})", path, what, parameter),
        fmt::format("give a file with a {} in PEM form{}", what,
                    what == "private key" ? std::string_view(", without a password") : std::string_view()));
  }

  void pair(const std::string& certificate_name, const std::string& key_name) {
    if (!is_mine(certificate_name) && !is_mine(key_name)) return;
    std::string path = value(certificate_name);
    if (path.empty() || equals_ignore_case(path, "none")) return;
    if (!readable(certificate_name, path)) return;
    auto text = sys::read_file(path, kMaxFile);
    if (!text) return;
    Certificate certificate = read_certificate(*text);
    if (!certificate) return invalid(certificate_name, path, "certificate");
    dates(certificate_name, path, certificate.get());
    names(certificate_name, path, certificate.get());
    std::string key_path = value(key_name);
    if (key_path.empty()) key_path = path;
    std::string_view key_set = is_mine(key_name) ? key_name : certificate_name;
    if (key_path != path && !readable(key_set, key_path)) return;
    auto key_text = sys::read_file(key_path, kMaxFile);
    if (!key_text) return;
    Key key = read_key(*key_text);
    if (!key) return invalid(key_set, key_path, "private key");
    permissions(key_set, key_path);
    belongs(key_set, key_path, path, certificate.get(), key.get());
  }

  /// Keys, each with its certificates behind it, maybe in the next file.
  void chain(const std::string& parameter, std::string_view list) {
    std::vector<tls::PemFile> files;
    bool complete = true;
    for (std::string_view word : split_any(list, kListSeparators)) {
      std::string path(word);
      bool there = readable(parameter, path);
      auto text = there ? sys::read_file(path, kMaxFile) : fail(ErrorKind::not_found, "");
      complete = complete && text;
      if (!text) continue;
      if (read_key(*text)) permissions(parameter, path);
      if (Certificate certificate = read_certificate(*text)) {
        dates(parameter, path, certificate.get());
        names(parameter, path, certificate.get());
      }
      files.push_back({path, std::move(*text)});
    }
    if (complete && !files.empty()) together(parameter, files);
  }

  void together(std::string_view parameter, const std::vector<tls::PemFile>& files) {
    auto chains = tls::read_chains(files);
    ERR_clear_error();
    if (chains) return;
    bool mismatch = chains.error().text.find("does not match") != std::string::npos;
    report_.add(mismatch ? codes::tls_key_mismatch : codes::tls_file_invalid, place(parameter),
                fmt::format("{} ({})", chains.error().text, parameter),
                "give each key, in PEM form and without a password, directly followed by its certificate and "
                "those of "
                "the authorities");
  }

  void belongs(std::string_view parameter, const std::string& key_path, const std::string& path,
               X509* certificate, EVP_PKEY* key) {
    if (X509_check_private_key(certificate, key) == 1) return;
    ERR_clear_error();
    report_.add(
        codes::tls_key_mismatch, place(parameter),
        fmt::format("the key in {} does not belong to the certificate in {}", key_path, path),
        "give the key that the certificate was requested with; the certificate of the server comes first in "
        "its file, those of authorities behind it");
  }

  void dates(std::string_view parameter, const std::string& path, X509* certificate) {
    std::time_t now = std::time(nullptr), soon = now + std::time_t{kWarnDays} * kSecondsPerDay;
    const ASN1_TIME *until = X509_get0_notAfter(certificate), *from = X509_get0_notBefore(certificate);
    if (X509_cmp_time(until, &now) < 0) {
      report_.add(codes::tls_certificate_expired, place(parameter),
                  fmt::format("the certificate in {} has expired on {}", path, date_text(until)), "renew it");
    } else if (X509_cmp_time(until, &soon) < 0) {
      report_.add(codes::tls_certificate_expires, place(parameter),
                  fmt::format("the certificate in {} expires on {}", path, date_text(until)), "renew it");
    }
    if (X509_cmp_time(from, &now) > 0) {
      report_.add(codes::tls_certificate_expired, place(parameter),
                  fmt::format("the certificate in {} is not valid before {}", path, date_text(from)),
                  "check the clock of this system, or wait");
    }
  }

  /// Mail programs, and servers that must trust this one, compare the names in the certificate with the one
  /// that they connect to. Certificates without such names are old, or of one's own making.
  void names(std::string_view parameter, const std::string& path, X509* certificate) {
    std::string host = model_.value("myhostname", service_);
    if (!parameter.starts_with("smtpd_tls_") || host.empty() ||
        X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) < 0 ||
        X509_check_host(certificate, host.data(), host.size(), 0, nullptr) == 1)
      return;
    report_.add(codes::tls_certificate_name, place(parameter),
                fmt::format("the certificate in {} is for other names than {}", path, host),
                "get one with this name in it, where clients connect to it by this name");
  }

  void permissions(std::string_view parameter, const std::string& path) {
    if (!everybody_can_read(path)) return;
    report_.add(codes::tls_key_readable, place(parameter),
                fmt::format("everybody on this system can read the private key in {}", path),
                fmt::format("run \"chmod o-rwx {}\"", path));
  }

  void built_names(const TableUse& use) {
    auto options = offline_options(model_.config(), {});
    options.redirect = nullptr;
    auto table = table::open(use.spec(), options);
    auto entry = table ? (*table)->first(Deadline::never()) : fail(ErrorKind::not_found, "");
    for (; entry && *entry; entry = (*table)->next(Deadline::never())) {
      auto text = base64_decode((*entry)->value);
      if (text && text->find("-----BEGIN ") != std::string::npos) continue;
      report_.add(
          codes::tls_sni_map, use.place,
          fmt::format("the index of {} has no keys and certificates for {}: clients that ask for this name "
                      "get no TLS",
                      use.spec(), (*entry)->key),
          fmt::format("run \"postmap -F {}\", also after each renewal", use.spec()));
      return;
    }
  }

  const Model& model_;
  Report& report_;
  const Service* service_;
};

}  // namespace

void check_tls(const Model& model, Report& report) {
  auto check = [&](const Service* service) {
    TlsCheck tls(model, report, service);
    for (const char* side : {"smtpd_tls", "smtp_tls", "lmtp_tls"})
      tls.side(side);
  };
  check(nullptr);
  for (const Service& service : model.services())
    if (!service.overrides.empty()) check(&service);
  for (const TableUse& use : table_uses(model))
    if (use.parameter == "tls_server_sni_maps") TlsCheck(model, report, use.service).server_names(use);
}

}  // namespace postrider::lint
