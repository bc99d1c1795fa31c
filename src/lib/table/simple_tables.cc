// Tables without a file of their own: static, inline, environ, internal, fail.
#include <cstdlib>
#include <map>

#include "base/casefold.h"
#include "base/encoding.h"
#include "base/text.h"
#include "sys/file.h"
#include "sys/process.h"
#include "table/internal.h"
#include "table/string_map.h"
#include "table/syntax.h"

namespace postrider::table {

namespace {

/// The same answer to every question.
class StaticTable : public Table {
 public:
  StaticTable(std::string_view name, std::string value, const OpenOptions& options)
      : Table("static", name, options.behaviour, options.log), value_(std::move(value)) {}
  Owner owner() const override { return {Owner::Trust::trusted, 0}; }

 protected:
  Result<std::optional<std::string>> find(std::string_view, Deadline) override { return value_; }

 private:
  std::string value_;
};

/// The environment of the process.
class EnvironTable : public Table {
 public:
  EnvironTable(std::string_view name, const OpenOptions& options)
      : Table("environ", name, options.behaviour, options.log) {}
  Owner owner() const override { return {Owner::Trust::trusted, 0}; }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline) override {
    const char* value = std::getenv(std::string(key).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  }
  Result<void> do_put(std::string_view key, std::string_view value, Deadline) override {
    sys::set_environment_entry(std::string(key), std::string(value));
    return {};
  }
};

/// Entries that live as long as the table.
class InternalTable : public Table {
 public:
  InternalTable(std::string_view name, const OpenOptions& options)
      : Table("internal", name, options.behaviour, options.log) {}
  Owner owner() const override { return {Owner::Trust::trusted, 0}; }

  Result<std::optional<Entry>> first(Deadline deadline) override {
    last_.reset();
    return next(deadline);
  }
  Result<std::optional<Entry>> next(Deadline) override {
    auto found = last_ ? entries_.upper_bound(*last_) : entries_.begin();
    if (found == entries_.end()) return std::nullopt;
    last_ = found->first;
    return Entry{found->first, found->second};
  }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline) override {
    auto found = entries_.find(key);
    if (found == entries_.end()) return std::nullopt;
    return found->second;
  }
  Result<void> do_put(std::string_view key, std::string_view value, Deadline) override {
    entries_.insert_or_assign(std::string(key), std::string(value));
    return {};
  }
  Result<bool> do_remove(std::string_view key, Deadline) override {
    auto found = entries_.find(key);
    if (found == entries_.end()) return false;
    entries_.erase(found);
    return true;
  }

 private:
  std::map<std::string, std::string, std::less<>> entries_;
  std::optional<std::string> last_;
};

class InlineTable : public Table {
 public:
  InlineTable(std::string_view name, StringMap entries, const OpenOptions& options)
      : Table("inline", name, options.behaviour, options.log), entries_(std::move(entries)) {}
  Owner owner() const override { return {Owner::Trust::trusted, 0}; }

  Result<std::optional<Entry>> first(Deadline deadline) override {
    position_ = 0;
    return next(deadline);
  }
  Result<std::optional<Entry>> next(Deadline) override {
    if (position_ == entries_.size()) return std::nullopt;
    auto entry = entries_.at(position_++);
    return Entry{std::string(entry.key), std::string(entry.value)};
  }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline) override {
    auto value = entries_.find(key);
    if (!value) return std::nullopt;
    return std::string(*value);
  }

 private:
  StringMap entries_;
  size_t position_ = 0;
};

/// Fails every request, for tests of configurations.
class FailTable : public Table {
 public:
  FailTable(std::string_view name, const OpenOptions& options)
      : Table("fail", name, options.behaviour, options.log) {}
  Owner owner() const override { return {Owner::Trust::trusted, 0}; }
  Result<std::optional<Entry>> first(Deadline) override { return failed("sequence"); }
  Result<std::optional<Entry>> next(Deadline) override { return failed("sequence"); }

