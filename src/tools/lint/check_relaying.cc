// Whether a stranger can send mail anywhere: shown by a session in which smtpd's own rules accept it.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "sys/socket.h"
#include "table/network.h"
#include "tools/lint/access_lists.h"
#include "tools/lint/checks.h"
#include "tools/lint/listeners.h"
#include "tools/lint/stranger.h"
#include "tools/lint/tables.h"

namespace postrider::lint {

namespace {

using access::Action;
using access::Restriction;
using access::Subject;

/// Addresses that nobody has: of networks for documentation and for measurements (RFC 6890). A configuration
/// may have one or two of them as its own, or refuse one, so a rule counts as open when it lets most of a
/// family in.
constexpr std::string_view kStrangers4[] = {"203.0.113.25", "198.51.100.25", "192.0.2.25", "233.252.0.25",
                                            "198.18.77.25"};
constexpr std::string_view kStrangers6[] = {"2001:db8:bad::25", "3fff:bad::25", "2001:2:0:bad::25"};

constexpr size_t kMaxAttempts = 2000;

/// What a table is asked for that a client may choose: a form of it that the key matches.
std::optional<std::string> address_for(std::string_view key, std::string_view domain_for_user) {
  if (key == "<>") return std::string();
  size_t at = key.find('@');
  if (at == key.npos) {
    if (key.starts_with('.')) return fmt::format("someone@sub{}", key);
    return key.find('.') == key.npos ? std::nullopt : std::optional(fmt::format("someone@{}", key));
  }
  if (at + 1 == key.size()) return fmt::format("{}{}", key, domain_for_user);
  if (at == 0) return fmt::format("someone{}", key);
  return std::string(key);
}

/// A text that a simple pattern matches: "/@example\.com$/" gives "@example.com".
std::optional<std::string> text_for(std::string_view pattern) {
  if (pattern.empty() || pattern[0] == '!') return std::nullopt;
  size_t end = pattern.rfind(pattern[0]);
  if (end == 0) return std::nullopt;
  std::string_view inside = pattern.substr(1, end - 1);
  if (inside.starts_with('^')) inside.remove_prefix(1);
  if (inside.ends_with('$')) inside.remove_suffix(1);
  std::string text = replace_all(replace_all(inside, ".*", "x"), ".+", "x");
  text = replace_all(text, "\\.", ".");
  text = replace_all(text, "\\@", "@");
  bool plain = std::ranges::all_of(
      text, [](char c) { return is_alnum(c) || c == '@' || c == '.' || c == '-' || c == '_'; });
  return plain && !text.empty() ? std::optional(text) : std::nullopt;
}

class RelayCheck {
 public:
  RelayCheck(const Model& model, Report& report, const Service& service)
      : model_(model), report_(report), service_(service) {}

  void run() {
    auto stranger = Stranger::create(model_, service_);
    if (!stranger) return;
    stranger_ = std::move(*stranger);
    collect();
    for (const Attempt& attempt : attempts_) {
      if (lets_in(attempt, kStrangers4) || lets_in(attempt, kStrangers6)) return;
    }
    certificates();
    elsewhere();
  }

 private:
  static constexpr std::string_view kDecisive[] = {"smtpd_relay_restrictions",
                                                   "smtpd_recipient_restrictions"};

  /// What a stranger tries: the usual, and what the tables of the lists may let pass.
  void collect() {
    attempts_.emplace_back();
    AccessLists lists(model_, &service_);
    for (std::string_view parameter : kDecisive)
      collect_from(lists.read(model_.value(parameter, &service_)), 0);
  }

  void collect_from(const access::RestrictionList& list, int depth) {
    constexpr int kMaxDepth = 20;
    if (depth > kMaxDepth) return;
    for (const Restriction& item : list.items) {
      if (item.action == Action::restriction_class && item.members) collect_from(*item.members, depth + 1);
      if (item.via != access::Via::itself) continue;
      if (item.action == Action::check_access) collect_from(item.argument, item.subject);
      if (item.action == Action::bare_table) collect_from(item.argument, Subject::recipient);
    }
  }

  void collect_from(std::string_view spec, Subject subject) {
    for (const TableUse& use : tables_in(spec, TableRole::maps)) {
      bool pattern = use.type == "regexp" || use.type == "pcre";
      for (const TableEntry& entry : entries_of(model_, use.type, use.name)) {
        if (attempts_.size() >= kMaxAttempts) return;
        if (refuses(entry.value)) continue;
        auto key = pattern ? text_for(entry.key) : std::optional(entry.key);
        if (!key) continue;
        Attempt attempt;
        attempt.entry = {table_path(model_, use.name), entry.line};
        add(subject, *key, std::move(attempt));
      }
    }
  }

