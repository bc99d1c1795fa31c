// The plug-in for ldap tables.
#include <lber.h>
#include <ldap.h>

#ifdef POSTRIDER_HAVE_SASL
#include <sasl/sasl.h>
#endif

#include <cerrno>
#include <cstring>
#include <sstream>

#include "table/driver.h"

namespace postrider::plugins {
namespace {

using namespace table::driver;

std::string get(const Settings& settings, std::string_view name) {
  auto found = settings.find(name);
  return found == settings.end() ? std::string() : found->second;
}

int get_number(const Settings& settings, std::string_view name) {
  std::string text = get(settings, name);
  return text.empty() ? 0 : std::stoi(text);
}

timeval to_timeval(Timeout timeout) {
  return {timeout.count() / 1000, static_cast<suseconds_t>(timeout.count() % 1000 * 1000)};
}

int native_scope(LdapScope scope) {
  switch (scope) {
    case LdapScope::base:
      return LDAP_SCOPE_BASE;
    case LdapScope::one:
      return LDAP_SCOPE_ONELEVEL;
    case LdapScope::sub:
      break;
  }
  return LDAP_SCOPE_SUBTREE;
}

/// What errno would be.
int code_of(int status) {
  return status == LDAP_SERVER_DOWN ? ENOTCONN : 0;
}

class Connection : public LdapConnection {
 public:
  Connection(LDAP* handle, Timeout timeout) : handle_(handle), timeout_(timeout) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override { ldap_unbind_ext(handle_, nullptr, nullptr); }

  Answer<LdapResult> search(const LdapSearch& search) override {
    std::vector<std::string> names = search.attributes;
    std::vector<char*> attributes;
    for (std::string& name : names)
      attributes.push_back(name.data());
    attributes.push_back(nullptr);
    timeval limit = to_timeval(timeout_);
    LDAPMessage* message = nullptr;
    // One more than the limit tells that there are too many.
    int status =
        ldap_search_ext_s(handle_, search.base.c_str(), native_scope(search.scope), search.filter.c_str(),
                          attributes.data(), 0, nullptr, nullptr, &limit, search.size_limit, &message);
    std::unique_ptr<LDAPMessage, int (*)(LDAPMessage*)> owner(message, ldap_msgfree);
    LdapResult result;
    switch (status) {
      case LDAP_SUCCESS:
        break;
      case LDAP_NO_SUCH_OBJECT:
        result.no_base = true;
        return result;
      default:
        return std::unexpected(Failure{
            "dict_ldap_lookup: Search error " + std::to_string(status) + ": " + ldap_err2string(status) + " ",
            status == LDAP_FILTER_ERROR || status == LDAP_INVALID_DN_SYNTAX ||
                status == LDAP_SIZELIMIT_EXCEEDED,
            code_of(status)});
    }
    for (LDAPMessage* entry = ldap_first_entry(handle_, message); entry != nullptr;
         entry = ldap_next_entry(handle_, entry))
      result.entries.push_back(read_entry(entry));
    return result;
  }

 private:
  LdapEntry read_entry(LDAPMessage* message) {
    LdapEntry entry;
    if (char* dn = ldap_get_dn(handle_, message)) {
      entry.dn = dn;
      ldap_memfree(dn);
    }
    BerElement* position = nullptr;
    for (char* name = ldap_first_attribute(handle_, message, &position); name != nullptr;
         name = ldap_next_attribute(handle_, message, position)) {
      auto& [attribute, values] = entry.attributes.emplace_back(name, std::vector<std::string>());
      if (berval** list = ldap_get_values_len(handle_, message, name)) {
        for (berval** value = list; *value != nullptr; ++value)
          values.emplace_back((*value)->bv_val, (*value)->bv_len);
        ldap_value_free_len(list);
      }
      ldap_memfree(name);
    }
    if (position != nullptr) ber_free(position, 0);
    return entry;
  }

  LDAP* handle_;
  Timeout timeout_;
};

/// Sets up one connection, step by step; the first failure ends it.
class Setup {
 public:
  /// `all_urls` is for messages.
  Setup(const std::string& url, const std::string& all_urls, const Settings& settings, Timeout timeout)
      : url_(url), all_urls_(all_urls), settings_(settings), timeout_(timeout) {}

