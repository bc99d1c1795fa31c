// Certificates and keys: whether they are there, belong together, and are in date.
#include <sys/stat.h>

#include <cerrno>
#include <ctime>
#include <memory>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/text.h"
#include "config/table.h"
#include "sys/file.h"
#include "tls/openssl.h"
#include "tools/lint/checks.h"

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
    for (std::string_view file : list_words(chains))
      chain(prefix + "_chain_files", std::string(file));
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

  /// Keys, each with its certificate behind it.
  void chain(const std::string& parameter, const std::string& path) {
    if (!is_mine(parameter) || !readable(parameter, path)) return;
    auto text = sys::read_file(path, kMaxFile);
    if (!text) return;
    Key key = read_key(*text);
    Certificate certificate = read_certificate(*text);
    // A key may be in one file, and its certificate in the next.
    if (!key && !certificate) return invalid(parameter, path, "private key or certificate");
    if (certificate) dates(parameter, path, certificate.get());
    if (key) permissions(parameter, path);
    if (key && certificate) belongs(parameter, path, path, certificate.get(), key.get());
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

  void permissions(std::string_view parameter, const std::string& path) {
    auto status = sys::stat_file(path);
    if (!status || (status->st_mode & S_IROTH) == 0) return;
    report_.add(codes::tls_key_readable, place(parameter),
                fmt::format("everybody on this system can read the private key in {}", path),
                fmt::format("run \"chmod o-rwx {}\"", path));
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
}

}  // namespace postrider::lint