 protected:
  Result<std::optional<std::string>> find(std::string_view, Deadline) override { return failed("query"); }
  Result<void> do_put(std::string_view, std::string_view, Deadline) override { return failed("write"); }
  Result<bool> do_remove(std::string_view, Deadline) override { return failed("delete"); }

 private:
  std::unexpected<Error> failed(std::string_view operation) const {
    return fail(ErrorKind::temporary,
                fmt::format("table {}: {} error: Application error", log_name(), operation));
  }
};

class FailBuilder : public Builder {
 public:
  FailBuilder(std::string_view name, const OpenOptions& options)
      : Builder(fmt::format("fail:{}", name), options) {}
  Result<void> commit() override { return {}; }

 protected:
  Result<void> do_add(std::string_view, std::string_view, bool) override {
    return fail(ErrorKind::temporary, fmt::format("table {}: write error: Application error", log_name()));
  }
};

/// Adds the "name=value" items to `entries`. The error text is empty when there is no better one than that
/// the whole is malformed.
Result<void> parse_inline(std::string_view name, const OpenOptions& options, StringMap& entries) {
  auto body = in_braces(name);
  // Nothing comes behind the braces here, not even a blank.
  if (!body || !name.ends_with('}') || name == "{}") return fail(ErrorKind::invalid, "");
  std::string_view rest = *body;
  while (auto item = next_item(rest)) {
    std::string_view text = *item;
    if (text.starts_with('{')) text = TRY(in_braces(text));
    NameValue pair = TRY(parse_name_value(text));
    std::string key(pair.name);
    if (options.behaviour.fold_fixed) key = options.behaviour.utf8 ? casefold(key) : lowercase(key);
    entries.assign(key, options.values_are_files ? TRY(encode_files(pair.value)) : std::string(pair.value));
  }
  if (entries.size() == 0) return fail(ErrorKind::invalid, "empty table");
  return {};
}

}  // namespace

OpenResult open_static(std::string_view name, const OpenOptions& options) {
  std::string value(name);
  if (name.starts_with('{')) {
    auto inner = in_braces(name);
    if (!inner) return fail(ErrorKind::invalid, "bad static:name syntax: " + inner.error().text);
    value = *inner;
  }
  if (options.values_are_files) value = TRY(encode_files(value));
  return std::make_shared<StaticTable>(name, std::move(value), options);
}

OpenResult open_inline(std::string_view name, const OpenOptions& options) {
  TRY(refuse_write("inline", name, options));
  auto needs = [&](std::string_view problem) {
    return fail(ErrorKind::invalid,
                fmt::format("{}: \"inline:{}\"; need \"inline:{{name={}...}}\"", problem, printable(name),
                            options.values_are_files ? "filename" : "value"));
  };
  if (options.behaviour.utf8 && !is_valid_utf8(name)) return needs("bad UTF-8 syntax");
  StringMap entries;
  auto parsed = parse_inline(name, options, entries);
  if (!parsed) return needs(parsed.error().text.empty() ? "bad syntax" : printable(parsed.error().text));
  return std::make_shared<InlineTable>(name, std::move(entries), options);
}

OpenResult open_environ(std::string_view name, const OpenOptions& options) {
  return std::make_shared<EnvironTable>(name, options);
}

OpenResult open_internal(std::string_view name, const OpenOptions& options) {
  return std::make_shared<InternalTable>(name, options);
}

OpenResult open_fail(std::string_view name, const OpenOptions& options) {
  return std::make_shared<FailTable>(name, options);
}

CreateResult create_fail(std::string_view name, mode_t, const OpenOptions& options) {
  return std::make_unique<FailBuilder>(name, options);
}

Result<std::string> encode_files(std::string_view list) {
  std::string content;
  bool any = false;
  std::string_view rest = list;
  while (auto path = next_token(rest, kListSeparators)) {
    if (any) content += '\n';
    any = true;
    content += TRY(sys::read_file(std::string(*path), kMaxFileValue));
  }
  if (!any) return fail(ErrorKind::invalid, fmt::format("empty pathname list: >>{}<<'", list));
  return base64_encode(content);
}

}  // namespace postrider::table
