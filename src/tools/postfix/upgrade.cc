#include "tools/postfix/upgrade.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "config/edit.h"
#include "config/main_cf.h"
#include "config/master_cf.h"
#include "config/params/instance.h"
#include "sys/file.h"

namespace postrider::postfix {

namespace params = config::params;

namespace {

using enum config::ServiceType;

struct Needed {
  std::string_view name;
  config::ServiceType type;
  std::string_view what;  ///< For the person who watches.
  std::string_view line;
};
constexpr Needed kNeeded[] = {
    {"relay", unix_, "relay service", "relay     unix  -       -       n       -       -       smtp"},
    {"flush", unix_, "flush service", "flush     unix  n       -       n       1000?   0       flush"},
    {"trace", unix_, "trace service", "trace     unix  -       -       n       -       0       bounce"},
    {"verify", unix_, "verify service", "verify    unix  -       -       n       -       1       verify"},
    {"proxymap", unix_, "proxymap service",
     "proxymap  unix  -       -       n       -       -       proxymap"},
    {"anvil", unix_, "anvil service", "anvil     unix  -       -       n       -       1       anvil"},
    {"scache", unix_, "scache service", "scache    unix  -       -       n       -       1       scache"},
    {"discard", unix_, "discard service", "discard   unix  -       -       n       -       -       discard"},
    {"tlsmgr", unix_, "tlsmgr service", "tlsmgr    unix  -       -       n       1000?   1       tlsmgr"},
    {"retry", unix_, "retry service", "retry     unix  -       -       n       -       -       error"},
    {"proxywrite", unix_, "proxywrite service",
     "proxywrite unix -       -       n       -       1       proxymap"},
    {"postlog", unix_dgram, "postlog unix-domain datagram service",
     "postlog   unix-dgram n  -       n       -       1       postlogd"},
};

/// Services that one may want some day; comments are enough.
struct Offered {
  std::string_view name, program, what, line;
};
constexpr Offered kOffered[] = {
    {"smtp", "postscreen", "postscreen TCP service",
     "#smtp      inet  n       -       n       -       1       postscreen"},
    {"smtpd", "smtpd", "smtpd unix-domain service",
     "#smtpd     pass  -       -       n       -       -       smtpd"},
    {"dnsblog", "dnsblog", "dnsblog unix-domain service",
     "#dnsblog   unix  -       -       n       -       0       dnsblog"},
    {"tlsproxy", "tlsproxy", "tlsproxy unix-domain service",
     "#tlsproxy  unix  -       -       n       -       0       tlsproxy"},
};

enum Column : size_t { kName, kType, kPrivate, kUnprivileged, kChroot, kWakeup, kLimit, kCommand };

/// Replaces the words of an entry and keeps the space between them.
class EntryText {
 public:
  explicit EntryText(std::string text) : text_(std::move(text)) {}

  std::string_view word(size_t column) const {
    auto [begin, end] = extent(column);
    return std::string_view(text_).substr(begin, end - begin);
  }
  void replace(size_t column, std::string_view word) {
    auto [begin, end] = extent(column);
    text_.replace(begin, end - begin, word);
  }
  const std::string& text() const { return text_; }

 private:
  std::pair<size_t, size_t> extent(size_t column) const {
    size_t begin = 0, end = 0;
    for (size_t i = 0; i <= column; ++i) {
      begin = std::min(text_.find_first_not_of(" \t", end), text_.size());
      end = std::min(text_.find_first_of(" \t", begin), text_.size());
    }
    return {begin, end};
  }

  std::string text_;
};

/// What has to be changed in an entry, and what is said about it; nothing where all is well.
std::optional<std::string_view> modernize(EntryText& entry) {
  std::string_view name = entry.word(kName), type = entry.word(kType);
  if (name == "verify" && entry.word(kCommand) == "verify" && entry.word(kLimit) == "0") {
    entry.replace(kLimit, "1");
    return "setting verify process limit to 1";
  }
  if (name == "pickup" && type == "fifo" && entry.word(kPrivate) == "n" && entry.word(kUnprivileged) == "n") {
    entry.replace(kUnprivileged, "-");
    return "making the pickup service unprivileged";
  }
  if ((name == "cleanup" || name == "flush") && type == "unix" && entry.word(kPrivate) != "n") {
    bool cleanup = name == "cleanup";
    entry.replace(kPrivate, "n");
    return cleanup ? "making the cleanup service public" : "making the flush service public";
  }
  if (name == "tlsmgr" && type == "fifo") {
    std::string wakeup(entry.word(kWakeup));
    if (is_all_digits(wakeup)) entry.replace(kWakeup, wakeup + "?");
    entry.replace(kType, "unix");
    return "updating the tlsmgr from fifo to unix service";
  }
  if (name == "proxywrite" && entry.word(kCommand) == "proxymap" && entry.word(kLimit) == "-") {
    entry.replace(kLimit, "1");
    return "setting proxywrite process limit to 1";
  }
  return std::nullopt;
}

class Upgrade {
 public:
  explicit Upgrade(const config::Config& config)
      : path_(config.directory() + "/master.cf"), daemons_(config.get(params::daemon_directory)) {}

