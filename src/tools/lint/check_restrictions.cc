// Lists of restrictions: unknown words, what is never reached, and what access tables answer.
#include <algorithm>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "tools/lint/access_lists.h"
#include "tools/lint/checks.h"
#include "tools/lint/nearest.h"
#include "tools/lint/tables.h"

namespace postrider::lint {

namespace {

using access::Action;
using access::Restriction;
using access::RestrictionList;

constexpr struct {
  std::string_view old, name;
} kOldNames[] = {
    {"check_recipient_maps", "reject_unlisted_recipient"},
    {"reject_invalid_hostname", "reject_invalid_helo_hostname"},
    {"reject_non_fqdn_hostname", "reject_non_fqdn_helo_hostname"},
    {"reject_rbl", "reject_rbl_client"},
    {"reject_unknown_address", "reject_unknown_sender_domain"},
    {"reject_unknown_client", "reject_unknown_client_hostname"},
    {"reject_unknown_hostname", "reject_unknown_helo_hostname"},
    {"reject_unverified_address", "reject_unverified_sender"},
};

constexpr std::string_view kTableActions[] = {
    "BCC",  "DEFER", "DEFER_IF_PERMIT", "DEFER_IF_REJECT", "DISCARD", "DUNNO", "FILTER", "HANGUP", "HOLD",
    "INFO", "OK",    "PREPEND",         "REDIRECT",        "REJECT",  "RELAY", "WARN",
};

bool is_code(std::string_view word) {
  return word.size() == 3 && (word[0] == '4' || word[0] == '5') && is_all_digits(word);
}

std::string_view first_word(std::string_view text) {
  return text.substr(0, std::min(text.find_first_of(" \t"), text.size()));
}

/// Whether an answer of a table is an action of its own, not a list of restrictions.
bool is_table_action(std::string_view value) {
  std::string word = uppercase(first_word(value));
  return is_all_digits(value) || is_code(word) ||
         std::ranges::find(kTableActions, word) != std::end(kTableActions);
}

/// Whether an answer of a table ends the list, whoever asks.
bool ends_list(std::string_view value) {
  std::string word = uppercase(first_word(value));
  return word == "OK" || word == "RELAY" || word == "REJECT" || word == "DEFER" || is_code(word);
}

class ListCheck {
 public:
  ListCheck(const Model& model, Report& report, const Service* service)
      : model_(model), report_(report), service_(service), lists_(model, service) {}

  void check(std::string_view parameter) {
    parameter_ = parameter;
    RestrictionList list = lists_.read(model_.value(parameter, service_));
    for (const Restriction& item : list.items) {
      check_item(item);
      // The rest is meant as a comment.
      if (item.action == Action::unknown && item.name.starts_with('#')) break;
    }
    check_reachable(list);
  }

 private:
  Place place(std::string_view word) const { return model_.place(parameter_, service_, word); }

  void check_item(const Restriction& item) {
    switch (item.action) {
      case Action::unknown:
        unknown(item.name, place(item.name), parameter_);
        break;
      case Action::removed:
        report_.add(
            codes::restriction_removed, place(item.name),
            fmt::format("{} does not exist any more; clients get 451 Server configuration error", item.name),
            fmt::format("write {}", item.advice));
        break;
      case Action::ignored:
      case Action::misused:
        report_.add(codes::restriction_argument, place(item.name), item.problem,
                    fmt::format("give {} its argument (postconf(5))", item.name));
        break;
      case Action::bare_table:
        report_.add(codes::deprecated_syntax, place(item.argument),
                    fmt::format("{} in {} has no word before it that says what is looked up", item.argument,
                                parameter_),
                    fmt::format("write {} {}", word_for_table(), item.argument));
        check_table(item.argument);
        break;
      case Action::check_access:
        check_table(item.argument);
        break;
      case Action::permit_mx_backup:
        if (model_.value("permit_mx_backup_networks", service_).empty()) {
          report_.add(codes::mx_backup_open, place(item.name),
                      "permit_mx_backup accepts mail for every domain that names this host in its MX "
                      "records, whoever "
                      "put it there",
                      "set permit_mx_backup_networks to the networks of the primary mail servers, or list "
                      "the domains in "
                      "relay_domains");
        }
        break;
      default:
        break;
    }
    old_name(item.name);
  }

  std::string_view word_for_table() const {
    if (parameter_ == "smtpd_client_restrictions") return "check_client_access";
    if (parameter_ == "smtpd_helo_restrictions") return "check_helo_access";
    if (parameter_ == "smtpd_sender_restrictions") return "check_sender_access";
    if (parameter_ == "smtpd_etrn_restrictions") return "check_etrn_access";
    return "check_recipient_access";
  }

  void old_name(std::string_view name) {
    for (const auto& row : kOldNames) {
      if (row.old != name) continue;
      report_.add(codes::deprecated_syntax, place(name), fmt::format("{} is an old name", name),
                  fmt::format("write {}", row.name));
    }
  }

  void unknown(std::string_view word, Place where, std::string_view in) {
    auto known = access::restriction_names();
    std::string_view meant = nearest(word, known);
    report_.add(codes::restriction_unknown, std::move(where),
                fmt::format("{} has {}, which is no restriction; clients get 451 Server configuration error",
                            in, word),
                meant.empty() ? fmt::format("remove it, or define a restriction class {}", word)
                              : fmt::format("write {} if that was meant", meant));
  }