  Answer<std::unique_ptr<LdapConnection>> run() {
    if (ldap_initialize(&handle_, url_.c_str()) != LDAP_SUCCESS)
      return std::unexpected(
          Failure{"dict_ldap_connect: Unable to init LDAP server " + all_urls_, false, ENOENT});
    auto connection = std::make_unique<Connection>(handle_, timeout_);
    set_options();
    set_tls();
    if (!problem_.text.empty()) return std::unexpected(problem_);
    if (get(settings_, "start_tls") == "yes")
      if (int status = ldap_start_tls_s(handle_, nullptr, nullptr); status != LDAP_SUCCESS)
        return std::unexpected(Failure{.text = "dict_ldap_connect: Unable to set STARTTLS: " +
                                               std::to_string(status) + ": " + ldap_err2string(status),
                                       .code = code_of(status),
                                       .error = true});
    if (int status = bind(); status != LDAP_SUCCESS) {
      std::string dn = get(settings_, "bind_dn");
      return failure(
          "Unable to bind to server " + all_urls_ + " with dn " + (dn.empty() ? "empty or implicit" : dn),
          status);
    }
    return connection;
  }

 private:
  static std::unexpected<Failure> failure(const std::string& what, int status) {
    return std::unexpected(Failure{
        "dict_ldap_connect: " + what + ": " + std::to_string(status) + " (" + ldap_err2string(status) + ")",
        false, code_of(status)});
  }

  void set(int option, const void* value, const char* name) {
    int status = ldap_set_option(handle_, option, value);
    if (status != LDAP_OPT_SUCCESS && problem_.text.empty())
      problem_ = {"dict_ldap_connect: Unable to set " + std::string(name) + ": " + std::to_string(status) +
                  " (" + ldap_err2string(status) + ")"};
  }
  void set_number(int option, const char* name) {
    int value = get_number(settings_, name);
    set(option, &value, name);
  }
  void set_text(int option, const char* name) {
    std::string value = get(settings_, name);
    if (!value.empty()) set(option, value.c_str(), name);
  }

  void set_options() {
    timeval limit = to_timeval(timeout_);
    set(LDAP_OPT_NETWORK_TIMEOUT, &limit, "network timeout");
    set(LDAP_OPT_TIMEOUT, &limit, "timeout");
    set_number(LDAP_OPT_PROTOCOL_VERSION, "version");
    set_number(LDAP_OPT_DEREF, "dereference");
    set(LDAP_OPT_REFERRALS, get(settings_, "chase_referrals") == "yes" ? LDAP_OPT_ON : LDAP_OPT_OFF,
        "chase_referrals");
    if (int level = get_number(settings_, "debuglevel"); level > 0) {
      ber_set_option(nullptr, LBER_OPT_DEBUG_LEVEL, &level);
      ldap_set_option(nullptr, LDAP_OPT_DEBUG_LEVEL, &level);
    }
  }

  void set_tls() {
    set_text(LDAP_OPT_X_TLS_CACERTFILE, "tls_ca_cert_file");
    set_text(LDAP_OPT_X_TLS_CACERTDIR, "tls_ca_cert_dir");
    set_text(LDAP_OPT_X_TLS_CERTFILE, "tls_cert");
    set_text(LDAP_OPT_X_TLS_KEYFILE, "tls_key");
    set_text(LDAP_OPT_X_TLS_RANDOM_FILE, "tls_random_file");
    set_text(LDAP_OPT_X_TLS_CIPHER_SUITE, "tls_cipher_suite");
    int require = get(settings_, "tls_require_cert") == "yes" ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER;
    set(LDAP_OPT_X_TLS_REQUIRE_CERT, &require, "tls_require_cert");
    // Options count for a context that is made after them.
    int is_server = 0;
    set(LDAP_OPT_X_TLS_NEWCTX, &is_server, "TLS context");
  }

  int bind() {
    std::string method = get(settings_, "bind");
    if (method == "none") return LDAP_SUCCESS;
    if (method == "sasl") return bind_sasl();
    std::string dn = get(settings_, "bind_dn"), password = get(settings_, "bind_pw");
    berval credential{password.size(), password.data()};
    int id = 0;
    if (int status =
            ldap_sasl_bind(handle_, dn.c_str(), LDAP_SASL_SIMPLE, &credential, nullptr, nullptr, &id);
        status != LDAP_SUCCESS)
      return status;
    timeval limit = to_timeval(timeout_);
    LDAPMessage* message = nullptr;
    int type = ldap_result(handle_, id, LDAP_MSG_ALL, &limit, &message);
    if (type == 0) {
      ldap_abandon_ext(handle_, id, nullptr, nullptr);
      return LDAP_TIMEOUT;
    }
    int status = LDAP_SERVER_DOWN;
    if (type == -1) {
      ldap_get_option(handle_, LDAP_OPT_RESULT_CODE, &status);
      return status;
    }
    int parsed = ldap_parse_result(handle_, message, &status, nullptr, nullptr, nullptr, nullptr, 1);
    return parsed == LDAP_SUCCESS ? status : parsed;
  }

