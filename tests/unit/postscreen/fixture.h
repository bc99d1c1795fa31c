// A configuration for tests of postscreen.
#pragma once

#include <stdlib.h>

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "clients/tables.h"
#include "log/log.h"
#include "postscreen/settings.h"
#include "sys/file.h"

namespace postrider::postscreen {

class PostscreenTest : public testing::Test {
 protected:
  using Test = postscreen::Test;  // Not that of GoogleTest.
  PostscreenTest() {
    char name[] = "/tmp/postrider-postscreen-XXXXXX";
    directory_ = mkdtemp(name);
    log::set_test_sink([this](log::Severity, std::string_view text) { log_.emplace_back(text); });
    configure("");
  }
  ~PostscreenTest() override {
    log::set_test_sink(nullptr);
    std::system(("rm -rf " + directory_).c_str());
  }

  void configure(const std::string& main_cf) {
    const std::string basics =
        "compatibility_level = 3.11\nmyhostname = mx.site.test\nmynetworks = 192.0.2.0/24\n"
        "inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n";
    EXPECT_TRUE(sys::replace_file(directory_ + "/main.cf", basics + main_cf, 0644));
    config::LoadOptions options;
    options.directory = directory_;
    auto config = config::Config::load(options);
    ASSERT_TRUE(config) << config.error().text;
    config_ = std::make_unique<config::Config>(*config);
    settings_ = std::make_unique<Settings>(*config, under_stress(*config, {}));
    lists_.reset();
    catalog_ = std::make_unique<table::Catalog>(clients::table_options(*config));
    std::vector<std::string> paths;
    lists_ = std::make_unique<Lists>(*config, *catalog_, paths);
  }
  std::vector<std::string> take_log() { return std::exchange(log_, {}); }

  std::string directory_;
  std::unique_ptr<config::Config> config_;
  std::unique_ptr<Settings> settings_;
  std::unique_ptr<table::Catalog> catalog_;
  std::unique_ptr<Lists> lists_;
  std::vector<std::string> log_;
};

}  // namespace postrider::postscreen
