#include "dns/list.h"

#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::dns {

namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  bool at_end() const { return at_ == text_.size(); }
  /// 0 to 255.
  std::optional<unsigned> number() {
    size_t begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_]) && at_ - begin < 4)
      ++at_;
    auto value = parse_unsigned(text_.substr(begin, at_ - begin));
    if (!value || *value > 255) return std::nullopt;
    return static_cast<unsigned>(*value);
  }
  std::unexpected<Error> error(std::string_view what) const {
    return fail(ErrorKind::invalid,
                fmt::format("{} at \"{}>{}<{}\"", what, text_.substr(0, at_), text_.substr(at_, 1),
                            text_.substr(std::min(at_ + 1, text_.size()))));
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

/// A number, or "first..last".
Result<void> read_range(Reader& reader, std::bitset<256>& octet) {
  auto first = reader.number();
  if (!first) return reader.error("bad octet");
  unsigned last = *first;
  if (reader.take("..")) {
    auto end = reader.number();
    if (!end) return reader.error("bad octet");
    if (*end < *first) return reader.error("bad range");
    last = *end;
  }
  for (unsigned i = *first; i <= last; ++i)
    octet.set(i);
  return {};
}

Result<void> read_octet(Reader& reader, std::bitset<256>& octet) {
  if (!reader.take("[")) {
    auto number = reader.number();
    if (!number) return reader.error("bad octet");
    octet.set(*number);
    return {};
  }
  do {
    TRY(read_range(reader, octet));
  } while (reader.take(";"));
  if (!reader.take("]")) return reader.error("need \";\" or \"]\"");
  return {};
}

}  // namespace

std::string reversed(const sys::Address& address) {
  std::string out;
  auto bytes = address.bytes();
  for (size_t i = bytes.size(); i-- > 0;) {
    unsigned byte = bytes[i];
    out += bytes.size() == 4 ? fmt::format("{}.", byte) : fmt::format("{:x}.{:x}.", byte & 15U, byte >> 4U);
  }
  if (!out.empty()) out.pop_back();
  return out;
}

Result<Ipv4Pattern> Ipv4Pattern::parse(std::string_view text) {
  Ipv4Pattern out;
  Reader reader(text);
  for (size_t i = 0; i < out.octets_.size(); ++i) {
    if (i > 0 && !reader.take(".")) return reader.error("need \".\"");
    TRY(read_octet(reader, out.octets_[i]));
  }
  if (!reader.at_end()) return reader.error("garbage");
  return out;
}

bool Ipv4Pattern::matches(std::span<const uint8_t> address) const {
  if (address.size() != octets_.size()) return false;
  for (size_t i = 0; i < octets_.size(); ++i) {
    if (!octets_[i].test(address[i])) return false;
  }
  return true;
}

}  // namespace postrider::dns