  int bind_sasl() {
#ifdef POSTRIDER_HAVE_SASL
    std::string mechanisms = get(settings_, "sasl_mechs");
    if (int level = get_number(settings_, "sasl_minssf"); level > 0) {
      std::string properties = "minssf=" + std::to_string(level);
      if (int status = ldap_set_option(handle_, LDAP_OPT_X_SASL_SECPROPS, properties.data());
          status != LDAP_OPT_SUCCESS)
        return status;
    }
    // The mechanism says who asks: bind_dn is a name for it, which need not be a DN.
    return ldap_sasl_interactive_bind_s(handle_, nullptr, mechanisms.empty() ? nullptr : mechanisms.c_str(),
                                        nullptr, nullptr, LDAP_SASL_QUIET, answer_sasl, this);
#else
    return LDAP_AUTH_METHOD_NOT_SUPPORTED;
#endif
  }

#ifdef POSTRIDER_HAVE_SASL
  /// Gives the library what it asks for: a name, a password, a realm.
  static int answer_sasl(LDAP*, unsigned, void* setup, void* questions) {
    auto* self = static_cast<Setup*>(setup);
    for (auto* question = static_cast<sasl_interact_t*>(questions); question->id != SASL_CB_LIST_END;
         ++question) {
      const std::string& text = self->sasl_text(question->id);
      if (text.empty() && question->defresult != nullptr) {
        question->result = question->defresult;
        question->len = static_cast<unsigned>(strlen(question->defresult));
      } else {
        question->result = text.c_str();
        question->len = static_cast<unsigned>(text.size());
      }
    }
    return LDAP_SUCCESS;
  }

  /// Kept for as long as the bind takes.
  const std::string& sasl_text(unsigned long id) {
    std::string_view name = id == SASL_CB_GETREALM   ? "sasl_realm"
                            : id == SASL_CB_USER     ? "sasl_authz_id"
                            : id == SASL_CB_AUTHNAME ? "bind_dn"
                            : id == SASL_CB_PASS     ? "bind_pw"
                                                     : "";
    return sasl_texts_[id] = name.empty() ? std::string() : get(settings_, name);
  }
  std::map<unsigned long, std::string> sasl_texts_;
#endif

  const std::string& url_;
  const std::string& all_urls_;
  const Settings& settings_;
  Timeout timeout_;
  LDAP* handle_ = nullptr;
  Failure problem_;
};

class Driver : public LdapDriver {
 public:
  Answer<std::unique_ptr<LdapConnection>> connect(const std::string& url, const Settings& settings,
                                                  Timeout timeout) override {
    // One after the other: the library itself goes to the next server only when it cannot connect, not when a
    // server takes the connection and then is silent.
    Answer<std::unique_ptr<LdapConnection>> outcome =
        std::unexpected(Failure{"dict_ldap_connect: no LDAP server"});
    std::istringstream urls(url);
    for (std::string one; urls >> one;) {
      outcome = Setup(one, url, settings, timeout).run();
      if (outcome) break;
    }
    return outcome;
  }

  std::optional<LdapUrl> parse_url(const std::string& text) override {
    if (ldap_is_ldap_url(text.c_str()) == 0) return std::nullopt;
    LDAPURLDesc* parsed = nullptr;
    if (ldap_url_parse(text.c_str(), &parsed) != LDAP_SUCCESS) return std::nullopt;
    std::unique_ptr<LDAPURLDesc, void (*)(LDAPURLDesc*)> owner(parsed, ldap_free_urldesc);
    LdapUrl out;
    if (parsed->lud_dn != nullptr) out.base = parsed->lud_dn;
    if (parsed->lud_filter != nullptr) out.filter = parsed->lud_filter;
    out.scope = parsed->lud_scope == LDAP_SCOPE_SUBTREE    ? LdapScope::sub
                : parsed->lud_scope == LDAP_SCOPE_ONELEVEL ? LdapScope::one
                                                           : LdapScope::base;
    for (char** name = parsed->lud_attrs; name != nullptr && *name != nullptr; ++name)
      out.attributes.emplace_back(*name);
    return out;
  }
};

}  // namespace
}  // namespace postrider::plugins

POSTRIDER_EXPORT_DRIVER(ldap, LdapDriver) {
  static postrider::plugins::Driver driver;
  return &driver;
}
