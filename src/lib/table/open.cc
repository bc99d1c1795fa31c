#include "table/open.h"

#include <algorithm>
#include <map>

#include "base/casefold.h"
#include "base/text.h"
#include "sandbox/profile.h"
#include "table/internal.h"

namespace postrider::table {

namespace {

std::vector<RequiredPath> the_file(std::string_view name) {
  // Rules and entries that are written in the configuration need no file.
  if (name.starts_with('{')) return {};
  return {{.path = std::string(name)}};
}

std::vector<RequiredPath> index_and_source(std::string_view name, std::string_view suffix) {
  return {{.path = fmt::format("{}{}", name, suffix)}, {.path = std::string(name)}};
}

std::vector<RequiredPath> berkeley_paths(std::string_view name) {
  return index_and_source(name, ".db");
}

std::vector<RequiredPath> lmdb_paths(std::string_view name) {
  return index_and_source(name, ".lmdb");
}

std::vector<RequiredPath> cdb_paths(std::string_view name) {
  return index_and_source(name, ".cdb");
}

std::vector<RequiredPath> name_service_paths(std::string_view) {
  return {{.path = "/etc/passwd"}, {.path = "/etc/group"}, {.path = "/etc/nsswitch.conf"}};
}

using Registry = std::map<std::string, Type, std::less<>>;

Registry built_in_types() {
  Registry out;
  auto add = [&](Type type) { out.emplace(type.type, std::move(type)); };
  add({"btree", open_berkeley_btree, create_berkeley_btree, berkeley_paths});
  add({"cdb", open_cdb, create_cdb, cdb_paths});
  add({"cidr", open_cidr, nullptr, the_file});
  add({"debug", open_debug, nullptr, debug_paths});
  add({"environ", open_environ});
  add({"fail", open_fail, create_fail, nullptr});
  add({"hash", open_berkeley_hash, create_berkeley_hash, berkeley_paths});
  add({"inline", open_inline, nullptr, nullptr});
  add({"internal", open_internal});
  add({"ldap", open_ldap, nullptr, settings_paths, true});
  add({"lmdb", open_lmdb, create_lmdb, lmdb_paths});
  add({"memcache", open_memcache, nullptr, settings_paths, true});
  add({"mysql", open_mysql, nullptr, settings_paths, true});
  add({"pcre", open_pcre, nullptr, the_file});
  add({"pgsql", open_pgsql, nullptr, settings_paths, true});
  add({"pipemap", open_pipemap, nullptr, composite_paths});
  add({"randmap", open_randmap});
  add({"redis", open_redis, nullptr, settings_paths, true});
  add({"regexp", open_regexp, nullptr, the_file});
  add({"socketmap", open_socketmap, nullptr, nullptr, true});
  add({"sqlite", open_sqlite, nullptr, sqlite_paths});
  add({"static", open_static, nullptr, nullptr});
  add({"tcp", open_tcp, nullptr, nullptr, true});
  add({"unionmap", open_unionmap, nullptr, composite_paths});
  add({"unix", open_unix, nullptr, name_service_paths});
  add({"texthash", open_texthash, nullptr, the_file});
  return out;
}

/// The types of this process.
Registry& registry() {
  static Registry types = built_in_types();
  return types;
}

struct Spec {
  std::string_view type, name;
};

Result<Spec> parse_spec(std::string_view spec) {
  size_t colon = spec.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == spec.size()) {
    return fail(
        ErrorKind::invalid,
        fmt::format("open dictionary: expecting \"type:name\" form instead of \"{}\"", printable(spec)));
  }
  return Spec{spec.substr(0, colon), spec.substr(colon + 1)};
}

Result<const Type*> find_type(std::string_view type, std::string_view hint) {
  auto found = registry().find(type);
  if (found != registry().end()) return &found->second;
  std::string text = fmt::format("unsupported dictionary type: {}", printable(type));
  std::string_view reason = why_unsupported(type);
  return fail(ErrorKind::invalid,
              reason.empty() ? fmt::format("{}{}", text, hint) : fmt::format("{}: {}", text, reason));
}

/// Stands in for a table that could not be opened.
class Surrogate : public Table {
 public:
  Surrogate(std::string_view type, std::string_view name, std::string_view wanted, const OpenOptions& options,
            std::string reason)
      : Table(type, name, unchecked(), options.log),
        wanted_(wanted),
        options_(options),
        reason_(std::move(reason)),
        next_try_(Clock::now() + kRetryAfter) {}

  bool matches_patterns() const override { return real_ && real_->matches_patterns(); }
  bool substitutes() const override { return real_ && real_->substitutes(); }
  Owner owner() const override { return real_ ? real_->owner() : Owner{}; }
  bool is_stale() const override { return real_ ? real_->is_stale() : true; }

