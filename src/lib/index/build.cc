#include "index/build.h"

#include <ctime>

#include <fmt/format.h>

#include "index/source.h"
#include "log/log.h"
#include "table/source_lines.h"
#include "table/syntax.h"

namespace postrider::index {

namespace {

Result<void> add_signature(table::Builder& builder, const Signature& signature) {
  TRY(builder.add("@", "@"));
  TRY(builder.add_raw("YP_LAST_MODIFIED", signature.modified));
  return builder.add_raw("YP_MASTER_NAME", signature.host);
}

}  // namespace

Signature::Signature(std::string built_on)
    : modified(fmt::format("{:010}", time(nullptr))), host(std::move(built_on)) {}

Result<void> add_lines(const Source& source, const Form& form, const Add& add) {
  table::SourceLines lines(source.fd);
  for (;;) {
    auto line = lines.next();
    if (!line) return fail(line.error().kind, fmt::format("read {}: {}", source.name, line.error().text));
    if (!*line) return {};
    if ((*line)->indented) {
      log::warning("{}", table::indented_line_warning(source.name, (*line)->text));
      continue;
    }
    std::string remark;
    auto entry = form.aliases ? parse_alias_line((*line)->text, form.utf8)
                              : parse_map_line((*line)->text, form.values_are_files, form.utf8, remark);
    if (!entry) {
      if (!entry.error().nothing)
        log::warning("{}, line {}: {}", source.name, (*line)->first, entry.error().text);
      continue;
    }
    if (!remark.empty()) log::warning("{}, line {}: {}", source.name, (*line)->first, remark);
    TRY(add(entry->key, entry->value));
  }
}

mode_t inherited_mode(const struct stat& source) {
  constexpr mode_t kDefault = 0644;
  return S_ISREG(source.st_mode) ? kDefault & (0700 | source.st_mode) : kDefault;
}

Result<bool> build(const std::string& spec, const Source& source, const Form& form, mode_t mode,
                   const table::OpenOptions& options, const std::string& host) {
  auto builder = TRY(table::create(spec, mode, options));
  auto add = [&](std::string_view key, std::string_view value) { return builder->add(key, value); };
  TRY(add_lines(source, form, add));
  if (form.aliases) TRY(add_signature(*builder, Signature(host)));
  auto committed = builder->commit();
  if (committed) return true;
  if (committed.error().kind == ErrorKind::temporary) return false;
  return std::unexpected(std::move(committed).error());
}

}  // namespace postrider::index
