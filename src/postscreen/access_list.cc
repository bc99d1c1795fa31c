#include "postscreen/access_list.h"

#include "base/text.h"
#include "clients/tables.h"
#include "config/params/instance.h"
#include "config/params/postscreen.h"
#include "log/log.h"

namespace postrider::postscreen {

namespace params = config::params;

namespace {

const std::string_view kName = params::postscreen_access_list.name();
/// Words of one result of a table that are looked at.
constexpr size_t kMaxWords = 100;

bool is_table(std::string_view word) {
  return word.find(':') != std::string_view::npos;
}

}  // namespace

AccessList::AccessList(const config::Config& config, table::Catalog& catalog, std::vector<std::string>& paths)
    : networks_(clients::open_match_list(catalog, config, params::mynetworks, table::MatchList::Kind::address,
                                         paths)) {
  const std::string list = config.get(params::postscreen_access_list);
  clients::add_required_paths(list, paths);
  for (std::string_view word : split_braced(list, kListSeparators)) {
    if (!is_table(word)) {
      items_.emplace_back(lowercase(word));
      continue;
    }
    auto maps = table::Maps::create(catalog, kName, word);
    if (!maps) throw config::ConfigError(maps.error().text, config.source(kName), "name tables as type:name");
    items_.emplace_back(TableItem{std::string(word), std::move(*maps)});
  }
}

AccessList::Verdict AccessList::judge(std::string_view client_address, Deadline deadline) const {
  for (const Item& item : items_) {
    const auto* word = std::get_if<std::string>(&item);
    Step step = word != nullptr ? perform(*word, kName, client_address, deadline)
                                : ask(std::get<TableItem>(item), client_address, deadline);
    if (step.ends) return step.verdict;
  }
  return Verdict::undecided;
}

AccessList::Step AccessList::perform(std::string_view word, std::string_view place, std::string_view address,
                                     Deadline deadline) const {
  if (equals_ignore_case(word, "permit")) return {Verdict::permit, true};
  if (equals_ignore_case(word, "reject")) return {Verdict::reject, true};
  if (equals_ignore_case(word, "dunno")) return {Verdict::undecided, true};
  if (equals_ignore_case(word, "permit_mynetworks")) {
    auto own = networks_.match(address, deadline);
    if (own) return own->matched ? Step{Verdict::permit, true} : Step{};
    log::warning("{}: {}: table lookup error -- ignoring the remainder of this access list", place, word);
    return {Verdict::undecided, true};
  }
  log::warning("{}: unknown command: {} -- ignoring the remainder of this access list", place,
               printable(word));
  return {Verdict::undecided, true};
}

AccessList::Step AccessList::ask(const TableItem& item, std::string_view address, Deadline deadline) const {
  auto found = item.maps.find(address, table::Where::all, deadline);
  if (!found) {
    log::warning("{}: {}: table lookup error -- ignoring the remainder of this access list", kName,
                 item.spec);
    return {Verdict::undecided, true};
  }
  if (!*found) return {};
  size_t seen = 0;
  for (std::string_view word : split_any((*found)->value, kListSeparators)) {
    if (++seen > kMaxWords) break;
    if (is_table(word)) {
      log::warning("table {}: lookup result \"{}\" is not allowed -- ignoring remainder of access list",
                   item.spec, printable((*found)->value));
      return {Verdict::undecided, true};
    }
    Step step = perform(word, item.spec, address, deadline);
    // "dunno" goes back to the list that names the table.
    if (step.ends) return equals_ignore_case(word, "dunno") ? Step{} : step;
  }
  return {};
}

}  // namespace postrider::postscreen
