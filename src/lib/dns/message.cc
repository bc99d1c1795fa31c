#include "dns/message.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/hostname.h"
#include "base/text.h"

namespace postrider::dns {

namespace {

constexpr size_t kHeaderSize = 12;
constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxWireName = 255;
constexpr uint16_t kClassIn = 1;
constexpr uint16_t kTypeOpt = 41;

void put16(std::string& out, unsigned value) {
  out += static_cast<char>(value >> 8 & 0xff);
  out += static_cast<char>(value & 0xff);
}

/// Bounds-checked reading of one message.
struct Reader {
  std::string_view message;
  size_t at = 0;

  size_t left() const { return message.size() - at; }
  bool has(size_t count) const { return left() >= count; }
  uint8_t byte(size_t position) const { return static_cast<uint8_t>(message[position]); }
  unsigned get16() {
    unsigned value = byte(at) << 8U | byte(at + 1);
    at += 2;
    return value;
  }
  uint32_t get32() {
    uint32_t high = get16();
    return high << 16 | get16();
  }
  /// A possibly compressed name, as text without a final dot; "" for the root. Nothing when it is damaged.
  std::optional<std::string> name();
};

/// A label as text. What could be mistaken for something else is escaped, as resolver libraries do it: so an
/// odd name fails the test for host names instead of turning into a good one.
void append_label(std::string& out, std::string_view label) {
  for (char c : label) {
    if (std::string_view(".;\\()@$\"").find(c) != std::string_view::npos) {
      out += '\\';
      out += c;
    } else if (c > ' ' && is_printable(c)) {
      out += c;
    } else {
      out += fmt::format("\\{:03}", static_cast<unsigned char>(c));
    }
  }
}

std::optional<std::string> Reader::name() {
  std::string out;
  size_t position = at, wire_length = 1;
  bool jumped = false;
  for (;;) {
    if (position >= message.size()) return std::nullopt;
    size_t length = byte(position);
    if ((length & 0xc0) == 0xc0) {
      if (position + 1 >= message.size()) return std::nullopt;
      size_t target = (length & 0x3f) << 8 | byte(position + 1);
      if (!jumped) at = position + 2;
      jumped = true;
      // Only backwards: so every chain of pointers ends.
      if (target >= position) return std::nullopt;
      position = target;
      continue;
    }
    if (length > kMaxLabel) return std::nullopt;
    ++position;
    if (length == 0) break;
    wire_length += length + 1;
    if (wire_length > kMaxWireName || position + length > message.size()) return std::nullopt;
    if (!out.empty()) out += '.';
    append_label(out, message.substr(position, length));
    position += length;
  }
  if (!jumped) at = position;
  return out;
}

struct Fixed {
  Type type;
  unsigned record_class;
  uint32_t ttl;
  size_t length;
};

class Parser {
 public:
  Parser(std::string_view message, Type type) : reader_{message}, type_(type) {}
  Reply parse();

 private:
  enum class Value : unsigned char { good, damaged, malformed, null_mx, null_service };

  bool read_question();
  Outcome read_answers(unsigned count);
  void read_authority(unsigned count);
  bool read_record_head(std::string& owner, Fixed& fixed);
  Value read_value(Record& record, const Fixed& fixed);
  Value read_host(std::string& out, const Fixed& fixed);
  Value read_fixed_size(std::string& out, size_t size, const Fixed& fixed);
  Value read_text(std::string& out, const Fixed& fixed);
  bool accept_name(std::string_view name, std::string_view location, Type type);

