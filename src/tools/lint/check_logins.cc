// SMTP servers that let users log in: whether they can, what they gain by it, and who could listen.
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "base/text.h"
#include "sys/file.h"
#include "sys/user.h"
#include "tools/lint/access_lists.h"
#include "tools/lint/checks.h"
#include "tools/lint/listeners.h"

namespace postrider::lint {

namespace {

constexpr int kMaxDepth = 20;

/// The words of a list of restrictions, those of its classes in the place of their names.
void add_words(const Model& model, const Service& service, const std::string& value, int depth,
               std::vector<std::string>& out) {
  std::string classes = model.value("smtpd_restriction_classes", &service);
  auto names = split_any(classes, kListSeparators);
  for (std::string_view word : list_words(value)) {
    if (depth < kMaxDepth && std::ranges::find(names, word) != names.end()) {
      add_words(model, service, model.value(word, &service), depth + 1, out);
    } else {
      out.emplace_back(lowercase(word));
    }
  }
}

std::vector<std::string> words_of(const Model& model, const Service& service, std::string_view list) {
  std::vector<std::string> out;
  add_words(model, service, model.value(list, &service), 0, out);
  return out;
}

class LoginCheck {
 public:
  LoginCheck(const Model& model, Report& report, const Service& service)
      : model_(model), report_(report), service_(service) {}

  void run() {
    if (!is_yes(model_, "smtpd_sasl_auth_enable", &service_)) return;
    // Where filters give mail back nobody logs in, whatever main.cf says for all.
    if (!faces_network(model_, service_) && !service_.find("smtpd_sasl_auth_enable")) return;
    library();
    encryption();
    for (std::string_view list : {"smtpd_relay_restrictions", "smtpd_recipient_restrictions"})
      permission(list);
    senders();
  }

 private:
  std::string value(std::string_view name) const { return model_.value(name, &service_); }
  Place place(std::string_view name) const { return model_.place(name, &service_); }

  /// Who checks passwords, and where that one is.
  void library() {
    std::string type = value("smtpd_sasl_type"), path = value("smtpd_sasl_path");
    if (type != "cyrus" && type != "dovecot") {
      report_.add(codes::sasl_setting, place("smtpd_sasl_type"),
                  fmt::format("there is no smtpd_sasl_type {}: nobody can log in", type),
                  "write smtpd_sasl_type = dovecot, or cyrus");
      return;
    }
    bool is_address = path.find('/') != path.npos || path.starts_with("inet:") || path.starts_with("unix:");
    if (type == "cyrus" && is_address) {
      report_.add(
          codes::sasl_setting, place("smtpd_sasl_path"),
          fmt::format("smtpd_sasl_path names {}, and smtpd_sasl_type is cyrus, which has no sockets", path),
          "add smtpd_sasl_type = dovecot");
    } else if (type == "dovecot" && !is_address) {
      report_.add(codes::sasl_setting, place("smtpd_sasl_type"),
                  fmt::format("smtpd_sasl_path = {} is no socket of a Dovecot server", path),
                  "set smtpd_sasl_path = private/auth, or where Dovecot has its socket");
    } else if (type == "dovecot" && !path.starts_with("inet:")) {
      socket(path.starts_with("unix:") ? path.substr(5) : path);
    }
  }

  /// Where the mail system has run already, the server should be there, too.
  void socket(std::string path) {
    const std::string& queue = model_.queue_directory();
    bool has_run = sys::exists(queue + "/private/bounce");
    if (!path.starts_with('/')) path = queue + "/" + path;
    if (model_.is_chrooted(service_) && !path.starts_with(queue + "/")) return;  // Another check's.
    auto status = sys::stat_file(path);
    if (!status) {
      bool gone = status.error().code == ENOENT || status.error().code == ENOTDIR;
      if (gone && has_run)
        unreachable(fmt::format("there is no socket {}", path),
                    "start Dovecot, or correct the path: it is that of unix_listener in its service auth");
      return;
    }
    if (!S_ISSOCK(status->st_mode)) {
      unreachable(fmt::format("{} is no socket", path), "correct the path");
    } else if (!may_connect(*status)) {
      unreachable(fmt::format("{} may not connect to {}", model_.value("mail_owner"), path),
                  "give the unix_listener in Dovecot's service auth user and group postfix, and mode 0660");
    }
  }

