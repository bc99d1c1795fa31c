#include "table/match_list.h"

#include <fmt/format.h>

#include "base/casefold.h"
#include "sys/file.h"
#include "sys/socket.h"
#include "table/internal.h"
#include "table/syntax.h"

namespace postrider::table {

namespace {

constexpr int kMaxFileDepth = 20;
// Longer names are no domain names; they are compared as a whole only.
constexpr size_t kMaxDomain = 1024;

constexpr std::string_view kIpv4Characters = "0123456789.";
constexpr std::string_view kIpv6Characters = "0123456789.abcdefABCDEF:";

bool consists_of(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

bool contains(std::string_view text, char c) {
  return text.find(c) != std::string_view::npos;
}

/// Whether an item of a list with addresses has to be compared in binary form. IPv4 addresses have one text
/// form only and are compared as text; names must not be taken for malformed networks.
bool is_network(std::string_view item) {
  return (contains(item, ':') || contains(item, '/')) && !consists_of(item, kIpv4Characters) &&
         item.find_first_not_of("0123456789.abcdefABCDEF:[]/") == std::string_view::npos;
}

/// "type:table", other than "[2001:db8::1]".
bool is_table(std::string_view item) {
  return !item.starts_with('[') && contains(item, ':');
}

/// Calls `visit` with the parents of a domain name: "b.c" and "c" of "a.b.c", with `dot` ".b.c" and ".c".
/// Ends early when that returns true.
template <typename Visit>
void for_each_parent(std::string_view name, bool dot, Visit visit) {
  if (name.size() > kMaxDomain) return;
  for (size_t at = name.find('.', 1); at != std::string_view::npos; at = name.find('.', at + 1)) {
    std::string_view parent = name.substr(dot ? at : at + 1);
    if (parent.empty() || visit(parent)) return;
  }
}

/// Stands in for a file of items that could not be read.
class UnreadableFile : public Table {
 public:
  UnreadableFile(const std::string& path, std::string reason, LogSink log)
      : Table("non-existent", path, {}, std::move(log)), reason_(std::move(reason)) {}

 protected:
  Result<std::optional<std::string>> find(std::string_view, Deadline) override {
    std::string text = fmt::format("{} is unavailable. {}", spec(), reason_);
    warn(text);
    return fail(ErrorKind::temporary, std::move(text));
  }

 private:
  std::string reason_;
};

}  // namespace

/// What is compared with the items.
struct MatchList::Subject {
  std::optional<std::string_view> name;     ///< A word or domain name, as given.
  std::optional<std::string_view> address;  ///< Something that may be an IP address, as given.
  std::string folded_name, folded_address;
  sys::Address parsed;
};

Result<MatchList> MatchList::create(Catalog& catalog, std::string_view parameter, std::string_view value,
                                    Options options) {
  MatchList out;
  out.catalog_ = &catalog;
  out.parameter_ = parameter;
  out.options_ = options;
  TRY(out.add_list(value, false, 0));
  return out;
}

Result<void> MatchList::add_list(std::string_view list, bool negated, int depth) {
  while (auto item = next_item(list)) {
    std::string_view pattern = *item;
    if (pattern.starts_with('#')) {
      catalog_->log(Severity::warning, fmt::format("{}: comment at end of line is not supported: {}{}",
                                                   parameter_, printable(pattern), printable(list)));
      return {};
    }
    bool excluded = negated;
    for (; pattern.starts_with('!'); pattern.remove_prefix(1))
      excluded = !excluded;
    if (pattern.empty()) return fail(ErrorKind::invalid, fmt::format("{}: no pattern after '!'", parameter_));
    if (pattern.starts_with('/')) {
      TRY(add_file(std::string(pattern), excluded, depth + 1));
    } else if (is_table(pattern)) {
      items_.push_back(TableItem{TRY(catalog_->open(pattern)), excluded});
    } else {
      add_pattern(pattern, excluded);
    }
  }
  return {};
}

Result<void> MatchList::add_file(const std::string& path, bool negated, int depth) {
  if (depth > kMaxFileDepth) {
    return fail(ErrorKind::limit, fmt::format("{}: too many files within files at {}", parameter_, path));
  }
  auto content = sys::read_file(path, kMaxTextTable);
  if (!content) {
    std::string reason = content.error().text;
    if (content.error().kind == ErrorKind::system) {
      reason = Error::from_errno("open file " + path, content.error().code).text;
    }
    catalog_->log(Severity::error, reason);
    auto log = [catalog = catalog_](Severity severity, std::string_view text) {
      catalog->log(severity, text);
    };
    items_.push_back(TableItem{std::make_shared<UnreadableFile>(path, std::move(reason), log), negated});
    return {};
  }
  for (std::string_view line : split_each(*content, '\n')) {
    // With the end of the line, which a complaint about a comment shows.
    if (!line.starts_with('#')) TRY(add_list(std::string(line) + "\n", negated, depth));
  }
  return {};
}

void MatchList::add_pattern(std::string_view pattern, bool negated) {
  bool addresses = options_.kind == Kind::address || options_.kind == Kind::host;
  std::string text = (negated ? "!" : "") + std::string(pattern);
  if (addresses && is_network(pattern)) {
    auto network = Network::parse(pattern);
    if (network) {
      items_.emplace_back(NetworkItem{*network, std::move(text)});
    } else {
      items_.emplace_back(BrokenItem{std::move(network.error().text), contains(pattern, ':')});
    }
    return;
  }
  if (items_.empty() || !std::holds_alternative<Words>(items_.back())) items_.emplace_back(Words{});
  Words& words = std::get<Words>(items_.back());
  words.positions.try_emplace(casefold(pattern), static_cast<uint32_t>(words.items.size()));
  words.items.push_back(std::move(text));
}

std::unexpected<Error> MatchList::failed(ErrorKind kind, std::string_view problem) const {
  std::string text = fmt::format("{}: {}", parameter_, problem);
  catalog_->log(Severity::warning, text);
  return fail(kind, std::move(text));
}

MatchList::Answer MatchList::ask(const Words& words, const Subject& subject, Deadline) const {
  uint32_t first = UINT32_MAX;
  std::string_view matched;
  auto consider = [&](std::string_view form) {
    auto found = words.positions.find(form);
    if (found == words.positions.end() || found->second >= first) return false;
    first = found->second;
    matched = form;
    return false;
  };
  if (subject.name) {
    consider(subject.folded_name);
    if (options_.kind != Kind::text) {
      for_each_parent(subject.folded_name, !options_.parent_matches_subdomains, consider);
    }
  }
  std::string bracketed;
  if (subject.address) {
    consider(subject.folded_address);
    bracketed = "[" + subject.folded_address + "]";
    consider(bracketed);
  }
  if (first == UINT32_MAX) return std::nullopt;
  const std::string& item = words.items[first];
  return Decision{!item.starts_with('!'), Provenance{parameter_, item, std::string(matched)}};
}

MatchList::Answer MatchList::ask(const NetworkItem& item, const Subject& subject, Deadline) const {
  if (!subject.address || !item.network.contains(subject.parsed.bytes())) return std::nullopt;
  return Decision{!item.text.starts_with('!'),
                  Provenance{parameter_, item.text, std::string(*subject.address)}};
}

MatchList::Answer MatchList::ask(const BrokenItem& item, const Subject& subject, Deadline) const {
  if (!subject.address || contains(*subject.address, ':') != item.ipv6) return std::nullopt;
  return failed(ErrorKind::temporary, item.problem);
}

MatchList::Answer MatchList::ask(const TableItem& item, const Subject& subject, Deadline deadline) const {
  std::optional<Decision> decision;
  std::optional<ErrorKind> error;
  // True ends the search.
  auto look = [&](std::string_view key) {
    auto value = item.table->lookup(key, deadline);
    if (!value) {
      error = value.error().kind == ErrorKind::invalid ? ErrorKind::invalid : ErrorKind::temporary;
    } else if (*value) {
      decision = Decision{!item.negated, Provenance{parameter_, item.table->spec(), std::string(key)}};
    }
    return error || decision;
  };
  bool done = false;
  if (subject.name && !subject.name->empty()) {
    done = look(*subject.name);
    if (!done && options_.kind != Kind::text && !item.table->matches_patterns()) {
      for_each_parent(*subject.name, !options_.parent_matches_subdomains, look);
      done = error || decision;
    }
  }
  if (!done && subject.address) look(*subject.address);
  if (error) return failed(*error, fmt::format("{}: table lookup problem", item.table->log_name()));
  return decision;
}

Result<MatchList::Decision> MatchList::decide(const Subject& subject, Deadline deadline) const {
  for (const Item& item : items_) {
    auto answer = TRY(std::visit([&](const auto& kind) { return ask(kind, subject, deadline); }, item));
    if (answer) return std::move(*answer);
  }
  return Decision{};
}

namespace {

/// Whether an item may be compared with this as an address.
bool is_address_like(std::string_view text) {
  return consists_of(text, kIpv4Characters) || consists_of(text, kIpv6Characters);
}

}  // namespace

Result<MatchList::Decision> MatchList::match(std::string_view subject, Deadline deadline) const {
  if (options_.kind == Kind::address) return match({}, subject, deadline);
  Subject what;
  what.name = subject;
  what.folded_name = casefold(subject);
  return decide(what, deadline);
}

Result<MatchList::Decision> MatchList::match(std::string_view name, std::string_view address,
                                             Deadline deadline) const {
  Subject what;
  if (options_.kind == Kind::host) {
    what.name = name;
    what.folded_name = casefold(name);
  }
  if (!address.empty() && is_address_like(address)) {
    what.address = address;
    what.folded_address = lowercase(address);
    if (auto parsed = sys::Address::from_ip(address)) what.parsed = *parsed;
  }
  return decide(what, deadline);
}

}  // namespace postrider::table
