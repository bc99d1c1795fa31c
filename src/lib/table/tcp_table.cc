// tcp: the lookup protocol of tcp_table(5).
#include "base/encoding.h"
#include "base/text.h"
#include "table/internal.h"
#include "table/service_sessions.h"

namespace postrider::table {

namespace {

constexpr size_t kMaxReply = 4096;
constexpr int kMaxTries = 10;
constexpr seconds kTimeout{100};

/// Bytes that are not printable, white space and "%" as %XX.
std::string encode(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '%' || c == ' ' || !is_printable(c))
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out;
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    auto byte = i + 2 < text.size() ? parse_unsigned(text.substr(i + 1, 2), 16) : std::nullopt;
    if (!byte) return std::nullopt;
    out += static_cast<char>(*byte);
    i += 2;
  }
  return out;
}

class TcpTable : public Table {
 public:
  TcpTable(std::string_view name, ServiceAddress address, const OpenOptions& options)
      : Table("tcp", name, options.behaviour, options.log),
        sessions_(std::move(address), "connect to TCP map", {.connect = kTimeout, .idle = seconds(100)},
                  options.log) {}
  /// The service decides what a key matches: it is asked for whole keys only.
  bool matches_patterns() const override { return true; }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    std::string request = fmt::format("get {}\n", encode(key));
    return sessions_.in_fiber([&] { return ask(request, deadline); });
  }

 private:
  std::unexpected<Error> query_error(std::string_view reason) const {
    return fail(ErrorKind::temporary, fmt::format("table {}: query error: {}", log_name(), reason));
  }
  std::unexpected<Error> bad_reply(std::string_view what, std::string_view reply) const {
    warn(fmt::format("read TCP map reply from {}: {}: {}", name(), what,
                     printable(reply.substr(0, 100), '_')));
    return fail(ErrorKind::invalid, kNoReason);
  }

  /// The reply to a request; tries as often as Postfix does.
  Result<std::optional<std::string>> ask(const std::string& request, Deadline deadline) {
    for (int tries = 1;; ++tries) {
      bool connecting = false;
      auto talk = [&](io::Stream& stream) { return ask_on(stream, request, deadline); };
      auto answer = sessions_.exchange(talk, deadline, &connecting);
      if (answer) return answer;
      if (answer.error().kind == ErrorKind::invalid) return query_error(kNoReason);
      if (!connecting) warn(fmt::format("read TCP map reply from {}: {}", name(), answer.error().text));
      if (tries == kMaxTries || deadline.passed())
        return query_error(connecting ? answer.error().text : kNoReason);
      io::sleep_until(deadline.or_sooner(Deadline::after(seconds(1))));
    }
  }

  /// ErrorKind::invalid: the service does not follow the protocol, which was logged; asking again is no use.
  Result<std::optional<std::string>> ask_on(io::Stream& stream, const std::string& request,
                                            Deadline deadline) const {
    stream.write(request);
    auto line = stream.read_line(kMaxReply, deadline.or_sooner(Deadline::after(kTimeout)));
    if (!line) {
      bool ended = line.error().kind == ErrorKind::closed;
      return fail(line.error().kind, ended ? "unexpected EOF (Application error)" : line.error().text);
    }
    if (line->end == io::LineEnd::partial)
      return fail(ErrorKind::limit, fmt::format("text longer than {}", kMaxReply));
    if (line->end == io::LineEnd::eof) return fail(ErrorKind::closed, "unexpected EOF (Application error)");
    std::string_view reply = line->text;
    auto text = reply.size() > 3 && is_space(reply[3]) ? decode(reply.substr(4)) : std::nullopt;
    if (!text) return bad_reply("malformed reply", reply);
    switch (reply[0]) {
      case '2':
        return std::move(*text);
      case '4':
        return fail(ErrorKind::invalid, kNoReason);
      case '5':
        return std::nullopt;
      default:
        return bad_reply("bad status code", reply);
    }
  }

  /// What the C library says of the last call in Postfix when the service has answered.
  static constexpr const char* kNoReason = "Operation now in progress";

  ServiceSessions sessions_;
};

}  // namespace

OpenResult open_tcp(std::string_view name, const OpenOptions& options) {
  TRY(refuse_write("tcp", name, options));
  if (options.paranoid)
    return fail(ErrorKind::denied,
                fmt::format("tcp:{} map is not allowed for security sensitive data", printable(name)));
  ServiceAddress address = TRY(ServiceAddress::tcp(name));
  return std::make_shared<TcpTable>(name, std::move(address), options);
}

}  // namespace postrider::table