  Reader reader_;
  Type type_;
  std::string question_ = "*unparsable*";
  bool asked_root_ = false;
  Reply reply_;
};

/// People put addresses where names belong; that works elsewhere, so it works here, with a warning.
bool Parser::accept_name(std::string_view name, std::string_view location, Type type) {
  std::string_view gripe;
  bool accepted = true;
  if (sys::Address::from_ip(name)) {
    gripe = "numeric domain name";
  } else if (std::string problem = hostname_problem(name, true); !problem.empty()) {
    reply_.warnings.push_back(std::move(problem));
    gripe = "malformed domain name";
    accepted = false;
  }
  if (!gripe.empty()) {
    reply_.warnings.push_back(fmt::format("{} in {} of {} record for {}: {}", gripe, location,
                                          type_name(type), printable(question_),
                                          printable(name.substr(0, 100))));
  }
  return accepted;
}

bool Parser::read_question() {
  auto name = reader_.name();
  if (!name || !reader_.has(4)) return false;
  reader_.at += 4;
  asked_root_ = name->empty();
  question_ = std::move(*name);
  return true;
}

bool Parser::read_record_head(std::string& owner, Fixed& fixed) {
  auto name = reader_.name();
  if (!name || !reader_.has(10)) return false;
  owner = std::move(*name);
  fixed.type = static_cast<Type>(reader_.get16());
  fixed.record_class = reader_.get16();
  fixed.ttl = reader_.get32();
  if (fixed.ttl & 0x80000000U) fixed.ttl = 0;  // RFC 2181 section 8.
  fixed.length = reader_.get16();
  return reader_.has(fixed.length);
}

Parser::Value Parser::read_host(std::string& out, const Fixed& fixed) {
  auto name = reader_.name();
  if (!name) return Value::damaged;
  out = std::move(*name);
  if (out.empty() && fixed.type == Type::mx) return Value::null_mx;
  if (out.empty() && fixed.type == Type::srv) return Value::null_service;
  return accept_name(out, "resource data", fixed.type) ? Value::good : Value::malformed;
}

Parser::Value Parser::read_fixed_size(std::string& out, size_t size, const Fixed& fixed) {
  if (fixed.length != size) {
    reply_.warnings.push_back(fmt::format("extract_answer: bad address length: {}", fixed.length));
    return Value::damaged;
  }
  out = reader_.message.substr(reader_.at, size);
  return Value::good;
}

/// All strings of the record, joined.
Parser::Value Parser::read_text(std::string& out, const Fixed& fixed) {
  size_t end = reader_.at + fixed.length;
  for (size_t at = reader_.at; at < end;) {
    size_t length = reader_.byte(at++);
    if (at + length > end) return Value::damaged;
    for (char c : reader_.message.substr(at, length))
      out += is_printable(c) ? c : ' ';
    at += length;
  }
  return Value::good;
}

Parser::Value Parser::read_value(Record& record, const Fixed& fixed) {
  switch (fixed.type) {
    case Type::a:
      return read_fixed_size(record.data, 4, fixed);
    case Type::aaaa:
      return read_fixed_size(record.data, 16, fixed);
    case Type::mx:
      if (fixed.length < 3) return Value::damaged;
      record.preference = static_cast<uint16_t>(reader_.get16());
      return read_host(record.data, fixed);
    case Type::srv:
      if (fixed.length < 7) return Value::damaged;
      record.preference = static_cast<uint16_t>(reader_.get16());
      record.weight = static_cast<uint16_t>(reader_.get16());
      record.port = static_cast<uint16_t>(reader_.get16());
      return read_host(record.data, fixed);
    case Type::ptr:
    case Type::ns:
    case Type::cname:
    case Type::soa:
      return read_host(record.data, fixed);
    case Type::txt:
      return read_text(record.data, fixed);
    case Type::tlsa:
      // Usage, selector and matching type, and something to match.
      if (fixed.length < 4) return Value::damaged;
      record.data = reader_.message.substr(reader_.at, fixed.length);
      return Value::good;
  }
  return Value::damaged;
}

/// Records of the type that was asked for count whatever name they belong to: name servers put the chain of
/// aliases and its end into one answer.
Outcome Parser::read_answers(unsigned count) {
  Outcome otherwise = Outcome::unrelated;
  bool alias_found = false;
  for (; count > 0; --count) {
    std::string owner;
    Fixed fixed{};
    if (!read_record_head(owner, fixed)) return Outcome::damaged;
    if (fixed.record_class != kClassIn) {
      reply_.warnings.push_back(fmt::format("dns_get_fixed: bad class: {}", fixed.record_class));
      return Outcome::damaged;
    }
    if (!(asked_root_ && owner.empty()) && !accept_name(owner, "resource name", fixed.type))
      return Outcome::malformed;
    size_t next = reader_.at + fixed.length;
    if (fixed.type == type_) {
      Record record{std::move(owner), type_, fixed.ttl, reply_.authenticated};
      switch (read_value(record, fixed)) {
        case Value::good:
          if (reply_.records.size() == kMaxRecords) {
            reply_.warnings.push_back(too_many_records(reply_.records.back()));
            return Outcome::found;
          }
          reply_.ttl = std::min(reply_.ttl, fixed.ttl);
          reply_.records.push_back(std::move(record));
          break;
        case Value::damaged:
          otherwise = Outcome::damaged;
          break;
        case Value::malformed:
          if (otherwise != Outcome::damaged) otherwise = Outcome::malformed;
          break;
        case Value::null_mx:
          reply_.ttl = std::min(reply_.ttl, fixed.ttl);
          return Outcome::null_mx;
        case Value::null_service:
          reply_.ttl = std::min(reply_.ttl, fixed.ttl);
          return Outcome::null_service;
      }
    } else if (fixed.type == Type::cname) {
      alias_found = true;
      switch (read_host(reply_.alias, fixed)) {
        case Value::good:
          break;
        case Value::malformed:
          return Outcome::malformed;
        default:
          return Outcome::damaged;
      }
      reply_.alias_trusted = reply_.alias_trusted && reply_.authenticated;
      reply_.ttl = std::min(reply_.ttl, fixed.ttl);
    }
    reader_.at = next;
  }
  if (!reply_.records.empty()) return Outcome::found;
  return alias_found ? Outcome::alias : otherwise;
}

/// RFC 2308 section 5: the SOA record tells how long the absence of something may be remembered.
void Parser::read_authority(unsigned count) {
  for (; count > 0; --count) {
    std::string owner;
    Fixed fixed{};
    if (!read_record_head(owner, fixed)) return;
    size_t next = reader_.at + fixed.length;
    if (fixed.type == Type::soa && fixed.length >= 22) {
      Reader minimum{reader_.message, next - 4};
      reply_.ttl = std::min(fixed.ttl, minimum.get32());
      return;
    }
    reader_.at = next;
  }
}

Reply Parser::parse() {
  if (!reader_.has(kHeaderSize)) return std::move(reply_);
  reader_.at = 2;
  unsigned flags = reader_.get16();
  unsigned questions = reader_.get16(), answers = reader_.get16(), authority = reader_.get16();
  reader_.at = kHeaderSize;
  reply_.rcode = static_cast<int>(flags & 0x0f);
  reply_.authenticated = (flags & 0x0020) != 0;
  if (questions != 1 || !read_question()) return std::move(reply_);
  reply_.ttl = UINT32_MAX;
  if (reply_.rcode == kNoError && answers > 0) {
    reply_.outcome = read_answers(answers);
    bool faulty = reply_.outcome == Outcome::damaged || reply_.outcome == Outcome::malformed;
    if (faulty || reply_.ttl == UINT32_MAX) reply_.ttl = 0;
    if (reply_.outcome != Outcome::found) reply_.records.clear();
    return std::move(reply_);
  }
  reply_.outcome = Outcome::nothing;
  reply_.ttl = 0;
  if (reply_.rcode != kNoError && reply_.rcode != kNameError) return std::move(reply_);
  std::string owner;
  Fixed fixed{};
  for (; answers > 0; --answers) {
    if (!read_record_head(owner, fixed)) return std::move(reply_);
    reader_.at += fixed.length;
  }
  read_authority(authority);
  return std::move(reply_);
}

}  // namespace

std::optional<std::string> build_query(uint16_t id, std::string_view name, Type type, bool dnssec) {
  std::string out;
  put16(out, id);
  put16(out, 0x0100U | (dnssec ? 0x0020U : 0U));  // RD; AD says that we understand it (RFC 6840 section 5.7).
  put16(out, 1);
  put16(out, 0);
  put16(out, 0);
  put16(out, dnssec ? 1 : 0);
  if (name != ".") {
    for (std::string_view label : split_each(name, '.')) {
      if (label.empty() || label.size() > kMaxLabel) return std::nullopt;
      out += static_cast<char>(label.size());
      out += label;
    }
  }
  out += '\0';
  if (out.size() - kHeaderSize > kMaxWireName) return std::nullopt;
  put16(out, static_cast<unsigned>(type));
  put16(out, kClassIn);
  if (dnssec) {
    out += '\0';
    put16(out, kTypeOpt);
    put16(out, kEdnsSize);
    put16(out, 0);       // Extended response code and version.
    put16(out, 0x8000);  // DO.
    put16(out, 0);
  }
  return out;
}

Reply parse_reply(std::string_view message, Type type) {
  return Parser(message, type).parse();
}

}  // namespace postrider::dns
