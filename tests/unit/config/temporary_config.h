// A configuration directory for one test.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "config/config.h"
#include "sys/file.h"

namespace postrider::config {

/// A directory with a main.cf, removed at the end.
class TemporaryConfig {
 public:
  TemporaryConfig() {
    char name[] = "/tmp/postrider-config-XXXXXX";
    directory_ = mkdtemp(name);
  }
  ~TemporaryConfig() { std::system(("rm -rf " + directory_).c_str()); }
  TemporaryConfig(const TemporaryConfig&) = delete;

  const std::string& directory() const { return directory_; }

  Result<Config> try_load(std::string_view main_cf, LoadOptions options = {}) {
    EXPECT_TRUE(sys::replace_file(directory_ + "/main.cf", main_cf, 0600));
    options.directory = directory_;
    return Config::load(options);
  }
  Config load(std::string_view main_cf, LoadOptions options = {}) {
    auto config = try_load(main_cf, std::move(options));
    if (!config) throw std::runtime_error(config.error().text);
    return *config;
  }

 private:
  std::string directory_;
};

}  // namespace postrider::config