  static bool refuses(std::string_view value) {
    return starts_with_ignore_case(value, "REJECT") || starts_with_ignore_case(value, "DEFER") ||
           starts_with_ignore_case(value, "DUNNO") || value.starts_with("5") || value.starts_with("4");
  }

  void add(Subject subject, const std::string& key, Attempt attempt) {
    switch (subject) {
      case Subject::sender:
        if (auto address = address_for(key, "stranger.example")) {
          attempt.sender = *address;
          attempts_.push_back(attempt);
        }
        break;
      case Subject::recipient:
        // A domain that is let in by name is meant to be.
        if (key.ends_with('@') || (key.find('@') == key.npos && key.find('.') == key.npos)) {
          attempt.recipient = fmt::format("{}@elsewhere.example", key.substr(0, key.find('@')));
          attempts_.push_back(attempt);
        }
        break;
      case Subject::helo:
        attempt.helo = key.starts_with('.') ? "mail" + key : key;
        attempts_.push_back(attempt);
        break;
      case Subject::client: {
        // Everybody can have a name below a top-level domain, or none.
        std::string_view domain = std::string_view(key).substr(key.starts_with('.') ? 1 : 0);
        bool top = !domain.empty() && domain.find('.') == domain.npos && !is_digit(domain[0]);
        if (!top) break;
        attempt.name = domain == "unknown" ? "unknown" : fmt::format("mail.stranger.{}", domain);
        attempts_.push_back(attempt);
        break;
      }
      default:
        break;
    }
  }

  template <size_t N>
  bool lets_in(Attempt attempt, const std::string_view (&addresses)[N]) {
    std::optional<std::pair<Attempt, Verdict>> first;
    size_t accepted = 0;
    for (std::string_view address : addresses) {
      attempt.address = address;
      Verdict verdict = stranger_->try_relay(attempt);
      if (!verdict.accepted) continue;
      ++accepted;
      if (!first) first.emplace(attempt, std::move(verdict));
    }
    if (accepted <= N / 2) return false;
    tell(first->first, first->second);
    return true;
  }

  /// The rule that the relaying hangs on: the last permit; without one, nothing refuses.
  void tell(const Attempt& attempt, const Verdict& verdict) {
    Place place = model_.place("smtpd_recipient_restrictions", &service_);
    std::string why = "no restriction refuses it";
    std::vector<std::string> rules;
    for (const Permit& permit : verdict.permits) {
      Place rule = place_of(permit, attempt);
      std::string table = permit.table.empty() ? "" : " " + permit.table;
      std::string key = permit.key.empty() ? "" : fmt::format(", entry {}", permit.key);
      std::string text = fmt::format("{}{}{}", permit.restriction, table, key);
      rules.push_back(
          fmt::format("   permitted by {} in {}, {}:{}", text, permit.parameter, rule.file, rule.line));
      place = rule;
      why = fmt::format("{} permits it", text);
    }
    bool everything_is_ours = !verdict.destination.empty();
    if (everything_is_ours) {
      place = model_.place(verdict.destination, &service_);
      why = fmt::format("{} has every domain", verdict.destination);
    } else if (verdict.permits.empty()) {
      place = first_set();
    }
    bool starts = stranger_->has_relay_control();
    std::string host = model_.value("myhostname", &service_);
    std::vector<std::string> session = {
        fmt::format("   {} connects to the service {}", attempt.address, service_.entry.id()),
        fmt::format("S: 220 {} ESMTP", host),
        fmt::format("C: EHLO {}", attempt.helo),
        fmt::format("S: 250 {}", host),
        fmt::format("C: MAIL FROM:<{}>", attempt.sender),
        "S: 250 2.1.0 Ok",
        fmt::format("C: RCPT TO:<{}>", attempt.recipient),
        "S: 250 2.1.5 Ok",
    };
    session.insert(session.end(), rules.begin(), rules.end());
    report_.add(codes::open_relay, place,
                fmt::format("the service {} is an open relay: a stranger can send mail anywhere, {}{}",
                            service_.entry.id(), why, starts ? "" : " (smtpd refuses to start like this)"),
                remedy(verdict), std::move(session));
  }

