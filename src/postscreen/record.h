// What is known of a client, as an entry of postscreen_cache_map.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postrider::postscreen {

/// The tests, in the order of an entry's fields.
enum class Test : unsigned char { pregreet, dnsbl, pipelining, non_smtp, bare_newline };
inline constexpr size_t kTests = 5;
inline constexpr std::array<Test, kTests> kAllTests{Test::pregreet, Test::dnsbl, Test::pipelining,
                                                    Test::non_smtp, Test::bare_newline};

/// "1795878583;1795795783;1;1;1": until when (seconds since 1970) the client need not take each test again.
struct Record {
  static constexpr int64_t kNever = 0;     ///< It has not passed the test.
  static constexpr int64_t kDisabled = 1;  ///< The test was switched off.

  std::array<int64_t, kTests> until{};

  int64_t& operator[](Test test) { return until[static_cast<size_t>(test)]; }
  int64_t operator[](Test test) const { return until[static_cast<size_t>(test)]; }
  /// Nothing when the text is no entry.
  static std::optional<Record> parse(std::string_view entry);
  std::string entry() const;
  friend bool operator==(const Record&, const Record&) = default;
};

}  // namespace postrider::postscreen
