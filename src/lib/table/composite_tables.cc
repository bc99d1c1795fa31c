// Tables made of other tables: unionmap, pipemap, debug; and randmap, made of values.
#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "sys/random.h"
#include "table/internal.h"
#include "table/syntax.h"

namespace postrider::table {

namespace {

/// Tables inside of tables inside of tables.
constexpr int kMaxNesting = 20;

/// Checks and folding are the business of the tables inside.
Behaviour unchecked() {
  return {.fold_fixed = false, .fold_patterns = false, .utf8 = false};
}

/// The less trusted of the two.
Owner combine(const Owner& a, const Owner& b) {
  using Trust = Owner::Trust;
  if (a.trust == Trust::unknown || b.trust == Trust::unknown) return {};
  if (a.trust == Trust::untrusted && b.trust == Trust::untrusted && a.uid != b.uid) return {};
  return a.trust == Trust::untrusted ? a : b;
}

class CompositeTable : public Table {
 public:
  CompositeTable(std::string_view type, std::string_view name, std::vector<std::shared_ptr<Table>> parts,
                 const OpenOptions& options)
      : Table(type, name, unchecked(), options.log), parts_(std::move(parts)) {}

  Owner owner() const override {
    Owner out = parts_.front()->owner();
    for (const auto& part : parts_)
      out = combine(out, part->owner());
    return out;
  }
  bool is_stale() const override {
    return std::ranges::any_of(parts_, [](const auto& part) { return part->is_stale(); });
  }

 protected:
  const std::vector<std::shared_ptr<Table>>& parts() const { return parts_; }
  /// An error of `part` as this table's.
  std::unexpected<Error> failed(const Table& part, const Error& error) const {
    // Postfix's command ends its line with the reason behind the last colon.
    std::string prefix = fmt::format("table {}", part.log_name());
    std::string reason =
        error.text.starts_with(prefix) ? error.text.substr(prefix.size()) : ": " + error.text;
    return fail(error.kind, fmt::format("table {}{}", log_name(), reason));
  }

 private:
  std::vector<std::shared_ptr<Table>> parts_;
};

/// The values of all tables that have the key, with commas between them.
class UnionTable : public CompositeTable {
 public:
  using CompositeTable::CompositeTable;
  bool matches_patterns() const override {
    return std::ranges::all_of(parts(), [](const auto& part) { return part->matches_patterns(); });
  }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    std::optional<std::string> out;
    for (const auto& part : parts()) {
      auto value = part->lookup(key, deadline);
      if (!value) return failed(*part, value.error());
      if (!*value) continue;
      if (out && !out->empty())
        *out += ',' + **value;
      else
        out = std::move(**value);
    }
    // Tables that have nothing but empty values have found nothing.
    if (out && out->empty()) out.reset();
    return out;
  }
};

/// The value of each table is the key for the next.
class PipeTable : public CompositeTable {
 public:
  using CompositeTable::CompositeTable;
  bool matches_patterns() const override { return parts().front()->matches_patterns(); }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    std::string query(key);
    for (const auto& part : parts()) {
      auto value = part->lookup(query, deadline);
      if (!value) return failed(*part, value.error());
      if (!*value) return std::nullopt;
      query = std::move(**value);
    }
    return query;
  }
};

/// One of several values, by chance, whatever the key.
class RandomTable : public Table {
 public:
  RandomTable(std::string_view name, std::vector<std::string> values, const OpenOptions& options)
      : Table("randmap", name, options.behaviour, options.log), values_(std::move(values)) {}
  bool matches_patterns() const override { return true; }
  Owner owner() const override { return {Owner::Trust::trusted, 0}; }

 protected:
  Result<std::optional<std::string>> find(std::string_view, Deadline) override {
    return values_[sys::random_below(values_.size())];
  }

 private:
  std::vector<std::string> values_;
};

/// Logs what is asked of another table, and what it answers.
class DebugTable : public Table {
 public:
  DebugTable(std::string_view name, std::shared_ptr<Table> real, const OpenOptions& options)
      : Table("debug", name, unchecked(), options.log), real_(std::move(real)) {}

  bool matches_patterns() const override { return real_->matches_patterns(); }
  bool substitutes() const override { return real_->substitutes(); }
  Owner owner() const override { return real_->owner(); }
  bool is_stale() const override { return real_->is_stale(); }
  Result<void> sync() override { return real_->sync(); }