  void unreachable(const std::string& what, std::string_view remedy) {
    report_.add(codes::sasl_socket, place("smtpd_sasl_path"), what + ": nobody can log in",
                std::string(remedy));
  }

  bool may_connect(const struct stat& status) const {
    auto owner = sys::find_user(model_.value("mail_owner"));
    if (!owner || !*owner || (*owner)->uid == 0) return true;
    if (status.st_uid == (*owner)->uid) return (status.st_mode & S_IWUSR) != 0;
    if (status.st_gid == (*owner)->gid) return (status.st_mode & S_IWGRP) != 0;
    return (status.st_mode & S_IWOTH) != 0;
  }

  void encryption() {
    TlsUse tls = server_tls(model_, service_);
    bool only = is_yes(model_, "smtpd_tls_auth_only", &service_);
    if (only && tls == TlsUse::none) {
      report_.add(
          codes::sasl_setting, place("smtpd_tls_auth_only"),
          "smtpd_tls_auth_only = yes has users log in with TLS only, and there is no TLS: nobody can log in",
          "set smtpd_tls_security_level = may and a certificate");
    }
    if (only || tls == TlsUse::required || !faces_internet(model_, service_)) return;
    if (has_word("smtpd_sasl_security_options", "noplaintext") ||
        has_word("smtpd_discard_ehlo_keywords", "auth") || !value("smtpd_sasl_exceptions_networks").empty())
      return;
    std::string_view decisive =
        service_.find("smtpd_tls_auth_only") ? "smtpd_tls_auth_only" : "smtpd_sasl_auth_enable";
    report_.add(codes::sasl_plain_text, place(decisive),
                "users may log in without TLS: who listens on their way learns their passwords",
                "set smtpd_tls_auth_only = yes");
  }

  bool has_word(std::string_view parameter, std::string_view wanted) const {
    std::string text = value(parameter);
    auto words = split_any(text, kListSeparators);
    return std::ranges::any_of(words, [&](auto word) { return equals_ignore_case(word, wanted); });
  }

  /// Who has logged in wants to send mail anywhere.
  void permission(std::string_view list) {
    constexpr std::array<std::string_view, 4> kRefuse{"reject_unauth_destination", "defer_unauth_destination",
                                                      "reject", "defer"};
    constexpr std::array<std::string_view, 4> kMayPermit{"permit_sasl_authenticated", "check_sasl_access",
                                                         "check_policy_service", "permit"};
    // What another list has asked for already counts there.
    if (list == "smtpd_recipient_restrictions" && logins_only()) return;
    for (const std::string& word : words_of(model_, service_, list)) {
      if (std::ranges::find(kMayPermit, word) != kMayPermit.end()) return;
      if (std::ranges::find(kRefuse, word) == kRefuse.end()) continue;
      bool is_set = service_.find(list) || model_.config().is_set(list);
      report_.add(codes::sasl_no_permission, is_set ? place(list) : place("smtpd_sasl_auth_enable"),
                  fmt::format("users log in, and {} lets them send no more than others", list),
                  fmt::format("put permit_sasl_authenticated before {}", word));
      return;
    }
  }

  /// Nobody else comes as far as RCPT TO.
  bool logins_only() const {
    for (std::string_view list : {"smtpd_client_restrictions", "smtpd_relay_restrictions"}) {
      auto words = words_of(model_, service_, list);
      auto at = std::ranges::find(words, "permit_sasl_authenticated");
      if (at != words.end() && at + 1 != words.end() && at[1] == "reject") {
        std::string recipients = value("smtpd_recipient_restrictions");
        return recipients.empty();
      }
    }
    return false;
  }

