// socketmap: the lookup protocol of socketmap_table(5), as Sendmail has it.
#include "base/netstring.h"
#include "base/text.h"
#include "table/internal.h"
#include "table/service_sessions.h"

namespace postrider::table {

namespace {

constexpr seconds kTimeout{100};

Result<std::string> read_netstring(io::Stream& stream, size_t max, Deadline deadline) {
  NetstringLength length(max);
  using Step = NetstringLength::Step;
  for (Step step = Step::more; step != Step::done;) {
    step = length.take(TRY(stream.read_exact(1, deadline))[0]);
    if (step == Step::malformed)
      return fail(ErrorKind::invalid, "netstring format error while receiving data");
    if (step == Step::too_long)
      return fail(ErrorKind::limit, "input exceeds size limit while receiving data");
  }
  std::string text = TRY(stream.read_exact(length.value() + 1, deadline));
  if (text.back() != ',') return fail(ErrorKind::invalid, "netstring format error while receiving data");
  text.pop_back();
  return text;
}

class SocketmapTable : public Table {
 public:
  SocketmapTable(std::string_view name, ServiceAddress address, std::string_view map,
                 const OpenOptions& options)
      : Table("socketmap", name, options.behaviour, options.log),
        map_(map),
        max_reply_(options.socketmap_max_reply_size),
        sessions_(std::move(address), "connect to", {.connect = kTimeout, .idle = seconds(10)}, options.log) {
  }
  /// The service decides what a key matches: it is asked for whole keys only.
  bool matches_patterns() const override { return true; }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    std::string request = netstring(fmt::format("{} {}", map_, key));
    auto reply = sessions_.in_fiber([&] { return ask(request, deadline); });
    if (!reply) {
      warn(fmt::format("table {} lookup error: {}", log_name(), reply.error().text));
      return fail(ErrorKind::temporary,
                  fmt::format("table {}: query error: {}", log_name(), reply.error().text));
    }
    return understand(*reply);
  }

 private:
  Result<std::string> ask(const std::string& request, Deadline deadline) {
    Deadline limit = deadline.or_sooner(Deadline::after(kTimeout));
    auto talk = [&](io::Stream& stream) {
      stream.write(request);
      return read_netstring(stream, max_reply_, limit);
    };
    bool connecting = false;
    auto reply = sessions_.exchange(talk, limit, &connecting);
    if (reply || connecting) return reply;
    Error error = std::move(reply).error();
    if (error.kind == ErrorKind::closed) error.text = "lost connection while receiving data";
    if (error.kind == ErrorKind::timeout) error.text = "timeout while receiving data";
    return std::unexpected(std::move(error));
  }

  /// "OK value", "NOTFOUND ", "TEMP reason" and so on.
  Result<std::optional<std::string>> understand(const std::string& reply) const {
    size_t space = std::min(reply.find(' '), reply.size());
    std::string_view status = std::string_view(reply).substr(0, space);
    std::string_view text = std::string_view(reply).substr(std::min(space + 1, reply.size()));
    if (status == "OK") return std::string(text);
    if (status == "NOTFOUND") return std::nullopt;
    if (status == "TEMP") return refused("temporary", text, true);
    if (status == "TIMEOUT") return refused("timeout", text, true);
    if (status == "PERM") return refused("permanent", text, false);
    warn(fmt::format("{} unexpected reply from socketmap server: {}", log_name(),
                     printable(reply.substr(0, 100))));
    return query_error(true);
  }

  std::unexpected<Error> refused(std::string_view how, std::string_view text, bool temporary) const {
    warn(fmt::format("{} socketmap server {} error: {}", log_name(), how, printable(text.substr(0, 200))));
    return query_error(temporary);
  }
  std::unexpected<Error> query_error(bool temporary) const {
    return fail(
        temporary ? ErrorKind::temporary : ErrorKind::invalid,
        fmt::format("table {}: query error{}", log_name(), temporary ? ": Operation now in progress" : ""));
  }

  std::string map_;
  size_t max_reply_;
  ServiceSessions sessions_;
};

}  // namespace

OpenResult open_socketmap(std::string_view name, const OpenOptions& options) {
  TRY(refuse_write("socketmap", name, options));
  if (options.paranoid)
    return fail(ErrorKind::denied,
                fmt::format("socketmap:{} map is not allowed for security-sensitive data", printable(name)));
  size_t colon = name.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == name.size())
    return fail(ErrorKind::invalid, "socketmap requires server:socketmap argument");
  ServiceAddress address = TRY(ServiceAddress::parse(name.substr(0, colon)));
  return std::make_shared<SocketmapTable>(name, std::move(address), name.substr(colon + 1), options);
}

}  // namespace postrider::table