  std::string remedy(const Verdict& verdict) const {
    if (!verdict.destination.empty())
      return fmt::format("list only domains in {} that this system receives mail for", verdict.destination);
    if (verdict.permits.empty())
      return "set smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, "
             "reject_unauth_destination";
    const Permit& last = verdict.permits.back();
    if (last.restriction == "permit_mynetworks") return "list only your own networks in mynetworks";
    if (!last.table.empty())
      return fmt::format(
          "put reject_unauth_destination before {}, or have the table answer DUNNO instead of OK",
          last.restriction);
    return fmt::format("put reject_unauth_destination before {} in {}", last.restriction, last.parameter);
  }

  Place place_of(const Permit& permit, const Attempt& attempt) const {
    if (permit.restriction == "permit_mynetworks") return model_.place("mynetworks", &service_, permit.table);
    std::string_view word = permit.table.empty() ? std::string_view(permit.restriction) : permit.table;
    Place place = model_.place(permit.parameter, &service_, word);
    if (permit.table.empty() || permit.key.empty()) return place;
    for (const TableUse& use : tables_in(permit.table, TableRole::maps)) {
      std::string path = table_path(model_, use.name);
      for (const TableEntry& entry : entries_of(model_, use.type, use.name))
        if (entry.line > 0 && decides(use.type, entry.key, permit.key)) return {path, entry.line};
      if (attempt.entry.line > 0 && attempt.entry.file == path) return attempt.entry;
    }
    return place;
  }

  /// Whether an entry of a table is what was found for a key.
  static bool decides(std::string_view type, std::string_view entry, std::string_view key) {
    if (type != "cidr") return equals_ignore_case(entry, key);
    auto network = table::Network::parse(entry);
    auto address = sys::Address::from_ip(key);
    return network && address && network->is_comparable(address->bytes()) &&
           network->contains(address->bytes());
  }

  Place first_set() const {
    for (std::string_view parameter : kDecisive) {
      Place place = model_.place(parameter, &service_);
      if (place.line > 0) return place;
    }
    return model_.place(service_);
  }

  /// What a database would say is not known here; what it would mean is.
  void elsewhere() {
    if (asks_tables_elsewhere()) return;
    auto permissive = Stranger::create(model_, service_, true);
    if (!permissive) return;
    Verdict verdict = (*permissive)->try_relay({.address = std::string(kStrangers4[0])});
    for (const Permit& permit : verdict.permits) {
      if (!verdict.accepted || permit.table != "static:OK") continue;
      report_.add(
          codes::access_table_elsewhere, model_.place(permit.parameter, &service_, permit.restriction),
          fmt::format("what the table of {} in {} answers is not known here: with an OK, whoever claims that "
                      "name can relay",
                      permit.restriction, permit.parameter),
          fmt::format("put {} behind reject_unauth_destination, or see that it never answers OK",
                      permit.restriction));
    }
  }

  /// Anybody can have a certificate.
  void certificates() {
    for (std::string_view parameter : kDecisive) {
      std::string value = model_.value(parameter, &service_);
      for (std::string_view word : list_words(value)) {
        if (equals_ignore_case(word, "reject_unauth_destination") || equals_ignore_case(word, "reject"))
          break;
        if (!equals_ignore_case(word, "permit_tls_all_clientcerts")) continue;
        report_.add(
            codes::open_relay, model_.place(parameter, &service_, word),
            fmt::format("{} lets every client relay that has a certificate of a known authority", word),
            "write permit_tls_clientcerts, and list the certificates in relay_clientcerts",
            {"C: STARTTLS, with a certificate of any authority in smtpd_tls_CAfile",
             "C: MAIL FROM:<someone@stranger.example>", "C: RCPT TO:<victim@elsewhere.example>",
             "S: 250 2.1.5 Ok"});
        return;
      }
    }
  }

  const Model& model_;
  Report& report_;
  const Service& service_;
  std::unique_ptr<Stranger> stranger_;
  std::vector<Attempt> attempts_;
};

}  // namespace

void check_relaying(const Model& model, Report& report) {
  for (const Service& service : model.services()) {
    if (!faces_network(model, service) || !left_over_argument(service).empty()) continue;
    try {
      RelayCheck(model, report, service).run();
    } catch (const config::ConfigError& error) {
      const config::Source& source = error.source();
      Place place = source.line > 0 ? Place{source.file, source.line}
                                    : model.place("smtpd_recipient_restrictions", &service);
      // What is wrong there has mostly been said, in better words.
      if (!report.has(place)) report.add(codes::bad_value, place, error.what(), error.remedy());
    }
  }
}

}  // namespace postrider::lint
