#include "smtp/tls_policy.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mail/hostname.h"

namespace postrider::smtp_client {

namespace {

using tls::Level;

/// An entry has no more attributes.
constexpr size_t kMaxAttributes = 1000;

/// The next word; one in braces may have separators in it. Nothing: there is none.
std::optional<std::string_view> next_attribute(std::string_view& text) {
  size_t begin = text.find_first_not_of(kListSeparators);
  if (begin == text.npos) return std::nullopt;
  text.remove_prefix(begin);
  size_t end = text.find_first_of(kListSeparators);
  if (text.front() == '{') {
    size_t brace = text.find('}');
    if (brace != text.npos) end = brace + 1;
  }
  std::string_view word = text.substr(0, end);
  text.remove_prefix(word.size());
  return word;
}

bool load_anchors(TlsPolicy& policy, std::string_view path) {
  auto records = tls::read_anchors(std::string(path));
  if (!records) {
    log::warning("{}", records.error().text);
    return false;
  }
  for (tls::Tlsa& record : *records)
    policy.records.push_back(std::move(record));
  return true;
}

/// Reads the attributes of one entry.
class PolicyParser {
 public:
  PolicyParser(std::string_view where, const TlsSettings& settings, TlsPolicy& policy)
      : where_(where), settings_(settings), policy_(policy) {}

  bool add(std::string_view word);
  /// What only the whole entry shows.
  bool finish();

 private:
  bool set(std::string_view name, std::string_view value);
  bool set_sts(std::string_view name, std::string_view value);
  bool once(std::optional<std::string>& to, std::string_view name, std::string_view value);
  bool once(std::string& to, std::string_view name, std::string_view value);
  bool add_match(std::string_view value);
  bool add_anchors(std::string_view path);
  bool set_reuse(std::string_view name, std::string_view value, bool& to);
  template <typename... Args>
  bool wrong(fmt::format_string<Args...> text, Args&&... args) {
    log::warning("{}: {}", where_, fmt::format(text, std::forward<Args>(args)...));
    return false;
  }
  bool wrong_here(std::string_view name) {
    return wrong("attribute \"{}\" invalid at security level \"{}\"", name, level_name(policy_.level));
  }
  bool bad_value(std::string_view name, std::string_view value) {
    return wrong("attribute \"{}\" has bad value: \"{}\"", name, value);
  }