  /// What the answers of a table are.
  void check_table(std::string_view spec) {
    for (const TableUse& use : tables_in(spec, TableRole::maps)) {
      if (use.type.empty() || !seen_.insert(use.spec()).second) continue;
      for (const TableEntry& entry : entries_of(model_, use.type, use.name))
        check_answer(use, entry);
    }
  }

  void check_answer(const TableUse& use, const TableEntry& entry) {
    // What a pattern matched may stand in an answer.
    if (is_table_action(entry.value) || entry.value.find('$') != std::string::npos) return;
    Place where = entry.line > 0 ? Place{table_path(model_, use.name), entry.line} : place(use.spec());
    if (trim(entry.value).empty()) {
      report_.add(codes::access_action, where,
                  fmt::format("the entry {} in {} has no answer", entry.key, use.spec()),
                  "write OK, REJECT, DUNNO or another action of access(5)");
      return;
    }
    for (const Restriction& item : lists_.read(entry.value).items) {
      if (item.action == Action::unknown) {
        std::string_view meant = nearest_action(item.name);
        report_.add(
            codes::access_action, where,
            fmt::format("{} is no action of an access table; clients get 451 Server configuration error",
                        item.name),
            meant.empty() ? std::string("write one of the actions of access(5)")
                          : fmt::format("write {} if that was meant", meant));
        return;
      }
      if (item.action == Action::bare_table || item.action == Action::check_access) {
        report_.add(codes::access_action, where,
                    "an access table cannot name another table; clients get 451 Server configuration error",
                    "define a restriction class with it, and give the name of the class");
        return;
      }
    }
  }

  static std::string_view nearest_action(std::string_view word) {
    static std::string meant;  // Keeps the text for the caller.
    std::vector<std::string> lower;
    for (std::string_view action : kTableActions)
      lower.push_back(lowercase(action));
    std::vector<std::string_view> known(lower.begin(), lower.end());
    for (std::string_view name : access::restriction_names())
      known.push_back(name);
    std::string_view found = nearest(word, known);
    bool action = std::ranges::find(lower, found) != lower.end();
    meant = action ? uppercase(found) : std::string(found);
    return meant;
  }

  /// Whether a table has the same final answer for everything: "static:OK", or a first rule that always
  /// matches.
  bool answers_always(std::string_view spec) const {
    auto uses = tables_in(spec, TableRole::maps);
    if (uses.size() != 1) return false;
    const TableUse& use = uses.front();
    if (use.type == "static") return ends_list(use.name);
    if (use.type != "regexp" && use.type != "pcre") return false;
    constexpr std::string_view kAll[] = {"/.*/", "/./", "/^/", "/$/", "/^.*$/", "/^.*/", "/.+/"};
    for (const TableEntry& entry : entries_of(model_, use.type, use.name)) {
      bool all = std::ranges::find(kAll, entry.key) != std::end(kAll);
      if (all) return ends_list(entry.value);
    }
    return false;
  }

  /// Whether nothing behind the item is looked at, whatever the client is.
  bool is_final(const Restriction& item, int depth) const {
    switch (item.action) {
      case Action::permit:
      case Action::reject:
      case Action::defer:
        return true;
      case Action::check_access:
      case Action::bare_table:
        // The name in HELO may be missing, and a session may be without login.
        if (item.subject == access::Subject::helo || item.subject == access::Subject::login ||
            item.subject == access::Subject::certificate || item.via != access::Via::itself) {
          return false;
        }
        return answers_always(item.argument);
      case Action::restriction_class: {
        constexpr int kMaxDepth = 20;
        if (depth > kMaxDepth || !item.members) return false;
        return std::ranges::any_of(item.members->items,
                                   [&](const Restriction& inner) { return is_final(inner, depth + 1); });
      }
      default:
        return false;
    }
  }

  void check_reachable(const RestrictionList& list) {
    bool only_warns = false;
    for (size_t i = 0; i + 1 < list.items.size(); ++i) {
      const Restriction& item = list.items[i];
      if (item.action == Action::warn_if_reject) {
        only_warns = true;
        continue;
      }
      bool final = is_final(item, 0) && (!only_warns || item.action == Action::permit);
      only_warns = false;
      if (!final) continue;
      const Restriction& next = list.items[i + 1];
      std::string_view shown =
          item.action == Action::check_access ? std::string_view(item.argument) : item.name;
      report_.add(codes::restriction_unreachable, place(next.name),
                  fmt::format("{} stands behind {} in {} and is never reached", next.name, shown, parameter_),
                  fmt::format("move it before {}, or remove it", shown));
      return;
    }
  }

  const Model& model_;
  Report& report_;
  const Service* service_;
  AccessLists lists_;
  std::string parameter_;
  std::set<std::string> seen_;
};

}  // namespace

void check_restrictions(const Model& model, Report& report) {
  auto check = [&](const Service* service) {
    try {
      ListCheck lists(model, report, service);
      for (const std::string& parameter : list_parameters(model, service)) {
        bool set_here = service ? service->find(parameter) != nullptr : model.config().is_set(parameter);
        if (set_here) lists.check(parameter);
      }
    } catch (const config::ConfigError& error) {
      report.add(codes::bad_value, model.place("smtpd_restriction_classes", service), error.what(),
                 error.remedy());
    }
  };
  check(nullptr);
  for (const Service& service : model.services())
    if (service.program == "smtpd" && !service.overrides.empty()) check(&service);
}

}  // namespace postrider::lint
