// myorigin from a file: Debian's Postfix takes "myorigin = /etc/mailname" as the name of a file whose first
// line counts.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::config {

/// Config::text() has the content of the file under this name, which no parameter has, for as long as
/// myorigin names one. It is read with main.cf: later a program may not be able to.
inline constexpr std::string_view kOriginOfFile = "myorigin/file";

/// The first line of the file. Errors are those of Debian's Postfix.
Result<std::string> read_origin_file(const std::string& path);

}  // namespace postrider::config
