#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "log/log.h"
#include "tools/postmap/job.h"
#include "tools/postmap/message_keys.h"
#include "tools/postmap/output.h"

namespace postrider::postmap {

using table::Access;
using table::Entry;
using table::Table;

std::string full_spec(std::string_view table, const Settings& settings) {
  if (table.find(':') != std::string_view::npos) return std::string(table);
  return fmt::format("{}:{}", settings.default_type, table);
}

table::OpenOptions open_options(const Options& options, const Settings& settings, Access access) {
  table::OpenOptions out = settings.tables;
  out.behaviour.fold_fixed = options.fold;
  out.behaviour.utf8 = out.behaviour.utf8 && options.utf8;
  out.values_are_files = options.values_are_files;
  out.duplicates = options.duplicates;
  out.terminator = options.terminator;
  out.access = access;
  return out;
}

namespace {

void warn_empty(const std::string& name, std::string_view key) {
  log::warning("table {}: key {}: empty string result is not allowed", name, printable(key));
  log::warning("table {} should return NO RESULT in case of NOT FOUND", name);
}

/// The tables of the command line, opened when they are first asked.
class Tables {
 public:
  Tables(const Options& options, const Settings& settings) : options_(options), settings_(settings) {
    tables_.resize(options.tables.size());
    with_ = open_options(options, settings, Access::read);
    // Text of messages is what it is.
    if ((options.body_keys || options.header_keys) && !options.force_utf8) with_.behaviour.utf8 = false;
  }

  /// Before a wait that may be long: others may want to change the tables.
  void end_batch() {
    for (const auto& table : tables_)
      if (table) table->end_batch();
  }

  /// The value in the first table that has the key.
  Result<std::optional<std::string>> find(std::string_view key) {
    for (size_t i = 0; i < tables_.size(); ++i) {
      if (!tables_[i]) tables_[i] = TRY(table::open(full_spec(options_.tables[i], settings_), with_));
      if (options_.from_stdin()) tables_[i]->begin_batch();
      auto value = TRY(tables_[i]->lookup(key, Deadline::never()));
      // Of one key the warnings name the table as it was given, of many the index.
      bool one = !options_.from_stdin();
      if (value)
        return check(one ? tables_[i]->spec() : tables_[i]->log_name(), *tables_[i], key, std::move(*value));
    }
    return std::nullopt;
  }

 private:
  Result<std::optional<std::string>> check(const std::string& name, const Table& table, std::string_view key,
                                           std::string value) const {
    if (value.empty()) warn_empty(name, key);
    // With keys of a message values stay as they are.
    if (!options_.values_are_files || options_.header_keys || options_.body_keys) return value;
    auto content = base64_decode(value);
    if (content) return std::move(*content);
    log::warning("table {}: key {}: malformed BASE64 value: {}", table.log_name(), printable(key),
                 printable(std::string_view(value).substr(0, 30)));
    return fail(ErrorKind::invalid, fmt::format("table {}: query error", table.log_name()));
  }

  const Options& options_;
  const Settings& settings_;
  table::OpenOptions with_;
  std::vector<std::shared_ptr<Table>> tables_;
};

/// Decoded where values are files; nothing, after a warning, for a value that is none.
std::optional<std::string> shown_value(const Options& options, const Table& table, const Entry& entry) {
  if (!options.values_are_files) return entry.value;
  auto content = base64_decode(entry.value);
  if (content) return std::move(*content);
  log::warning("table {}: key {}: malformed BASE64 value: {}", table.log_name(), printable(entry.key),
               printable(std::string_view(entry.value).substr(0, 30)));
  return std::nullopt;
}

}  // namespace

Result<int> query(const Options& options, const Settings& settings) {
  Output output(options);
  auto value = TRY(Tables(options, settings).find(*options.query));
  if (!value) return 1;
  if (options.json) {
    output.key_and_value(*options.query, *value);
  } else {
    output.value(*value);
  }
  TRY(output.flush());
  return 0;
}

Result<int> query_stdin(const Options& options, const Settings& settings) {
  Output output(options);
  Tables tables(options, settings);
  bool found = false;
  auto ask = [&](std::string_view key) -> Result<void> {
    auto value = TRY(tables.find(key));
    if (value) {
      found = true;
      output.key_and_value(key, *value);
    }
    return output.flush_full();
  };
  Input input([&]() -> Result<void> {
    tables.end_batch();
    return output.flush();
  });
  if (options.parse_mime && !options.header_keys && !options.body_keys) {
    log::warning("ignoring -m option without -b or -h");
  }
  if (options.header_keys || options.body_keys) {
    TRY(for_each_message_key(options, input, ask));
  } else {
    while (auto key = TRY(input.line()))
      TRY(ask(*key));
  }
  TRY(output.flush());
  return found ? 0 : 1;
}

Result<int> remove_keys(const Options& options, const Settings& settings) {
  bool found = false;
  std::vector<std::shared_ptr<Table>> tables;
  for (const std::string& name : options.tables) {
    tables.push_back(
        TRY(table::open(full_spec(name, settings), open_options(options, settings, Access::exclusive))));
  }
  auto remove = [&](std::string_view key) -> Result<void> {
    for (const auto& table : tables) {
      if (TRY(table->remove(key, Deadline::never()))) found = true;
    }
    return {};
  };
  if (*options.removal == "-") {
    Input input;
    while (auto key = TRY(input.line()))
      TRY(remove(*key));
  } else {
    TRY(remove(*options.removal));
  }
  for (const auto& table : tables)
    TRY(table->sync());
  return found ? 0 : 1;
}

Result<int> list_entries(const Options& options, const Settings& settings) {
  // So that nobody who reads slowly keeps others from changing the table.
  constexpr size_t kMaxCollected = size_t{256} << 20;
  // One table only: Postfix's command has always ended after the first.
  std::string spec = full_spec(options.tables.front(), settings);
  table::OpenOptions with = open_options(options, settings, Access::read);
  with.keep_lock = true;
  auto table = TRY(table::open(spec, with));
  Output output(options);
  for (auto entry = TRY(table->first(Deadline::never())); entry; entry =
                                                                     TRY(table->next(Deadline::never()))) {
    if (entry->key.empty()) {
      log::warning("table {}: empty lookup key value is not allowed", spec);
    } else if (entry->value.empty()) {
      warn_empty(spec, entry->key);
    }
    if (auto value = shown_value(options, *table, *entry)) output.key_and_value(entry->key, *value);
    TRY(output.flush_full(kMaxCollected));
  }
  table.reset();
  TRY(output.flush());
  return 0;
}

}  // namespace postrider::postmap
