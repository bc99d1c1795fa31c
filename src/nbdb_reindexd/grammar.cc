#include "nbdb_reindexd/grammar.h"

#include "index/source.h"
#include "table/source_lines.h"

namespace postrider::nbdb_reindexd {

Result<bool> is_alias_source(int fd, bool utf8) {
  constexpr int kEnough = 10;
  int maps = 0, aliases = 0;
  table::SourceLines lines(fd);
  while (maps + aliases < kEnough) {
    auto line = TRY(lines.next());
    if (!line) break;
    if (line->indented) continue;
    std::string remark;
    auto entry = index::parse_map_line(line->text, false, utf8, remark);
    // "root: joe" is an entry for both; a key that ends so is rare.
    if (entry && !entry->key.ends_with(':')) ++maps;
    if (index::parse_alias_line(line->text, utf8)) ++aliases;
  }
  return aliases > maps;
}

}  // namespace postrider::nbdb_reindexd
