#include "sasl/dovecot_protocol.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::sasl {

namespace {

constexpr uint64_t kMajor = 1;
constexpr size_t kMaxName = 64;
constexpr size_t kMaxFields = 64;
constexpr std::string_view kNoReason = "(reason unavailable)";

std::vector<std::string_view> split_fields(std::string_view line) {
  std::vector<std::string_view> out;
  while (out.size() < kMaxFields) {
    size_t tab = line.find('\t');
    out.push_back(line.substr(0, tab));
    if (tab == std::string_view::npos) break;
    line.remove_prefix(tab + 1);
  }
  return out;
}

/// Tabs and line ends stand in values as a byte 1 and another one.
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\1' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    switch (char c = text[++i]) {
      case '0':
        out += '\0';
        break;
      case '1':
        out += '\1';
        break;
      case 't':
        out += '\t';
        break;
      case 'r':
        out += '\r';
        break;
      case 'n':
        out += '\n';
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::unexpected<Error> malformed(std::string_view line) {
  constexpr size_t kShown = 100;
  return fail(ErrorKind::invalid, fmt::format("Malformed line: {}", printable(line.substr(0, kShown))));
}

bool is_mechanism_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName &&
         std::ranges::all_of(name, [](char c) { return is_alnum(c) || c == '-' || c == '_'; });
}

}  // namespace

bool DovecotMechanism::fits(const SecurityOptions& o) const {
  return !is_private && !(plaintext && o.noplaintext) && !(active && o.noactive) &&
         !(dictionary && o.nodictionary) && !(anonymous && o.noanonymous) &&
         (forward_secrecy || !o.forward_secrecy) && (mutual_auth || !o.mutual_auth);
}

Result<void> DovecotReader::add(std::string_view bytes) {
  while (!bytes.empty()) {
    size_t newline = bytes.find('\n');
    std::string_view piece = bytes.substr(0, newline);
    if (partial_.size() + piece.size() > kMaxDovecotLine) return fail(ErrorKind::limit, "Line too long");
    if (newline == std::string_view::npos) {
      partial_ += piece;
      break;
    }
    bytes.remove_prefix(newline + 1);
    if (partial_.empty()) {
      TRY(line(piece));
    } else {
      partial_ += piece;
      TRY(line(std::exchange(partial_, {})));
    }
  }
  return {};
}

Result<void> DovecotReader::line(std::string_view text) {
  Fields fields = split_fields(text);
  std::string_view command = fields[0];
  if (command == "OK" || command == "FAIL" || command == "CONT") {
    if (!ready_ || fields.size() < 2) return malformed(text);
    return answer(fields);
  }
  if (command == "VERSION") return version(fields);
  if (command == "MECH") return mechanism(fields);
  if (command == "DONE") {
    if (!saw_version_) return fail(ErrorKind::invalid, "Protocol version is missing");
    ready_ = true;
  }
  // SPID, CUID and COOKIE are for those who pass requests on; later versions may have more.
  return {};
}

Result<void> DovecotReader::version(const Fields& fields) {
  auto major = fields.size() > 1 ? parse_unsigned(fields[1]) : std::nullopt;
  auto minor = fields.size() > 2 ? parse_unsigned(fields[2]) : std::nullopt;
  if (!major || !minor) return malformed("VERSION");
  if (*major != kMajor) {
    return fail(ErrorKind::invalid, fmt::format("Protocol version mismatch ({} vs. {})", *major, kMajor));
  }
  minor_ = *minor;
  saw_version_ = true;
  return {};
}

Result<void> DovecotReader::mechanism(const Fields& fields) {
  if (ready_ || mechanisms_.size() >= kMaxMechanisms) return {};
  if (fields.size() < 2 || !is_mechanism_name(fields[1])) return malformed("MECH");
  constexpr struct {
    std::string_view name;
    bool DovecotMechanism::* member;
  } kFlags[] = {{"plaintext", &DovecotMechanism::plaintext},
                {"active", &DovecotMechanism::active},
                {"dictionary", &DovecotMechanism::dictionary},
                {"anonymous", &DovecotMechanism::anonymous},
                {"forward-secrecy", &DovecotMechanism::forward_secrecy},
                {"mutual-auth", &DovecotMechanism::mutual_auth},
                {"private", &DovecotMechanism::is_private}};
  DovecotMechanism out;
  out.name = fields[1];
  for (std::string_view field : fields) {
    for (const auto& flag : kFlags) {
      if (field == flag.name) out.*(flag.member) = true;
    }
  }
  mechanisms_.push_back(std::move(out));
  return {};
}

Result<void> DovecotReader::answer(const Fields& fields) {
  auto id = parse_unsigned(fields[1]);
  if (!id || *id > UINT32_MAX) return malformed(fields[0]);
  DovecotAnswer out{static_cast<uint32_t>(*id), {}};
  Outcome& outcome = out.outcome;
  if (fields[0] == "CONT") {
    outcome.kind = Outcome::Kind::challenge;
    outcome.text = fields.size() > 2 ? fields[2] : std::string_view();
    if (!is_base64_text(outcome.text)) return malformed("CONT");
    if (outcome.text.size() > kMaxChallenge) outcome = Outcome::failed("Challenge too long");
    answers_.push_back(std::move(out));
    return {};
  }
  bool temporary = false;
  for (size_t i = 2; i < fields.size(); ++i) {
    std::string_view field = fields[i];
    if (field.starts_with("user=")) outcome.login = printable(unescape(field.substr(5)));
    if (field.starts_with("reason=")) outcome.text = printable(unescape(field.substr(7)));
    if (field == "temp" || field == "code=temp_fail") temporary = true;
  }
  if (fields[0] == "OK") {
    outcome.kind = Outcome::Kind::done;
    if (!outcome.login || outcome.login->empty()) {
      outcome = Outcome::temporary("Authentication server tells no login name");
    }
  } else {
    outcome.kind = temporary ? Outcome::Kind::temporary : Outcome::Kind::failed;
    if (outcome.text.empty()) outcome.text = kNoReason;
  }
  answers_.push_back(std::move(out));
  return {};
}

std::string dovecot_greeting(int process_id) {
  return fmt::format("VERSION\t{}\t1\nCPID\t{}\n", kMajor, process_id);
}

std::string dovecot_request(uint32_t id, std::string_view mechanism, std::string_view service,
                            const Peer& peer, std::optional<std::string_view> initial) {
  std::string out = fmt::format("AUTH\t{}\t{}\tservice={}\tnologin", id, mechanism, service);
  auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) out += fmt::format("\t{}={}", name, value);
  };
  add("lip", peer.server_address);
  add("rip", peer.client_address);
  add("lport", peer.server_port);
  add("rport", peer.client_port);
  if (peer.encrypted) out += "\tsecured";
  if (initial) out += fmt::format("\tresp={}", *initial);  // Always the last one.
  return out + "\n";
}

std::string dovecot_continuation(uint32_t id, std::string_view response) {
  return fmt::format("CONT\t{}\t{}\n", id, response);
}

std::string dovecot_cancellation(uint32_t id) {
  return fmt::format("CANCEL\t{}\n", id);
}

bool is_base64_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '+' || c == '/' || c == '='; });
}

}  // namespace postrider::sasl
