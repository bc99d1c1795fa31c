#include "queue/id.h"

#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::queue {

namespace {

// Without vowels, so that no words come about. The last digit, z, separates, hence inodes are in base 51.
constexpr std::string_view kDigits = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
constexpr char kSeparator = 'z';
constexpr unsigned kTimeBase = 52;
constexpr unsigned kInodeBase = 51;
constexpr size_t kSecondDigits = 6;
constexpr size_t kMicrosecondDigits = 4;
constexpr uint64_t kMicrosecondsPerSecond = 1'000'000;

std::string encode(uint64_t value, unsigned base, size_t min_digits) {
  std::string out;
  for (; value != 0; value /= base)
    out += kDigits[value % base];
  if (out.size() < min_digits) out.append(min_digits - out.size(), '0');
  std::ranges::reverse(out);
  return out;
}

std::optional<uint64_t> decode(std::string_view text, unsigned base) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos || digit >= base) return std::nullopt;
    if (__builtin_mul_overflow(value, uint64_t{base}, &value) ||
        __builtin_add_overflow(value, digit, &value)) {
      return std::nullopt;
    }
  }
  return value;
}

/// Where the separator of a long id stands; npos in ids of other forms.
size_t separator_at(std::string_view id) {
  size_t at = id.rfind(kSeparator);
  return at != std::string_view::npos && at >= kSecondDigits + kMicrosecondDigits ? at
                                                                                  : std::string_view::npos;
}

std::optional<uint64_t> microseconds_before(std::string_view id, size_t separator) {
  auto value = decode(id.substr(separator - kMicrosecondDigits, kMicrosecondDigits), kTimeBase);
  return value && *value < kMicrosecondsPerSecond ? value : std::nullopt;
}

}  // namespace

CreationTime CreationTime::now() {
  timeval tv{};
  gettimeofday(&tv, nullptr);
  return {tv.tv_sec, static_cast<int>(tv.tv_usec)};
}

std::string short_id(CreationTime when, uint64_t inode) {
  return fmt::format("{:05X}{:X}", when.microseconds, inode);
}

std::string long_id(CreationTime when, uint64_t inode) {
  return encode(static_cast<uint64_t>(when.seconds), kTimeBase, kSecondDigits) +
         encode(static_cast<uint64_t>(when.microseconds), kTimeBase, kMicrosecondDigits) + kSeparator +
         encode(inode, kInodeBase, 1);
}

bool is_valid_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaxIdLength &&
         std::ranges::all_of(id, [](char c) { return is_alnum(c) || c == '_'; });
}

bool is_long_id(std::string_view id) {
  return separator_at(id) != std::string_view::npos;
}

std::optional<uint64_t> inode_of_id(std::string_view id) {
  size_t separator = separator_at(id);
  if (separator != std::string_view::npos) return decode(id.substr(separator + 1), kInodeBase);
  if (id.size() <= kShortTimeDigits) return std::nullopt;
  return parse_unsigned(id.substr(kShortTimeDigits), 16);
}

std::string id_for_inode(std::string_view id, uint64_t inode, bool keep_long) {
  size_t separator = separator_at(id);
  if (separator == std::string_view::npos)
    return fmt::format("{}{:X}", id.substr(0, kShortTimeDigits), inode);
  if (!keep_long) return fmt::format("{}{:X}", hash_digits(id), inode);
  return std::string(id.substr(0, separator + 1)) + encode(inode, kInodeBase, 1);
}

std::optional<CreationTime> time_of_long_id(std::string_view id) {
  size_t separator = separator_at(id);
  if (separator == std::string_view::npos) return std::nullopt;
  auto seconds = decode(id.substr(0, separator - kMicrosecondDigits), kTimeBase);
  auto microseconds = microseconds_before(id, separator);
  if (!seconds || !microseconds || *seconds > INT64_MAX) return std::nullopt;
  return CreationTime{static_cast<int64_t>(*seconds), static_cast<int>(*microseconds)};
}

std::string hash_digits(std::string_view id) {
  size_t separator = separator_at(id);
  if (separator == std::string_view::npos) return std::string(id);
  return fmt::format("{:05X}", microseconds_before(id, separator).value_or(0));
}

}  // namespace postrider::queue
