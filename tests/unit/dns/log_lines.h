// What is logged, for tests to look at.
#pragma once

#include <string>
#include <vector>

#include "log/log.h"

namespace postrider::dns::test {

/// Collects lines while it lives; warnings have "warning: " before them.
struct LogLines {
  std::vector<std::string> lines;
  LogLines() {
    log::set_test_sink([this](log::Severity severity, std::string_view text) {
      lines.push_back((severity == log::Severity::warning ? "warning: " : "") + std::string(text));
    });
  }
  ~LogLines() { log::set_test_sink(nullptr); }
  LogLines(const LogLines&) = delete;
  LogLines& operator=(const LogLines&) = delete;
};

}  // namespace postrider::dns::test
