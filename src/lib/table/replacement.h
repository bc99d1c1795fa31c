// Values with $1, ${2}, $(3).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postrider::table {

/// The value of a rule: text with references to what the groups of its pattern matched. "$$" stands for "$".
class Replacement {
 public:
  static constexpr int kMaxGroup = 999;

  /// A failed parse: `unplaced` complaints are logged without file and line, as macro errors are everywhere.
  struct Fault {
    std::string text;
    bool unplaced = false;
  };
  using Faults = std::vector<Fault>;
  /// `range_word` is "out of range" or "out-of-range": the two kinds of tables spell it differently.
  static std::expected<Replacement, Faults> parse(std::string_view text, std::string_view range_word);

  /// The highest group referred to, 0 without references.
  int highest_group() const { return highest_; }
  /// `groups[n]` is what group n matched; groups that took no part are empty.
  std::string expand(std::span<const std::string_view> groups) const;

 private:
  struct Piece {
    std::string text;
    int group = 0;  ///< 0: the text.
  };
  std::expected<void, Fault> add_reference(std::string_view name, std::string_view range_word);
  void add_text(std::string_view text);

  std::vector<Piece> pieces_;
  int highest_ = 0;
};

}  // namespace postrider::table
