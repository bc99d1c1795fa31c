// Lookup tables: what the administrator names as "type:name".
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"

namespace postrider::table {

enum class Severity : unsigned char { info, warning, error };

/// Where a table reports what is wrong with its source. May be called at opening and in lookups.
using LogSink = std::function<void(Severity, std::string_view)>;

/// Who could have written the content of a table. Commands and files that a mail is delivered to are used
/// with the privileges of the table's owner.
struct Owner {
  enum class Trust : unsigned char {
    unknown,
    trusted,    ///< The administrator: root's file, or part of the configuration.
    untrusted,  ///< The user `uid`.
  };
  Trust trust = Trust::unknown;
  uid_t uid = 0;

  static Owner of_file(uid_t uid) { return {uid == 0 ? Trust::trusted : Trust::untrusted, uid}; }
};

struct Entry {
  std::string key, value;
  friend bool operator==(const Entry&, const Entry&) = default;
};

/// How a table was asked to treat what it is given.
struct Behaviour {
  bool fold_fixed = true;      ///< Keys are case-folded where they are fixed strings.
  bool fold_patterns = false;  ///< Keys are case-folded where the table matches patterns.
  bool utf8 = true;            ///< Keys and values must be UTF-8 (smtputf8_enable), and folding is Unicode's.
};

/// An opened table. Not for use by several threads; several fibers may look up at the same time.
class Table {
 public:
  virtual ~Table() = default;
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  const std::string& type() const { return type_; }
  /// The name as it was given: "/etc/postfix/x".
  const std::string& name() const { return name_; }
  /// "hash:/etc/postfix/x".
  const std::string& spec() const { return spec_; }
  /// The name in warnings; some types name their index: "hash:/etc/postfix/x.db".
  const std::string& log_name() const { return log_name_; }

  /// Whether keys are matched by patterns (regexp, pcre, cidr). Callers then ask for the whole key only, not
  /// for parts of an address or parent domains.
  virtual bool matches_patterns() const { return false; }
  /// Whether $1 and the like in values stand for parts of the key.
  virtual bool substitutes() const { return false; }
  /// Whether a lookup folds the key first.
  bool folds_keys() const { return matches_patterns() ? behaviour_.fold_patterns : behaviour_.fold_fixed; }
  virtual Owner owner() const { return {}; }

  /// The value of `key`; nothing when there is none. An error means that the table could not answer: the
  /// caller defers mail. An empty value is returned as such, it is the caller's business to refuse it.
  Result<std::optional<std::string>> lookup(std::string_view key, Deadline deadline);

  /// The entries in the table's own order; nothing at the end. next() goes on behind the entry returned last,
  /// also when that one has been removed meanwhile.
  virtual Result<std::optional<Entry>> first(Deadline deadline);
  virtual Result<std::optional<Entry>> next(Deadline deadline);

  /// Adds an entry, where the table was opened for writing; what happens to an entry that exists was given
  /// then.
  Result<void> put(std::string_view key, std::string_view value, Deadline deadline);
  /// False when there was no such entry.
  Result<bool> remove(std::string_view key, Deadline deadline);

  /// Brings what was put and removed to the disk. A table opened with Access::exclusive does so when asked
  /// and when it is closed, others with each change.
  virtual Result<void> sync() { return {}; }

  /// Between begin_batch() and end_batch(), lookups may answer from one state of the table and keep its lock:
  /// for those that follow one another without waiting for anything.
  virtual void begin_batch() {}
  virtual void end_batch() {}

  /// Whether the source changed and this process cannot read the new content (no permission, or outside of
  /// its root directory). The content read before stays in use; the process should be replaced.
  virtual bool is_stale() const { return false; }

 protected:
  Table(std::string_view type, std::string_view name, const Behaviour& behaviour, LogSink log);

  /// lookup() with a key that has been checked and folded.
  virtual Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) = 0;
  virtual Result<void> do_put(std::string_view key, std::string_view value, Deadline deadline);
  virtual Result<bool> do_remove(std::string_view key, Deadline deadline);

  void set_log_name(std::string_view name) { log_name_ = type_ + ":" + std::string(name); }
  void warn(std::string_view text) const {
    if (log_) log_(Severity::warning, text);
  }
  const Behaviour& behaviour() const { return behaviour_; }
  const LogSink& log() const { return log_; }
  std::unexpected<Error> not_supported(std::string_view operation) const;

 private:
  /// The key to ask the table for; nothing when it cannot be in it.
  std::optional<std::string_view> prepare(std::string_view key, std::string& buffer) const;

  std::string type_, name_, spec_, log_name_;
  Behaviour behaviour_;
  LogSink log_;
};

}  // namespace postrider::table
