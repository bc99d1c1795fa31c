// Messages between Postrider's processes, as bytes.
//
// A message is a struct with a type number and one function that names its fields in order:
//
//   struct Resolve {
//     static constexpr uint16_t kType = 17;
//     Text<kMaxAddress> sender, address;
//     void fields(auto& f) { f(sender, address); }
//   };
//
// The same function encodes, decodes and fuzzes it. Integers are little-endian; texts and lists carry a
// 32-bit count and have their maximum in the type, which both sides enforce.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"

namespace postrider::ipc {

/// A text of at most Max bytes.
template <size_t Max>
struct Text : std::string {
  static constexpr size_t kMax = Max;
  using std::string::string;
  using std::string::operator=;
  Text() = default;
  Text(std::string value) : std::string(std::move(value)) {}  // NOLINT: a Text is a string.
  Text(std::string_view value) : std::string(value) {}        // NOLINT
};

/// A list of at most Max elements.
template <typename T, size_t Max>
struct List : std::vector<T> {
  static constexpr size_t kMax = Max;
  using std::vector<T>::vector;
  using std::vector<T>::operator=;
  List() = default;
  List(std::vector<T> items) : std::vector<T>(std::move(items)) {}  // NOLINT: a List is a vector.
};

/// Limits that several messages share.
inline constexpr size_t kMaxAddress = 4096;
inline constexpr size_t kMaxName = 1024;
inline constexpr size_t kMaxReason = 16 * 1024;
inline constexpr size_t kMaxPath = 4096;
inline constexpr size_t kMaxChunk = 64 * 1024;

template <typename T>
concept Message = requires {
  { T::kType } -> std::convertible_to<uint16_t>;
};

namespace detail {
template <typename T>
inline constexpr bool is_text = false;
template <size_t Max>
inline constexpr bool is_text<Text<Max>> = true;
template <typename T>
inline constexpr bool is_list = false;
template <typename T, size_t Max>
inline constexpr bool is_list<List<T, Max>> = true;
template <typename T>
inline constexpr bool is_optional = false;
template <typename T>
inline constexpr bool is_optional<std::optional<T>> = true;
}  // namespace detail

/// Appends fields to a byte string.
class Encoder {
 public:
  explicit Encoder(std::string& out) : out_(out) {}

  template <typename... T>
  void operator()(T&... fields) {
    (put(fields), ...);
  }
  /// A text or list was longer than its maximum; the bytes must not be sent.
  bool too_long() const { return too_long_; }

 private:
  template <typename T>
  void put(T& value) {
    if constexpr (std::is_enum_v<T>) {
      auto number = static_cast<std::underlying_type_t<T>>(value);
      put(number);
    } else if constexpr (std::is_integral_v<T>) {
      for (size_t i = 0; i < sizeof(T); ++i)
        out_ += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
    } else if constexpr (detail::is_text<T>) {
      put_count(value.size(), T::kMax);
      out_ += value;
    } else if constexpr (detail::is_list<T>) {
      put_count(value.size(), T::kMax);
      for (auto& item : value)
        put(item);
    } else if constexpr (detail::is_optional<T>) {
      out_ += static_cast<char>(value.has_value());
      if (value) put(*value);
    } else {
      value.fields(*this);
    }
  }
  void put_count(size_t count, size_t max) {
    if (count > max) too_long_ = true;
    auto number = static_cast<uint32_t>(count);
    put(number);
  }

  std::string& out_;
  bool too_long_ = false;
};

/// Reads fields from bytes of a peer; after the first error everything stays at its default.
class Decoder {
 public:
  explicit Decoder(std::string_view in) : in_(in) {}

  template <typename... T>
  void operator()(T&... fields) {
    (get(fields), ...);
  }
  /// Everything fitted and nothing is left over.
  bool complete() const { return ok_ && in_.empty(); }

 private:
  template <typename T>
  void get(T& value) {
    if (!ok_) return;
    if constexpr (std::is_enum_v<T>) {
      std::underlying_type_t<T> number{};
      get(number);
      value = static_cast<T>(number);
    } else if constexpr (std::is_same_v<T, bool>) {
      uint8_t byte = 0;
      get(byte);
      value = byte != 0;
    } else if constexpr (std::is_integral_v<T>) {
      std::string_view bytes = take(sizeof(T));
      uint64_t number = 0;
      for (size_t i = 0; i < bytes.size(); ++i) {
        number |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
      }
      value = static_cast<T>(number);
    } else if constexpr (detail::is_text<T>) {
      value.assign(take(take_count(T::kMax)));
    } else if constexpr (detail::is_list<T>) {
      size_t count = take_count(T::kMax);
      for (size_t i = 0; i < count && ok_; ++i)
        get(value.emplace_back());
    } else if constexpr (detail::is_optional<T>) {
      bool present = false;
      get(present);
      if (present && ok_) get(value.emplace());
    } else {
      value.fields(*this);
    }
  }
  std::string_view take(size_t count) {
    if (!ok_ || count > in_.size()) {
      ok_ = false;
      return {};
    }
    std::string_view out = in_.substr(0, count);
    in_.remove_prefix(count);
    return out;
  }
  size_t take_count(size_t max) {
    uint32_t count = 0;
    get(count);
    if (count > max) ok_ = false;
    return ok_ ? count : 0;
  }

  std::string_view in_;
  bool ok_ = true;
};

template <Message M>
Result<M> decode(std::string_view payload) {
  M message;
  Decoder decoder(payload);
  message.fields(decoder);
  if (!decoder.complete()) return fail(ErrorKind::invalid, "malformed message");
  return message;
}

}  // namespace postrider::ipc
