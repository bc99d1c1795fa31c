// postscreen_access_list: clients that are let in, or not, without a test.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/deadline.h"
#include "config/config.h"
#include "table/catalog.h"
#include "table/maps.h"
#include "table/match_list.h"

namespace postrider::postscreen {

class AccessList {
 public:
  enum class Verdict : unsigned char { undecided, permit, reject };

  AccessList(const config::Config& config, table::Catalog& catalog, std::vector<std::string>& paths);

  /// What is wrong with the list, or with the result of a table, is logged; then the rest does not count.
  Verdict judge(std::string_view client_address, Deadline deadline) const;

 private:
  struct TableItem {
    std::string spec;
    table::Maps maps;
  };
  using Item = std::variant<std::string, TableItem>;  // A word, or a table.

  /// What an item says, and whether the next one is to be asked.
  struct Step {
    Verdict verdict = Verdict::undecided;
    bool ends = false;
  };
  Step perform(std::string_view word, std::string_view place, std::string_view address,
               Deadline deadline) const;
  Step ask(const TableItem& item, std::string_view address, Deadline deadline) const;

  table::MatchList networks_;
  std::vector<Item> items_;
};

}  // namespace postrider::postscreen