  /// Without owners of addresses, no address is anybody's own.
  void senders() {
    if (!value("smtpd_sender_login_maps").empty()) return;
    for (const std::string& list : list_parameters(model_, &service_)) {
      auto words = words_of(model_, service_, list);
      for (std::string_view word :
           {"reject_sender_login_mismatch", "reject_authenticated_sender_login_mismatch"}) {
        if (std::ranges::find(words, word) == words.end()) continue;
        report_.add(
            codes::sasl_setting, model_.place(list, &service_, word),
            fmt::format("{} refuses all mail of users: smtpd_sender_login_maps does not say whose address "
                        "is whose",
                        word),
            "set smtpd_sender_login_maps to a table of addresses and their users");
        return;
      }
    }
  }

  const Model& model_;
  Report& report_;
  const Service& service_;
};

/// Certificates of clients are not seen where none is asked for.
class ClientCertificateCheck {
 public:
  ClientCertificateCheck(const Model& model, Report& report, const Service& service)
      : model_(model), report_(report), service_(service) {}

  void run() {
    bool requires_it = is_yes(model_, "smtpd_tls_req_ccert", &service_);
    TlsUse tls = server_tls(model_, service_);
    if (requires_it && tls != TlsUse::required) {
      report_.add(codes::tls_client_certificate, model_.place("smtpd_tls_req_ccert", &service_),
                  "smtpd_tls_req_ccert = yes has no effect where clients need not use TLS",
                  "set smtpd_tls_security_level = encrypt, or smtpd_tls_ask_ccert = yes in its place");
    }
    bool asks = tls != TlsUse::none && (is_yes(model_, "smtpd_tls_ask_ccert", &service_) ||
                                        (requires_it && tls == TlsUse::required));
    for (const std::string& list : list_parameters(model_, &service_)) {
      std::string text = model_.value(list, &service_);
      for (std::string_view word : list_words(text))
        restriction(list, word, asks);
    }
  }

 private:
  void restriction(const std::string& list, std::string_view word, bool asks) {
    bool listed = equals_ignore_case(word, "permit_tls_clientcerts");
    if (!listed && !equals_ignore_case(word, "permit_tls_all_clientcerts") &&
        !equals_ignore_case(word, "check_ccert_access"))
      return;
    if (!asks) {
      report_.add(codes::tls_client_certificate, model_.place(list, &service_, word),
                  fmt::format("{} never applies: clients are not asked for certificates", word),
                  "set smtpd_tls_ask_ccert = yes");
    } else if (listed && model_.value("relay_clientcerts", &service_).empty()) {
      report_.add(codes::tls_client_certificate, model_.place(list, &service_, word),
                  "permit_tls_clientcerts never applies: relay_clientcerts lists no certificates",
                  "set relay_clientcerts to a table of fingerprints");
    }
  }

  const Model& model_;
  Report& report_;
  const Service& service_;
};

/// Without a certificate there is no TLS.
void check_certificate(const Model& model, Report& report, const Service& service) {
  TlsUse tls = server_tls(model, service);
  if (tls == TlsUse::none) return;
  for (const char* name :
       {"smtpd_tls_chain_files", "smtpd_tls_cert_file", "smtpd_tls_eccert_file", "smtpd_tls_dcert_file"})
    if (!model.value(name, &service).empty()) return;
  std::string_view parameter = server_tls_parameter(model, service);
  bool required = tls == TlsUse::required;
  report.add(required ? codes::tls_no_certificate : codes::tls_not_offered, model.place(parameter, &service),
             required ? "clients must use TLS, and there is no certificate: all are turned away"
                      : "STARTTLS is not offered: there is no certificate",
             "set smtpd_tls_chain_files to a file with key and certificate");
}

}  // namespace

void check_logins(const Model& model, Report& report) {
  for (const Service& service : model.services()) {
    if (service.program != "smtpd") continue;
    LoginCheck(model, report, service).run();
    ClientCertificateCheck(model, report, service).run();
    check_certificate(model, report, service);
  }
}

}  // namespace postrider::lint
