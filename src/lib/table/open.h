// Opening tables by their "type:name", and the types there are.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "table/table.h"

namespace postrider::table {

enum class Access : unsigned char {
  read,
  write,      ///< Also put() and remove(); the index must exist.
  exclusive,  ///< As write, and nobody else reads or writes until the table is closed.
};

/// What put() and Builder::add() do when the key exists.
enum class Duplicates : unsigned char {
  warn,     ///< Keep the old value and warn.
  replace,  ///< Store the new value.
  ignore,   ///< Keep the old value.
};

/// The null byte that Postfix stores at the end of keys and values.
enum class Terminator : unsigned char {
  automatic,  ///< Written; keys are looked up with and without.
  always,
  never,
};

/// Defaults are those of the parameters named.
struct OpenOptions {
  Behaviour behaviour;
  /// Refuses what could give a sender influence on the result: $1 in values, proxies, unauthenticated network
  /// tables. For tables that name commands, files or user ids.
  bool paranoid = false;
  /// Refuses $1 in values, and nothing else: for tables that say where mail goes.
  bool no_substitution = false;
  /// In text sources a value is a list of files, and stands for their content in base64.
  bool values_are_files = false;
  Access access = Access::read;
  /// For reading: nobody changes the index until the table is closed.
  bool keep_lock = false;
  /// For writing: an index that does not exist is created with this mode.
  std::optional<mode_t> create_mode;
  Duplicates duplicates = Duplicates::warn;
  Terminator terminator = Terminator::automatic;
  size_t berkeley_db_create_buffer_size = 16'777'216;
  size_t berkeley_db_read_buffer_size = 131'072;
  size_t lmdb_map_size = 16'777'216;
  size_t socketmap_max_reply_size = 100'000;
  /// The expanded value of a parameter of main.cf, for tables that have their settings there: "x_hosts" of
  /// "mysql:x". Empty: there is no main.cf.
  std::function<std::optional<std::string>(std::string_view)> main_cf;
  /// What a table is used in place of another: the migration away from Berkeley DB. Nothing: the table
  /// itself.
  std::function<Result<std::optional<std::string>>(std::string_view spec)> redirect;
  /// Called before `target`, which is used in place of `spec`, is opened and not created: may build its
  /// index.
  std::function<Result<void>(std::string_view spec, std::string_view target)> provide = {};
  /// Is told why a table cannot be opened, before one that fails each lookup takes its place; it need not
  /// return.
  std::function<void(const std::string& problem)> cannot_open = {};
  LogSink log;
};

/// Opens "type:name". The error text is what is wrong: "open database /etc/postfix/x.db: No such file or
/// directory".
Result<std::shared_ptr<Table>> open(std::string_view spec, const OpenOptions& options);

/// As open(); where that fails, logs the error and returns a table whose lookups fail and warn why. It tries
/// to open the real table again, at most once a second, when it is asked.
std::shared_ptr<Table> open_or_surrogate(std::string_view spec, const OpenOptions& options);

/// Builds an index from scratch. Readers see the old content until commit(), and the new one after it; an
/// object that goes without commit() leaves everything as it was. Entries collect in memory, up to a limit.
class Builder {
 public:
  virtual ~Builder() = default;
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  /// As Table::put().
  Result<void> add(std::string_view key, std::string_view value);
  /// As add(), for entries that other programs look for under this exact key: not folded, and without the
  /// terminating null byte.
  Result<void> add_raw(std::string_view key, std::string_view value);
  /// ErrorKind::temporary when somebody else has changed the index since create(): read the source again and
  /// start over.
  virtual Result<void> commit() = 0;

  /// For log lines: "hash:/etc/postfix/x.db".
  const std::string& log_name() const { return log_name_; }

 protected:
  Builder(std::string log_name, const OpenOptions& options)
      : log_name_(std::move(log_name)), options_(options) {}
  virtual Result<void> do_add(std::string_view key, std::string_view value, bool terminated) = 0;
  const OpenOptions& options() const { return options_; }

 private:
  std::string log_name_;
  OpenOptions options_;
};

/// Starts a new index for the source file `name`. `mode` is that of the index if it does not exist yet; an
/// existing one keeps mode and owner.
Result<std::unique_ptr<Builder>> create(std::string_view spec, mode_t mode, const OpenOptions& options);

/// What a process must be able to reach to use a table.
struct RequiredPath {
  std::string path;
  /// The file may be replaced by another of the same name at any time: confine to the directory it is in.
  bool replaceable = true;
  friend bool operator==(const RequiredPath&, const RequiredPath&) = default;
};
std::vector<RequiredPath> required_paths(std::string_view spec);

/// A table type. `name` is what follows the colon.
struct Type {
  std::string type;
  std::function<Result<std::shared_ptr<Table>>(std::string_view name, const OpenOptions&)> open;
  /// Empty where tables are not built from a source file.
  std::function<Result<std::unique_ptr<Builder>>(std::string_view name, mode_t, const OpenOptions&)> create =
      {};
  /// Empty where nothing is needed.
  std::function<std::vector<RequiredPath>(std::string_view name)> required_paths = {};
  /// Whether lookups need connections to other machines; a process that has opened such a table asks its
  /// sandbox for them.
  bool needs_network = false;
};

/// Adds a type, or replaces the one of the same name. The list of types belongs to the process; change it
/// before the first table is opened.
void register_type(Type type);
/// The type of this name; nothing where there is none.
std::optional<Type> registered_type(std::string_view type);
/// Sorted.
std::vector<std::string> type_names();
/// For programs that check configurations.
bool is_known_type(std::string_view type);

}  // namespace postrider::table