  Result<std::optional<Entry>> first(Deadline deadline) override {
    TRY(available());
    return real_->first(deadline);
  }
  Result<std::optional<Entry>> next(Deadline deadline) override {
    TRY(available());
    return real_->next(deadline);
  }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    TRY(available());
    return real_->lookup(key, deadline);
  }
  Result<void> do_put(std::string_view key, std::string_view value, Deadline deadline) override {
    TRY(available());
    return real_->put(key, value, deadline);
  }
  Result<bool> do_remove(std::string_view key, Deadline deadline) override {
    TRY(available());
    return real_->remove(key, deadline);
  }

 private:
  static constexpr auto kRetryAfter = std::chrono::seconds(1);

  /// Checks and folding are the real table's business.
  static Behaviour unchecked() { return {.fold_fixed = false, .fold_patterns = false, .utf8 = false}; }

  Result<void> available() {
    if (!real_ && Clock::now() >= next_try_) {
      next_try_ = Clock::now() + kRetryAfter;
      auto opened = open(wanted_, options_);
      if (opened) {
        real_ = std::move(*opened);
      } else {
        reason_ = opened.error().text;
      }
    }
    if (real_) return {};
    std::string text = fmt::format("{} is unavailable. {}", wanted_, reason_);
    warn(text);
    return fail(ErrorKind::temporary, std::move(text));
  }

  std::string wanted_;
  OpenOptions options_;
  std::string reason_;
  Clock::time_point next_try_;
  std::shared_ptr<Table> real_;
};

/// A table that is to be of another type; `other` holds its name.
Result<void> redirect(Spec& parts, std::string_view spec, std::string& other, const OpenOptions& options) {
  if (!options.redirect) return {};
  auto target = TRY(options.redirect(spec));
  if (!target) return {};
  other = std::move(*target);
  parts = TRY(parse_spec(other));
  return {};
}

}  // namespace

std::vector<RequiredPath> settings_paths(std::string_view name) {
  bool file = name.starts_with('/') || name.starts_with('.');
  return file ? std::vector<RequiredPath>{{.path = std::string(name)}} : std::vector<RequiredPath>();
}

Result<void> check_spec(std::string_view spec) {
  TRY(parse_spec(spec));
  return {};
}

Result<std::shared_ptr<Table>> open(std::string_view spec, const OpenOptions& options) {
  Spec parts = TRY(parse_spec(spec));
  std::string other;
  TRY(redirect(parts, spec, other, options));
  if (!other.empty() && options.provide && !options.create_mode) TRY(options.provide(spec, other));
  const Type* type = TRY(find_type(parts.type, ""));
  if (type->needs_network) sandbox::ask_for_network();
  return type->open(parts.name, options);
}

std::shared_ptr<Table> open_or_surrogate(std::string_view spec, const OpenOptions& options) {
  auto opened = open(spec, options);
  if (opened) return std::move(*opened);
  if (options.cannot_open) options.cannot_open(opened.error().text);
  if (options.log) options.log(Severity::error, opened.error().text);
  size_t colon = std::min(spec.find(':'), spec.size());
  return std::make_shared<Surrogate>(spec.substr(0, colon), spec.substr(std::min(colon + 1, spec.size())),
                                     spec, options, opened.error().text);
}

Result<std::unique_ptr<Builder>> create(std::string_view spec, mode_t mode, const OpenOptions& options) {
  Spec parts = TRY(parse_spec(spec));
  std::string other;
  TRY(redirect(parts, spec, other, options));
  const Type* type = TRY(
      find_type(parts.type, fmt::format(". Is the postfix-{} package installed?", printable(parts.type))));
  if (!type->create) {
    return fail(
        ErrorKind::denied,
        fmt::format("unsupported dictionary type: {} does not support bulk-mode creation.", type->type));
  }
  return type->create(parts.name, mode, options);
}

Result<void> Builder::add(std::string_view key, std::string_view value) {
  if (!options_.behaviour.fold_fixed) return do_add(key, value, options_.terminator != Terminator::never);
  std::string folded = options_.behaviour.utf8 ? casefold(key) : lowercase(key);
  return do_add(folded, value, options_.terminator != Terminator::never);
}

Result<void> Builder::add_raw(std::string_view key, std::string_view value) {
  return do_add(key, value, false);
}

std::vector<RequiredPath> required_paths(std::string_view spec) {
  auto parts = parse_spec(spec);
  if (!parts) return {};
  auto found = registry().find(parts->type);
  if (found == registry().end() || !found->second.required_paths) return {};
  return found->second.required_paths(parts->name);
}

void register_type(Type type) {
  std::string name = type.type;
  registry().insert_or_assign(std::move(name), std::move(type));
}

std::optional<Type> registered_type(std::string_view type) {
  auto found = registry().find(type);
  return found == registry().end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> type_names() {
  std::vector<std::string> out;
  for (const auto& [name, type] : registry())
    out.push_back(name);
  return out;
}

bool is_known_type(std::string_view type) {
  return registry().contains(type);
}

}  // namespace postrider::table
