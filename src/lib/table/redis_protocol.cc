#include "table/redis_protocol.h"

#include <charconv>

namespace postrider::table {

namespace {

using driver::Failure;
using driver::RedisReply;
using Kind = RedisReply::Kind;

constexpr int kMaxDepth = 8;
constexpr int64_t kMaxItems = 100'000;
constexpr uint16_t kSlots = 16384;

/// Walks over input that may end too early.
class Parser {
 public:
  explicit Parser(std::string_view input) : input_(input) {}

  size_t position() const { return at_; }
  bool incomplete() const { return incomplete_; }

  /// False when the input is incomplete or malformed.
  bool reply(RedisReply& out, int depth) {
    std::string_view line;
    if (depth > kMaxDepth || !take_line(line) || line.empty()) return false;
    char type = line[0];
    line.remove_prefix(1);
    switch (type) {
      case '+':
        return simple(out, Kind::text, line);
      case '-':
        return simple(out, Kind::error, line);
      case ':':
        return simple(out, Kind::number, line);
      case '$':
        return bulk(out, line);
      case '*':
        return array(out, line, depth);
      default:
        return false;
    }
  }

 private:
  bool take_line(std::string_view& line) {
    size_t end = input_.find("\r\n", at_);
    if (end == std::string_view::npos) {
      incomplete_ = true;
      return false;
    }
    line = input_.substr(at_, end - at_);
    at_ = end + 2;
    return true;
  }

  static bool simple(RedisReply& out, Kind kind, std::string_view text) {
    out.kind = kind;
    out.text = text;
    return true;
  }

  static std::optional<int64_t> number(std::string_view text) {
    int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
  }

  bool bulk(RedisReply& out, std::string_view length) {
    auto size = number(length);
    if (!size || *size < -1 || *size > static_cast<int64_t>(kMaxRedisReply)) return false;
    if (*size == -1) return true;
    auto count = static_cast<size_t>(*size);
    if (input_.size() - at_ < count + 2) {
      incomplete_ = true;
      return false;
    }
    if (input_.substr(at_ + count, 2) != "\r\n") return false;
    out.kind = Kind::text;
    out.text = input_.substr(at_, count);
    at_ += count + 2;
    return true;
  }

  bool array(RedisReply& out, std::string_view length, int depth) {
    auto size = number(length);
    if (!size || *size < -1 || *size > kMaxItems) return false;
    if (*size == -1) return true;
    out.kind = Kind::array;
    for (int64_t i = 0; i < *size; ++i) {
      RedisReply item;
      if (!reply(item, depth + 1)) return false;
      out.items.push_back(std::move(item));
    }
    return true;
  }

  std::string_view input_;
  size_t at_ = 0;
  bool incomplete_ = false;
};

/// CRC-16 as in XMODEM.
uint16_t crc16(std::string_view text) {
  uint16_t crc = 0;
  for (char c : text) {
    crc ^= static_cast<uint16_t>(static_cast<unsigned char>(c) << 8);
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<uint16_t>((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
  }
  return crc;
}

}  // namespace

std::string redis_command(const std::vector<std::string>& words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words)
    out += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return out;
}

driver::Answer<std::optional<RedisReply>> parse_redis_reply(std::string_view& input) {
  Parser parser(input);
  RedisReply out;
  if (parser.reply(out, 0)) {
    input.remove_prefix(parser.position());
    return out;
  }
  if (!parser.incomplete()) return std::unexpected(Failure{"the server does not speak the Redis protocol"});
  if (input.size() > kMaxRedisReply) return std::unexpected(Failure{"the reply is too long"});
  return std::nullopt;
}

uint16_t redis_slot(std::string_view key) {
  // Keys that share what is in the first pair of braces share a slot.
  size_t open = key.find('{');
  size_t close = open == std::string_view::npos ? open : key.find('}', open + 1);
  if (close != std::string_view::npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
  return crc16(key) % kSlots;
}

}  // namespace postrider::table
