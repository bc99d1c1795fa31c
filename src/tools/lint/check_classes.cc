// Domains that are listed in two address classes: one of the lists does not count for them.
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "tools/lint/checks.h"
#include "tools/lint/tables.h"

namespace postrider::lint {

namespace {

struct DomainPlace {
  std::string parameter;
  Place place;
};
using Domains = std::map<std::string, DomainPlace, std::less<>>;

bool is_domain(std::string_view key) {
  return !key.empty() && key.find('@') == key.npos && key.find('.') != key.npos && !key.starts_with('.') &&
         !key.starts_with('/');
}

class Collector {
 public:
  explicit Collector(const Model& model) : model_(model) {}

  /// The domains of a list as far as they are in files. `text` is its value before expansion.
  Domains collect(std::string_view parameter, std::string_view text, std::string_view set_by) {
    Domains out;
    std::string value = model_.expand(text, nullptr);
    for (std::string_view word : list_words(value)) {
      if (word.starts_with('!')) continue;
      if (word.starts_with('/')) {
        add_table("file", word, parameter, set_by, out);
      } else if (size_t colon = word.find(':'); colon != word.npos) {
        for (const TableUse& use : tables_in(word, TableRole::list))
          add_table(use.type, use.name, parameter, set_by, out);
      } else if (!word.starts_with('[')) {
        add(word, parameter, model_.place(set_by, nullptr, word), out);
      }
    }
    return out;
  }

 private:
  static void add(std::string_view domain, std::string_view parameter, Place place, Domains& out) {
    out.try_emplace(lowercase(domain), DomainPlace{std::string(parameter), std::move(place)});
  }

  void add_table(std::string_view type, std::string_view name, std::string_view parameter,
                 std::string_view set_by, Domains& out) {
    if (type == "regexp" || type == "pcre" || type == "cidr" || type == "static") return;
    for (const TableEntry& entry : entries_of(model_, type, name)) {
      if (!is_domain(entry.key)) continue;
      Place place = entry.line > 0 ? Place{table_path(model_, name), entry.line} : model_.place(set_by);
      add(entry.key, parameter, std::move(place), out);
    }
  }

  const Model& model_;
};

/// The class that counts for a domain is the first that has it.
class Comparison {
 public:
  explicit Comparison(Report& report) : report_(report) {}

  void add(const Domains& domains) {
    for (const auto& [domain, there] : domains) {
      auto [here, is_new] = first_.try_emplace(domain, there);
      if (is_new) continue;
      const DomainPlace& first = here->second;
      report_.add(codes::domain_in_two_classes, there.place,
                  fmt::format("the domain {} is in both {} and {}; {} counts", domain, first.parameter,
                              there.parameter, first.parameter),
                  fmt::format("remove it from one of the lists ({}:{})", first.place.file, first.place.line));
    }
  }

 private:
  Report& report_;
  Domains first_;
};

}  // namespace

void check_classes(const Model& model, Report& report) {
  Collector collector(model);
  auto domains_of = [&](std::string_view parameter) {
    std::string text = model.config().text(parameter).value_or("");
    // A list that takes over another as a whole means it: so did old defaults.
    if (parameter == "relay_domains")
      text = replace_all(replace_all(text, "${mydestination}", ""), "$mydestination", "");
    // The default, the keys of virtual_alias_maps.
    bool from_maps = parameter == "virtual_alias_domains" && !model.config().is_set(parameter);
    if (!from_maps && !model.config().is_set(parameter) && parameter != "mydestination") return Domains{};
    return collector.collect(parameter, text, from_maps ? "virtual_alias_maps" : parameter);
  };
  Comparison comparison(report);
  for (std::string_view parameter :
       {"mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains"})
    comparison.add(domains_of(parameter));
}

}  // namespace postrider::lint