  std::string_view where_;
  const TlsSettings& settings_;
  TlsPolicy& policy_;
  std::string failure_, ttl_;
  bool has_sts_ = false, has_enable_rpk_ = false;
};

bool PolicyParser::add(std::string_view word) {
  std::string_view text = word;
  if (text.starts_with('{') && text.ends_with('}')) text = trim(text.substr(1, text.size() - 2));
  size_t equals = text.find('=');
  if (equals == text.npos) {
    return wrong("malformed attribute/value pair \"{}\": missing '=' after attribute name", word);
  }
  std::string_view name = trim(text.substr(0, equals)), value = trim(text.substr(equals + 1));
  if (name.empty()) return wrong("malformed attribute/value pair \"{}\": missing attribute name", word);
  return set(name, value);
}

bool PolicyParser::once(std::optional<std::string>& to, std::string_view name, std::string_view value) {
  if (to) return wrong("attribute \"{}\" is specified multiple times", name);
  to = value;
  return true;
}

bool PolicyParser::once(std::string& to, std::string_view name, std::string_view value) {
  if (!to.empty()) return wrong("attribute \"{}\" is specified multiple times", name);
  if (value.empty()) return wrong("attribute \"{}\" has empty value", name);
  to = value;
  return true;
}

bool PolicyParser::set(std::string_view name, std::string_view value) {
  auto is = [&](std::string_view known) { return equals_ignore_case(name, known); };
  bool needs_value = is("ciphers") || is("match") || is("tafile");
  if (needs_value && value.empty()) return wrong("attribute \"{}\" has empty value", name);
  if (is("ciphers")) return once(policy_.cipher_grade, name, value);
  if (is("protocols")) return once(policy_.protocols, name, value);
  if (is("exclude")) return once(policy_.cipher_exclusions, name, value);
  if (is("servername")) {
    if (policy_.server_name) return wrong("attribute \"{}\" is specified multiple times", name);
    if (!mail::valid_hostname(value)) return wrong("\"{}={}\" specifies an invalid hostname", name, value);
    policy_.server_name = value;
    return true;
  }
  if (is("match")) {
    if (policy_.level != Level::fingerprint && !needs_authority(policy_.level)) return wrong_here(name);
    return add_match(value);
  }
  if (is("tafile")) {
    if (!needs_authority(policy_.level)) return wrong_here(name);
    return add_anchors(value);
  }
  if (is("connection_reuse")) return set_reuse(name, value, policy_.connection_reuse);
  if (is("enable_rpk")) {
    // Read, so that tables can be shared with systems whose TLS library knows of raw public keys.
    return set_reuse(name, value, has_enable_rpk_);
  }
  return set_sts(name, value);
}

bool PolicyParser::set_reuse(std::string_view name, std::string_view value, bool& to) {
  bool yes = equals_ignore_case(value, "yes");
  if (!yes && !equals_ignore_case(value, "no")) return bad_value(name, value);
  to = yes;
  return true;
}

bool PolicyParser::add_match(std::string_view value) {
  if (policy_.level == Level::fingerprint) {
    for (tls::Tlsa& record : tls::fingerprint_records(value, "|"))
      policy_.records.push_back(std::move(record));
    return true;
  }
  for (std::string_view word : split_any(value, ":"))
    policy_.match.emplace_back(word);
  return true;
}

bool PolicyParser::add_anchors(std::string_view path) {
  return load_anchors(policy_, path);
}

bool PolicyParser::set_sts(std::string_view name, std::string_view value) {
  auto is = [&](std::string_view known) { return equals_ignore_case(name, known); };
  StsPolicy& sts = policy_.sts;
  bool one_of_them = is("policy_type") || is("policy_domain") || is("policy_string") || is("policy_ttl") ||
                     is("policy_failure") || is("mx_host_pattern");
  if (!one_of_them) return wrong("invalid attribute name: \"{}\"", name);
  has_sts_ = true;
  if (is("policy_type")) {
    if (value != "sts" && value != "no-policy-found") return bad_value(name, value);
    return once(sts.type, name, value);
  }
  if (is("policy_failure")) {
    constexpr std::string_view kFailures[] = {"sts-policy-fetch-error", "sts-policy-invalid",
                                              "sts-webpki-invalid", "validation-failure"};
    if (std::ranges::find(kFailures, value) == std::end(kFailures)) return bad_value(name, value);
    if (!once(failure_, name, value)) return false;
    sts.failure = value;
    return true;
  }
  if (is("policy_domain")) {
    if (!mail::valid_hostname(value)) return bad_value(name, value);
    return once(sts.domain, name, value);
  }
  if (is("policy_ttl")) {
    if (!parse_int(value)) return bad_value(name, value);
    return once(ttl_, name, value);
  }
  if (value.empty()) return wrong("attribute \"{}\" has empty value", name);
  if (is("mx_host_pattern")) {
    std::string_view domain = value.starts_with("*.") ? value.substr(2) : value;
    if (!mail::valid_hostname(domain)) return bad_value(name, value);
    sts.mx_patterns.emplace_back(value);
  } else {
    sts.lines.emplace_back(value);
  }
  return true;
}

bool PolicyParser::finish() {
  if (has_sts_ && policy_.sts.type.empty()) return wrong("missing attribute: \"policy_type\"");
  // With the names of the policy, the host has to be the one that the connection goes to.
  if (settings_.enforce_sts_patterns && policy_.sts.type == "sts" && !policy_.sts.mx_patterns.empty() &&
      needs_authority(policy_.level)) {
    policy_.match = {"hostname"};
    policy_.sts.restricts_hosts = true;
  }
  return true;
}

/// What main.cf has for the level.
std::string exclusions(Level level, const TlsSettings& settings) {
  std::string out = settings.excluded_ciphers;
  if (requires_tls(level)) out += " " + settings.mandatory_excluded_ciphers;
  return out;
}

bool add_default_anchors(TlsPolicy& policy, const TlsSettings& settings) {
  auto files = split_any(settings.trust_anchor_files, kListSeparators);
  return std::ranges::all_of(files, [&](std::string_view path) { return load_anchors(policy, path); });
}

bool complete_match(TlsPolicy& policy, const TlsSettings& settings, std::string_view nexthop) {
  if (policy.level == Level::fingerprint) {
    if (policy.records.empty())
      policy.records = tls::fingerprint_records(settings.fingerprints, kListSeparators);
    if (!policy.records.empty()) return true;
    log::warning(
        "nexthop domain {}: configured at fingerprint security level, but with no fingerprints to match.",
        nexthop);
    return false;
  }
  if (!needs_authority(policy.level)) return true;
  if (policy.match.empty()) {
    const std::string& list = policy.level == Level::verify ? settings.verify_match : settings.secure_match;
    for (std::string_view word : split_any(list, " \t\r\n,:"))
      policy.match.emplace_back(word);
  }
  return !policy.records.empty() || add_default_anchors(policy, settings);
}

}  // namespace

bool StsPolicy::allows(std::string_view host) const {
  return std::ranges::any_of(mx_patterns, [&](std::string_view pattern) {
    if (!pattern.starts_with("*.")) return equals_ignore_case(pattern, host);
    size_t dot = host.find('.');
    return dot != host.npos && dot > 0 && equals_ignore_case(pattern.substr(1), host.substr(dot));
  });
}

std::string TlsPolicy::identity() const {
  auto shown = [](const std::optional<std::string>& value) { return value ? "=" + *value : std::string(); };
  std::string out =
      fmt::format("{};{};{};{};{};{};{};{};{};{}", level_name(level), shown(protocols), shown(cipher_grade),
                  shown(cipher_exclusions), shown(server_name), join(match, ":"), base_domain,
                  connection_reuse, static_cast<unsigned>(require), sts.failure);
  for (const tls::Tlsa& record : records)
    out += ";" + tlsa_key(record);
  return out;
}

std::optional<TlsPolicy> parse_tls_policy(std::string_view text, std::string_view where,
                                          const TlsSettings& settings) {
  TlsPolicy policy;
  policy.connection_reuse = settings.connection_reuse;
  auto word = next_attribute(text);
  if (!word) {
    log::warning("{}: invalid empty policy", where);
    return std::nullopt;
  }
  auto level = tls::parse_level(*word);
  if (!level) {
    log::warning("{}: invalid security level \"{}\"", where, *word);
    return std::nullopt;
  }
  policy.level = policy.configured = *level;
  if (*level == Level::none) {
    while ((word = next_attribute(text)))
      log::warning("{}: ignoring attribute \"{}\" with TLS disabled", where, *word);
    return policy;
  }
  PolicyParser parser(where, settings, policy);
  size_t count = 0;
  while ((word = next_attribute(text))) {
    if (++count > kMaxAttributes || !parser.add(*word)) return std::nullopt;
  }
  if (!parser.finish()) return std::nullopt;
  return policy;
}

bool complete_tls_policy(TlsPolicy& policy, const TlsSettings& settings, std::string_view nexthop) {
  Level level = policy.level;
  if (level == Level::none) return true;
  if (!policy.server_name && !settings.server_name.empty()) {
    if (!mail::valid_hostname(settings.server_name)) {
      log::warning("\"smtp_tls_servername = {}\" specifies an invalid hostname", settings.server_name);
      return false;
    }
    policy.server_name = settings.server_name;
  }
  if (!policy.protocols) {
    policy.protocols = level == Level::may ? settings.protocols : settings.mandatory_protocols;
  }
  if (!policy.cipher_grade) {
    policy.cipher_grade = level == Level::may ? settings.ciphers : settings.mandatory_ciphers;
  }
  if (!policy.cipher_exclusions) policy.cipher_exclusions = exclusions(level, settings);
  return complete_match(policy, settings, nexthop);
}

tls::Demands demands_of(const TlsPolicy& policy, const smtp::PeerNames& names) {
  tls::Demands out;
  out.level = policy.level;
  out.protocols = policy.protocols.value_or("");
  out.cipher_grade = policy.cipher_grade.value_or("");
  out.cipher_exclusions = policy.cipher_exclusions.value_or("");
  for (const std::string& word : policy.match)
    out.names.push_back(is_dane(policy.level) ? smtp::ascii_name(word) : smtp::match_name(word, names));
  out.records = policy.records;
  out.base_domain = policy.base_domain;
  if (!policy.base_domain.empty()) {
    out.server_name = policy.base_domain;  // RFC 7672 section 3.2.
  } else if (policy.server_name) {
    out.server_name = smtp::match_name(*policy.server_name, names);
  }
  return out;
}

}  // namespace postrider::smtp_client
