// The clients smtp and lmtp: what they know of the servers that they log in to, or must be able to trust.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "tools/lint/checks.h"
#include "tools/lint/listeners.h"
#include "tools/lint/tables.h"

namespace postrider::lint {

namespace {

constexpr std::string_view kLevels[] = {"none",      "may",         "encrypt", "dane",
                                        "dane-only", "fingerprint", "verify",  "secure"};
constexpr std::string_view kAttributes[] = {
    "ciphers",         "connection_reuse", "enable_rpk",     "exclude",       "match",
    "mx_host_pattern", "policy_domain",    "policy_failure", "policy_string", "policy_ttl",
    "policy_type",     "protocols",        "servername",     "tafile",
};

template <size_t N>
bool is_in(const std::string_view (&names)[N], std::string_view name) {
  return std::ranges::find(names, name) != std::end(names);
}

bool needs_authorities(std::string_view level) {
  return level == "verify" || level == "secure";
}

class ClientCheck {
 public:
  /// `side`: "smtp" or "lmtp".
  ClientCheck(const Model& model, Report& report, std::string_view side, const Service* service)
      : model_(model), report_(report), side_(side), service_(service) {}

  void run() {
    level_ = level();
    wrapper();
    trust(level_, place("tls_security_level"));
    policies();
    if (is_yes(model_, name("sasl_auth_enable"), service_) && !value("sasl_password_maps").empty()) login();
  }

 private:
  std::string name(std::string_view rest) const { return fmt::format("{}_{}", side_, rest); }
  std::string value(std::string_view rest) const { return model_.value(name(rest), service_); }
  Place place(std::string_view rest) const { return model_.place(name(rest), service_); }

  std::string level() const {
    std::string out = lowercase(value("tls_security_level"));
    if (!out.empty()) return out;
    if (is_yes(model_, name("enforce_tls"), service_)) return "encrypt";
    return is_yes(model_, name("use_tls"), service_) ? "may" : "none";
  }

  void wrapper() {
    if (!is_yes(model_, name("tls_wrappermode"), service_) || (level_ != "none" && level_ != "may")) return;
    report_.add(codes::tls_wrapper_mode, place("tls_wrappermode"),
                fmt::format("{} = yes needs {} = encrypt or more: mail is deferred", name("tls_wrappermode"),
                            name("tls_security_level")),
                fmt::format("set {} = encrypt", name("tls_security_level")));
  }

  /// What a level needs to find any server trustworthy.
  void trust(std::string_view level, const Place& where) {
    if (needs_authorities(level) && !has_authorities()) {
      report_.add(
          codes::tls_no_authorities, where,
          fmt::format("the level {} trusts servers by authorities, and none are known: mail is deferred",
                      level),
          fmt::format("set {} to the file with the authorities of this system", name("tls_CAfile")));
    }
    if (level == "fingerprint" && value("tls_fingerprint_cert_match").empty()) {
      report_.add(
          codes::tls_policy, where,
          fmt::format("the level fingerprint needs {}: mail is deferred", name("tls_fingerprint_cert_match")),
          "list the fingerprints of the server's certificates there");
    }
    if ((level == "dane" || level == "dane-only") && value("dns_support_level") != "dnssec") {
      report_.add(codes::tls_policy, where,
                  fmt::format("the level {} needs {} = dnssec", level, name("dns_support_level")),
                  fmt::format("set {} = dnssec, with a resolver on this machine that validates",
                              name("dns_support_level")));
    }
  }

  bool has_authorities() const {
    return !value("tls_CAfile").empty() || !value("tls_CApath").empty() ||
           !value("tls_trust_anchor_file").empty() || is_yes(model_, "tls_append_default_CA", service_);
  }

  /// The entries of the policy tables.
  void policies() {
    for (const TableUse& use : tables_in(value("tls_policy_maps"), TableRole::maps)) {
      if (use.type == "regexp" || use.type == "pcre" || use.type == "static") continue;
      for (const TableEntry& entry : entries_of(model_, use.type, use.name)) {
        Place where =
            entry.line > 0 ? Place{table_path(model_, use.name), entry.line} : place("tls_policy_maps");
        policy(entry, where);
      }
    }
  }

