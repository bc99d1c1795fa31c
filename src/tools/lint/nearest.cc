#include "tools/lint/nearest.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace postrider::lint {

namespace {

/// Letters left out, put in, changed or swapped with their neighbour; `limit` + 1 where there are more.
size_t distance(std::string_view a, std::string_view b, size_t limit) {
  size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference > limit) return limit + 1;
  std::vector<size_t> before_last, last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
  }
  return last[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view name, std::span<const std::string_view> known) {
  constexpr size_t kLongest = 200;
  if (name.size() > kLongest) return {};
  std::string meant = replace_all(lowercase(name), "-", "_");
  size_t best = std::clamp<size_t>(meant.size() / 5, 1, 3) + 1;
  std::string_view out;
  for (std::string_view candidate : known) {
    size_t found = distance(meant, candidate, best);
    if (found < best) {
      best = found;
      out = candidate;
    }
  }
  return out;
}

}  // namespace postrider::lint