  Result<void> run() {
    std::string text = TRY(sys::read_file(path_, config::kMaxConfigFile));
    auto file = TRY(config::parse_master_cf(text, path_));
    add_missing(file, text);
    bool changes = false;
    auto decide = [&](const LogicalLine& line) -> config::EntryEdit {
      EntryText entry(line.text);
      auto what = line.indented ? std::nullopt : modernize(entry);
      if (!what) return {};
      changes = true;
      say(*what);
      return {config::EntryEdit::Action::replace, entry.text()};
    };
    std::string edited = config::edit_entries(text, decide, added_);
    if (!changes && added_.empty()) return {};
    return config::edit_file(path_, [&](std::string_view content) -> Result<std::string> {
      if (content == text) return edited;
      return fail(ErrorKind::temporary, fmt::format("{} was changed meanwhile; try again", path_));
    });
  }

 private:
  void say(std::string_view what) const { fmt::print("Editing {}, {}\n", path_, what); }

  /// A daemon that this release does not have is no service that it needs.
  bool has_program(std::string_view program) const {
    return sys::exists(fmt::format("{}/{}", daemons_, program));
  }

  void add_missing(const config::MasterCf& file, std::string_view text) {
    for (const Needed& needed : kNeeded) {
      // An old tlsmgr becomes a new one.
      bool found = std::ranges::any_of(file.services, [&](const config::MasterService& entry) {
        return entry.name == needed.name && (entry.type == needed.type || entry.type == fifo);
      });
      std::string_view program = needed.line.substr(needed.line.rfind(' ') + 1);
      if (!found && has_program(program)) add(needed.what, needed.line);
    }
    for (const Offered& offered : kOffered)
      if (has_program("postscreen") && !mentions(text, offered)) add(offered.what, offered.line);
  }

  void add(std::string_view what, std::string_view line) {
    say(fmt::format("adding missing entry for {}", what));
    added_.emplace_back(line);
  }

  /// Whether an entry, or a comment with one, is there.
  static bool mentions(std::string_view text, const Offered& offered) {
    for (std::string_view line : split_each(text, '\n')) {
      size_t begin = std::min(line.find_first_not_of('#'), line.size());
      line.remove_prefix(begin);
      auto words = split_any(line, " \t");
      if (words.size() > kCommand && words[kName] == offered.name && words[kCommand] == offered.program)
        return true;
    }
    return false;
  }

  std::string path_, daemons_;
  std::vector<std::string> added_;
};

/// Directories that grow large must be spread over subdirectories.
Result<void> fix_hash_names(const config::Config& config) {
  constexpr std::string_view kParameter = "hash_queue_names";
  auto value = TRY(config.value(kParameter));
  std::string names = value.value_or("");
  std::string missing;
  auto words = split_any(names, kListSeparators);
  for (std::string_view needed : {"defer", "deferred"})
    if (std::ranges::find(words, needed) == words.end()) missing += fmt::format(" {}", needed);
  if (missing.empty()) return {};
  fmt::print("fixing main.cf hash_queue_names for missing{}\n", missing);
  std::string path = config.main_cf_path();
  return config::edit_file(path, [&](std::string_view content) {
    std::vector<std::string> warnings;
    return config::edit_main_cf(content, path, config::MainCfAction::set,
                                {{std::string(kParameter), std::string(trim(names + missing))}}, warnings);
  });
}

}  // namespace

Result<void> upgrade_files(const config::Config& config) {
  TRY(Upgrade(config).run());
  return fix_hash_names(config);
}

}  // namespace postrider::postfix
