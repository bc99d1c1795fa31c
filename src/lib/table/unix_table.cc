// unix: the user and group databases of the system.
#include <chrono>
#include <unordered_map>

#include "base/text.h"
#include "io/offload.h"
#include "sys/user.h"
#include "table/internal.h"

namespace postrider::table {

namespace {

using Line = Result<std::optional<std::string>>;
using Clock = std::chrono::steady_clock;

// The name service opens and reads several files for each question, and a busy server asks for the same few
// users many times a second. Only names that exist are remembered: a new user has mail at once, one that was
// removed a second later.
constexpr auto kRemembered = std::chrono::seconds(1);
constexpr size_t kRememberedNames = 1000;

Line user_line(const std::string& name) {
  auto user = TRY(sys::find_user(name));
  if (!user) return std::nullopt;
  return fmt::format("{}:{}:{}:{}:{}:{}:{}", user->name, user->password, user->uid, user->gid,
                     user->full_name, user->home, user->shell);
}

Line group_line(const std::string& name) {
  auto group = TRY(sys::find_group(name));
  if (!group) return std::nullopt;
  return fmt::format("{}:{}:{}:{}", group->name, group->password, group->gid, join(group->members, ","));
}

class UnixTable : public Table {
 public:
  UnixTable(std::string_view name, Line (*ask)(const std::string&), const OpenOptions& options)
      : Table("unix", name, options.behaviour, options.log), ask_(ask) {}
  Owner owner() const override { return {Owner::Trust::trusted, 0}; }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    const auto now = Clock::now();
    if (const auto known = known_.find(std::string(key)); known != known_.end()) {
      if (now < known->second.until) return known->second.line;
      known_.erase(known);
    }
    // The name service may be a server far away.
    auto line = io::offload([ask = ask_, name = std::string(key)] { return ask(name); }, deadline);
    if (!line) return fail(ErrorKind::temporary, fmt::format("table {}: {}", log_name(), line.error().text));
    if (*line) {
      if (known_.size() >= kRememberedNames) known_.clear();
      known_.insert_or_assign(std::string(key), Known{**line, now + kRemembered});
    }
    return line;
  }

 private:
  struct Known {
    std::string line;
    Clock::time_point until;
  };

  Line (*ask_)(const std::string&);
  std::unordered_map<std::string, Known> known_;
};

}  // namespace

OpenResult open_unix(std::string_view name, const OpenOptions& options) {
  TRY(refuse_write("unix", name, options));
  if (name == "passwd.byname") return std::make_shared<UnixTable>(name, user_line, options);
  if (name == "group.byname") return std::make_shared<UnixTable>(name, group_line, options);
  return fail(ErrorKind::invalid, fmt::format("unknown table: unix:{}", printable(name)));
}

}  // namespace postrider::table
