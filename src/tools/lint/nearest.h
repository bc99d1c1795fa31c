// The known name that somebody may have meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace postrider::lint {

/// Of `known` the name that differs by the fewest letters; empty where none is near. '-' counts as '_'.
std::string_view nearest(std::string_view name, std::span<const std::string_view> known);

}  // namespace postrider::lint