  Result<std::optional<Entry>> first(Deadline deadline) override { return logged(real_->first(deadline)); }
  Result<std::optional<Entry>> next(Deadline deadline) override { return logged(real_->next(deadline)); }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    auto value = real_->lookup(key, deadline);
    std::string_view shown = !value ? "error" : !*value ? "not_found" : std::string_view(**value);
    tell("lookup", fmt::format("\"{}\" = \"{}\"", key, shown));
    return value;
  }
  Result<void> do_put(std::string_view key, std::string_view value, Deadline deadline) override {
    auto done = real_->put(key, value, deadline);
    tell("update", fmt::format("\"{}\" = \"{}\": {}", key, value, done ? "success" : "error"));
    return done;
  }
  Result<bool> do_remove(std::string_view key, Deadline deadline) override {
    auto done = real_->remove(key, deadline);
    tell("delete", fmt::format("\"{}\": {}", key, !done ? "error" : *done ? "success" : "failed"));
    return done;
  }

 private:
  Result<std::optional<Entry>> logged(Result<std::optional<Entry>> entry) {
    if (!entry || !*entry)
      tell("sequence", "found EOF");
    else
      tell("sequence", fmt::format("\"{}\" = \"{}\"", (*entry)->key, (*entry)->value));
    return entry;
  }
  void tell(std::string_view operation, std::string_view what) const {
    if (log()) log()(Severity::info, fmt::format("{} {}: {}", real_->log_name(), operation, printable(what)));
  }

  std::shared_ptr<Table> real_;
};

/// The items of "type:{a, b}"; none when the text is malformed.
std::vector<std::string_view> items_of(std::string_view name) {
  auto body = in_braces(name);
  if (!body || !name.starts_with('{')) return {};
  std::vector<std::string_view> out;
  for (std::string_view rest = *body; auto item = next_item(rest);)
    out.push_back(*item);
  return out;
}

std::unexpected<Error> needs(std::string_view type, std::string_view name, std::string_view what) {
  return fail(ErrorKind::invalid,
              fmt::format("bad syntax: \"{}:{}\"; need \"{}:{{{}...}}\"", type, printable(name), type, what));
}

/// Counts how deep tables are opened inside of tables.
class Nesting {
 public:
  Nesting() { ++depth(); }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;
  ~Nesting() { --depth(); }
  bool too_deep() const { return depth() > kMaxNesting; }

 private:
  static int& depth() {
    thread_local int value = 0;
    return value;
  }
};

template <typename Composite>
OpenResult open_composite(std::string_view type, std::string_view name, const OpenOptions& options) {
  TRY(refuse_write(type, name, options));
  Nesting nesting;
  std::vector<std::string_view> items = items_of(name);
  bool well_formed =
      !items.empty() && !nesting.too_deep() &&
      std::ranges::all_of(items, [](std::string_view item) { return item.find(':') != item.npos; });
  if (!well_formed) return needs(type, name, "type:name");
  std::vector<std::shared_ptr<Table>> parts;
  for (std::string_view item : items)
    parts.push_back(TRY(open(item, options)));
  return std::make_shared<Composite>(type, name, std::move(parts), options);
}

}  // namespace

OpenResult open_unionmap(std::string_view name, const OpenOptions& options) {
  return open_composite<UnionTable>("unionmap", name, options);
}

OpenResult open_pipemap(std::string_view name, const OpenOptions& options) {
  return open_composite<PipeTable>("pipemap", name, options);
}

OpenResult open_randmap(std::string_view name, const OpenOptions& options) {
  TRY(refuse_write("randmap", name, options));
  std::vector<std::string> values;
  for (std::string_view item : items_of(name))
    values.push_back(options.values_are_files ? TRY(encode_files(item)) : std::string(item));
  if (values.empty()) return needs("randmap", name, "value");
  return std::make_shared<RandomTable>(name, std::move(values), options);
}

OpenResult open_debug(std::string_view name, const OpenOptions& options) {
  Nesting nesting;
  TRY(check_spec(name));
  if (nesting.too_deep())
    return fail(ErrorKind::invalid,
                fmt::format("bad syntax: \"debug:{}\"; need \"debug:type:name\"", printable(name)));
  return std::make_shared<DebugTable>(name, TRY(open(name, options)), options);
}

std::vector<RequiredPath> composite_paths(std::string_view name) {
  std::vector<RequiredPath> out;
  Nesting nesting;
  if (nesting.too_deep()) return out;
  for (std::string_view item : items_of(name))
    std::ranges::move(required_paths(item), std::back_inserter(out));
  return out;
}

std::vector<RequiredPath> debug_paths(std::string_view name) {
  Nesting nesting;
  return nesting.too_deep() ? std::vector<RequiredPath>() : required_paths(name);
}

}  // namespace postrider::table
