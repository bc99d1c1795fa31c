// unix: the user and group databases of the system.
#include "base/text.h"
#include "io/offload.h"
#include "sys/user.h"
#include "table/internal.h"

namespace postrider::table {

namespace {

using Line = Result<std::optional<std::string>>;

Line user_line(const std::string& name) {
  auto user = TRY(sys::find_user(name));
  if (!user) return std::nullopt;
  return fmt::format("{}:{}:{}:{}:{}:{}:{}", user->name, user->password, user->uid, user->gid, user->full_name,
                     user->home, user->shell);
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
    // The name service may be a server far away.
    auto line = io::offload([ask = ask_, name = std::string(key)] { return ask(name); }, deadline);
    if (!line) return fail(ErrorKind::temporary, fmt::format("table {}: {}", log_name(), line.error().text));
    return line;
  }

 private:
  Line (*ask_)(const std::string&);
};

}  // namespace

OpenResult open_unix(std::string_view name, const OpenOptions& options) {
  TRY(refuse_write("unix", name, options));
  if (name == "passwd.byname") return std::make_shared<UnixTable>(name, user_line, options);
  if (name == "group.byname") return std::make_shared<UnixTable>(name, group_line, options);
  return fail(ErrorKind::invalid, fmt::format("unknown table: unix:{}", printable(name)));
}

}  // namespace postrider::table
