// Parameters as typed constants. The headers in config/params/ declare one handle a parameter:
// `config.get(params::smtpd_timeout)` is a std::chrono::seconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace postrider::config {

enum class ParamType : unsigned char {
  boolean,  ///< yes or no
  integer,  ///< fits an int
  seconds,  ///< a number with an optional unit s, m, h, d or w
  size,     ///< fits an int64_t
  string,   ///< any text, $name expanded
  raw,      ///< any text, not expanded: it is expanded later, with other names
  choice,   ///< one of a fixed set of words, $name expanded
};

/// Whether something in this release acts on the parameter.
enum class ParamState : unsigned char { in_force, not_yet };

/// Where the default comes from.
enum class ParamDefault : unsigned char {
  text,      ///< `fallback`.
  computed,  ///< Config finds it out from the machine or the process: myhostname, process_id.
  none,      ///< An old name that counts only when it is set; newer parameters refer to it.
};

/// One row of the parameter table.
struct ParamInfo {
  std::string_view name;
  std::string_view fallback;  ///< Not expanded.
  /// Of the value, or of the length for texts. 0 is "no limit", as in Postfix: a parameter with minimum 0
  /// accepts negative numbers.
  int64_t min = 0;
  int64_t max = 0;
  std::string_view choices;    ///< ParamType::choice: the words, separated by spaces.
  std::string_view complaint;  ///< ParamType::choice: the error; {name}, {value}, {file} (main.cf).
  std::string_view doc;        ///< What it does, for people; plain text.
  ParamType type = ParamType::string;
  ParamState state = ParamState::not_yet;
  ParamDefault default_kind = ParamDefault::text;
};

/// Types that a handle carries where the C++ type alone does not tell how the text is read.
struct Raw {};     ///< get() gives the text of main.cf without expansion.
struct Choice {};  ///< get() gives one of the known words, in lower case.

/// A typed handle. It costs a pointer and can be passed by value.
template <typename T>
struct Param {
  const ParamInfo* info;

  constexpr std::string_view name() const { return info->name; }
};

template <typename T>
struct ValueOf {
  using type = T;
};
template <>
struct ValueOf<Raw> {
  using type = std::string;
};
template <>
struct ValueOf<Choice> {
  using type = std::string;
};
/// What get() returns for a Param<T>.
template <typename T>
using ParamValue = typename ValueOf<T>::type;

}  // namespace postrider::config