  void policy(const TableEntry& entry, const Place& where) {
    auto words = list_words(entry.value);
    if (words.empty()) return;
    std::string first = lowercase(words.front());
    if (!is_in(kLevels, first)) {
      bad_policy(entry, where, words.front(),
                 "begin with one of: none, may, encrypt, dane, dane-only, fingerprint, verify, secure");
      return;
    }
    bool own_anchors = false, own_match = false;
    for (size_t i = 1; i < words.size(); ++i) {
      std::string_view word = words[i];
      if (word.starts_with('{')) word = trim(word.substr(1));
      size_t equals = word.find('=');
      std::string attribute = lowercase(trim(word.substr(0, equals)));
      if (equals == word.npos || !is_in(kAttributes, attribute)) {
        bad_policy(entry, where, words[i], "write name=value without spaces; postconf(5) has the names");
        return;
      }
      own_anchors = own_anchors || attribute == "tafile";
      own_match = own_match || attribute == "match";
    }
    if (!own_anchors && (first != "fingerprint" || !own_match)) trust(first, where);
  }

  void bad_policy(const TableEntry& entry, const Place& where, std::string_view word,
                  std::string_view remedy) {
    report_.add(codes::tls_policy, where,
                fmt::format("the policy for {} has {}, which means nothing there: mail for it is deferred",
                            entry.key, word),
                std::string(remedy));
  }

  void login() {
    if (std::string type = value("sasl_type"); type != "cyrus") {
      report_.add(codes::sasl_setting, place("sasl_type"),
                  fmt::format("there is no {} {}: {} does not start with it", name("sasl_type"), type, side_),
                  fmt::format("write {} = cyrus", name("sasl_type")));
    }
    bool plain = level_ == "none" && value("tls_policy_maps").empty() &&
                 !is_yes(model_, name("tls_wrappermode"), service_);
    std::string options = plain ? "sasl_security_options" : "sasl_tls_security_options";
    bool refused = has_word(options, "noplaintext");
    if (refused && value("sasl_mechanism_filter").empty()) {
      report_.add(
          codes::sasl_no_mechanism, place("sasl_auth_enable"),
          fmt::format("{} has noplaintext: of servers that know PLAIN and LOGIN only, as most do, none is "
                      "good enough",
                      name(options)),
          plain ? fmt::format("set {} = encrypt and {} = noanonymous", name("tls_security_level"),
                              name("sasl_tls_security_options"))
                : fmt::format("set {} = noanonymous", name("sasl_tls_security_options")));
    } else if (!refused && plain && !goes_nearby()) {
      report_.add(codes::sasl_plain_text, place("sasl_auth_enable"),
                  "passwords are sent without TLS: who listens on the way learns them",
                  fmt::format("set {} = encrypt", name("tls_security_level")));
    }
  }

  bool has_word(std::string_view rest, std::string_view wanted) const {
    std::string text = value(rest);
    auto words = split_any(text, kListSeparators);
    return std::ranges::any_of(words, [&](auto word) { return equals_ignore_case(word, wanted); });
  }

  /// To a server on this machine, which may do TLS for it.
  bool goes_nearby() const {
    std::string host = model_.value("relayhost");
    return host.starts_with("[127.") || host.starts_with("[::1]") || host.starts_with("[localhost]") ||
           host.starts_with("localhost");
  }

  const Model& model_;
  Report& report_;
  std::string side_;
  const Service* service_;
  std::string level_;
};

/// A server on port 465 begins with TLS at once.
void check_relayhost(const Model& model, Report& report) {
  std::string host = model.value("relayhost");
  size_t colon = host.rfind(':');
  std::string port = colon == host.npos || host.ends_with(']') ? "" : host.substr(colon + 1);
  if (port != "465" && port != "smtps" && port != "submissions") return;
  std::string transport = model.value("default_transport");
  const Service* service = model.local_service(transport.substr(0, transport.find(':')));
  if (!service || service->program != "smtp" || is_yes(model, "smtp_tls_wrappermode", service)) return;
  report.add(codes::tls_wrapper_mode, model.place("relayhost"),
             fmt::format("servers at port {} begin with TLS at once, and the service {} waits for a greeting",
                         port, service->entry.id()),
             "set smtp_tls_wrappermode = yes and smtp_tls_security_level = encrypt, or use port 587");
}

}  // namespace

void check_clients(const Model& model, Report& report) {
  for (std::string_view side : {"smtp", "lmtp"}) {
    std::string prefix = fmt::format("{}_", side);
    bool with_main = false;
    for (const Service& service : model.services()) {
      if (service.program != side) continue;
      bool own = std::ranges::any_of(service.overrides,
                                     [&](const Override& item) { return item.name.starts_with(prefix); });
      if (own) ClientCheck(model, report, side, &service).run();
      with_main = with_main || !own;
    }
    if (with_main) ClientCheck(model, report, side, nullptr).run();
  }
  check_relayhost(model, report);
}

}  // namespace postrider::lint
