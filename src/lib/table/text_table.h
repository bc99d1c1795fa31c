// Tables whose whole content is parsed from text: a file, or rules written in the configuration.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "io/offload.h"
#include "sys/file.h"
#include "table/internal.h"
#include "table/syntax.h"
#include "table/watched_file.h"

namespace postrider::table {

/// What a parser of table text is told, and where it complains.
struct ParseContext {
  std::string name;   ///< Of the table.
  std::string where;  ///< How a warning begins: "cidr map /etc/postfix/x".
  Behaviour behaviour;
  bool paranoid = false;
  bool values_are_files = false;
  Duplicates duplicates = Duplicates::warn;
  LogSink log;

  void warn(int line, std::string_view text) const {
    if (log) log(Severity::warning, fmt::format("{}, line {}: {}", where, line, text));
  }
  /// For a line that continues none.
  void warn_indented(std::string_view line) const {
    if (log) log(Severity::warning, indented_line_warning(name, line));
  }
};

/// Content offers `static Result<Content> parse(std::string_view text, const ParseContext&)`, which must not
/// refer to the text afterwards.
template <typename Content>
class TextTable : public Table {
 public:
  Owner owner() const override { return owner_; }
  bool is_stale() const override { return stale_; }

 protected:
  struct Setup {
    ParseContext context;
    SnapshotErrors errors;
    bool settle = false;  ///< At opening, wait for a file that is being written.
  };

  TextTable(std::string_view type, std::string_view name, const OpenOptions& options, Setup setup)
      : Table(type, name, options.behaviour, options.log), setup_(std::move(setup)) {}

  Result<void> load_text(std::string_view text) {
    content_ = std::make_shared<const Content>(TRY(Content::parse(text, setup_.context)));
    owner_ = {Owner::Trust::trusted, 0};
    return {};
  }

  Result<void> load_file() {
    Loaded loaded = TRY(load(name(), setup_, setup_.settle));
    use(std::move(loaded));
    return {};
  }

  /// The content to answer from; reads the file again if it has changed.
  const Content& current(Deadline deadline) {
    if (!reloading_ && file_.check_changed()) reload(deadline);
    return *content_;
  }

 private:
  struct Loaded {
    std::shared_ptr<const Content> content;
    WatchedFile file;
    uid_t owner = 0;
    std::vector<std::pair<Severity, std::string>> messages;
  };

  static Result<Loaded> load(const std::string& path, const Setup& setup, bool settle) {
    Snapshot snapshot = TRY(read_snapshot(path, kMaxTextTable, settle, setup.errors));
    Loaded out;
    ParseContext context = setup.context;
    context.log = [&](Severity severity, std::string_view text) {
      out.messages.emplace_back(severity, text);
    };
    out.content = std::make_shared<const Content>(TRY(Content::parse(snapshot.content, context)));
    out.file = WatchedFile(path, std::move(snapshot.fd), snapshot.stamp);
    out.owner = snapshot.owner;
    return out;
  }

  void use(Loaded loaded) {
    content_ = std::move(loaded.content);
    file_ = std::move(loaded.file);
    owner_ = Owner::of_file(loaded.owner);
    stale_ = false;
    for (auto& [severity, text] : loaded.messages) {
      if (log()) log()(severity, text);
    }
  }

  /// Off the event loop: a large table takes long to parse. Lookups of other fibers use the old content
  /// meanwhile.
  void reload(Deadline deadline) {
    auto st = sys::stat_file(name());
    if (st && recently_modified(*st)) return;  // Maybe half written; the next look comes in a second.
    reloading_ = true;
    Setup setup = setup_;
    setup.context.log = nullptr;
    auto loaded = io::offload([path = name(), setup] { return load(path, setup, false); }, deadline);
    reloading_ = false;
    if (loaded) {
      use(std::move(*loaded));
    } else if (loaded.error().kind != ErrorKind::timeout && !std::exchange(stale_, true)) {
      warn(fmt::format("{}: using the content read before: {}", log_name(), loaded.error().text));
    }
  }

  Setup setup_;
  std::shared_ptr<const Content> content_;
  WatchedFile file_;
  Owner owner_;
  bool stale_ = false;
  bool reloading_ = false;
};

}  // namespace postrider::table
