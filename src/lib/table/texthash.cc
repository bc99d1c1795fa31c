// texthash: the source of a hash or btree table, read into memory.
#include "base/casefold.h"
#include "base/logical_lines.h"
#include "base/text.h"
#include "table/string_map.h"
#include "table/syntax.h"
#include "table/text_table.h"

namespace postrider::table {

namespace {

struct TextHash {
  StringMap entries;

  static Result<TextHash> parse(std::string_view text, const ParseContext& context) {
    TextHash out;
    LogicalLines lines(text);
    while (auto line = lines.next()) {
      if (line->indented) {
        context.warn_indented(line->text);
        continue;
      }
      auto entry = parse_entry(line->text, context.behaviour.utf8);
      if (!entry) {
        context.warn(line->first, fault_text(entry.error(), line->text, true));
        continue;
      }
      if (looks_like_alias(*entry)) context.warn(line->first, kAliasLikeWarning);
      out.add(*entry, line->first, context);
    }
    return out;
  }

 private:
  void add(const KeyValue& entry, int line, const ParseContext& context) {
    std::string value(entry.value);
    if (context.values_are_files) {
      auto encoded = encode_files(entry.value);
      if (!encoded) return context.warn(line, printable(encoded.error().text) + ": skipping this entry");
      value = std::move(*encoded);
    }
    std::string key(entry.key);
    if (context.behaviour.fold_fixed) key = context.behaviour.utf8 ? casefold(key) : lowercase(key);
    if (context.duplicates == Duplicates::replace) {
      entries.assign(key, value);
    } else if (!entries.insert(key, value) && context.duplicates == Duplicates::warn) {
      context.warn(line, fmt::format("duplicate entry: \"{}\"", printable(entry.key)));
    }
  }
};

class TextHashTable : public TextTable<TextHash> {
 public:
  TextHashTable(std::string_view name, const OpenOptions& options)
      : TextTable(
            "texthash", name, options,
            {.context = {.name = std::string(name),
                         .where = std::string(name),
                         .behaviour = options.behaviour,
                         .values_are_files = options.values_are_files,
                         .duplicates = options.duplicates,
                         .log = options.log},
             .errors = {.open = fmt::format("open database {}", name), .read = fmt::format("read {}", name)},
             .settle = true}) {}
  using TextTable::load_file;

  Result<std::optional<Entry>> first(Deadline deadline) override {
    position_ = 0;
    return next(deadline);
  }
  Result<std::optional<Entry>> next(Deadline deadline) override {
    const StringMap& entries = current(deadline).entries;
    if (position_ >= entries.size()) return std::nullopt;
    auto entry = entries.at(position_++);
    return Entry{std::string(entry.key), std::string(entry.value)};
  }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    auto value = current(deadline).entries.find(key);
    if (!value) return std::nullopt;
    return std::string(*value);
  }

 private:
  size_t position_ = 0;
};

}  // namespace

OpenResult open_texthash(std::string_view name, const OpenOptions& options) {
  TRY(refuse_write("texthash", name, options));
  auto table = std::make_shared<TextHashTable>(name, options);
  TRY(table->load_file());
  return table;
}

}  // namespace postrider::table
