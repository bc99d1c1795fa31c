// Lists of patterns, as in mynetworks, mydestination, relay_domains.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/text.h"
#include "table/catalog.h"
#include "table/network.h"

namespace postrider::table {

/// A list of "pattern", "type:table" and "/file/name" items, separated by comma or white space; a "!" in
/// front of an item excludes what it matches, and the first item that matches decides. A file is read once,
/// when the list is made; each of its lines that does not begin with "#" is a list again. What cannot answer
/// (a table that fails, a file that could not be read, a malformed network) makes the whole answer an error.
class MatchList {
 public:
  /// What the items are compared with.
  enum class Kind : unsigned char {
    text,     ///< A word: the same, without regard to case.
    domain,   ///< A host or domain name: also its parent domains.
    address,  ///< An IP address: also networks, "192.0.2.0/24", "[2001:db8::]/32".
    host,     ///< A host name together with its IP address, tried in this order with each item.
  };

  struct Options {
    Kind kind = Kind::text;
    /// "example.com" matches its subdomains too (parent_domain_matches_subdomains lists the parameter);
    /// otherwise only ".example.com" does.
    bool parent_matches_subdomains = false;
  };

  /// An empty list, which matches nothing.
  MatchList() = default;
  /// The catalog must outlive the object. An error where an item is malformed beyond use.
  static Result<MatchList> create(Catalog& catalog, std::string_view parameter, std::string_view value,
                                  Options options);

  struct Decision {
    bool matched = false;
    /// The item that decided, also where it says no; nothing when no item matches.
    std::optional<Provenance> by;
  };
  /// For lists of the kinds text, domain and address.
  Result<Decision> match(std::string_view subject, Deadline deadline) const;
  /// For lists of the kind host. A name of "unknown" is a name like any other.
  Result<Decision> match(std::string_view name, std::string_view address, Deadline deadline) const;

  bool empty() const { return items_.empty(); }
  const std::string& parameter() const { return parameter_; }

 private:
  /// A run of items that are plain text: long lists are not walked through, but asked for each form of the
  /// subject; the lowest position wins.
  struct Words {
    std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>> positions;
    std::vector<std::string> items;  ///< By position; with "!" where negated.
  };
  struct NetworkItem {
    Network network;
    std::string text;
  };
  struct TableItem {
    std::shared_ptr<Table> table;
    bool negated = false;
  };
  /// A network that is malformed, and how; matters to addresses of its family.
  struct BrokenItem {
    std::string problem;
    bool ipv6 = false;
  };
  using Item = std::variant<Words, NetworkItem, TableItem, BrokenItem>;
  using Answer = Result<std::optional<Decision>>;
  struct Subject;

  Result<void> add_list(std::string_view list, bool negated, int depth);
  Result<void> add_file(const std::string& path, bool negated, int depth);
  void add_pattern(std::string_view pattern, bool negated);

  Result<Decision> decide(const Subject& subject, Deadline deadline) const;
  Answer ask(const Words& words, const Subject& subject, Deadline deadline) const;
  Answer ask(const NetworkItem& item, const Subject& subject, Deadline deadline) const;
  Answer ask(const TableItem& item, const Subject& subject, Deadline deadline) const;
  Answer ask(const BrokenItem& item, const Subject& subject, Deadline deadline) const;
  std::unexpected<Error> failed(ErrorKind kind, std::string_view problem) const;

  Catalog* catalog_ = nullptr;
  std::string parameter_;
  Options options_;
  std::vector<Item> items_;
};

}  // namespace postrider::table
