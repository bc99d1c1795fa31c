// What the tests of rewriting and resolving share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rewrite/resolver.h"

namespace postrider::rewrite {

/// A mail system that is mx.site.test, 192.0.2.25 and 2001:db8::25, and a log to look at.
class RewriteTest : public testing::Test {
 protected:
  using Setup = std::vector<std::pair<std::string, std::string>>;

  static config::Config config(const Setup& parameters = {}) {
    config::LoadOptions options{.defaults_only = true};
    const Setup base = {{"myhostname", "mx.site.test"},
                        {"mydestination", "$myhostname, site.test, localhost"},
                        {"compatibility_level", "3.11"}};
    for (const Setup& list : {base, parameters}) {
      for (const auto& [name, value] : list)
        options.overrides.push_back({name, value});
    }
    auto loaded = config::Config::load(options);
    EXPECT_TRUE(loaded.has_value()) << loaded.error().text;
    return *loaded;
  }

  /// Makes a resolver for these parameters.
  void set_up(const Setup& parameters = {}) {
    resolver_.reset();
    table::OpenOptions options;
    options.behaviour.utf8 = true;
    options.log = [this](table::Severity, std::string_view text) { log_.emplace_back(text); };
    catalog_ = std::make_unique<table::Catalog>(options);
    auto made =
        Resolver::create(config(parameters), *catalog_,
                         {*sys::Address::from_ip("192.0.2.25"), *sys::Address::from_ip("2001:db8::25")},
                         {*sys::Address::from_ip("203.0.113.1")});
    ASSERT_TRUE(made.has_value()) << made.error().text;
    resolver_ = std::move(*made);
  }

  Resolution resolve(std::string_view address, std::string_view sender = "s@sender.test",
                     Purpose purpose = Purpose::delivery) {
    return resolver_->resolve({.sender = sender, .address = address, .purpose = purpose, .explain = true},
                              Deadline::never());
  }

  /// "class transport:nexthop recipient", with "routed" behind it where so, or "invalid", or "later".
  std::string route(std::string_view address, std::string_view sender = "s@sender.test",
                    Purpose purpose = Purpose::delivery) {
    Resolution r = resolve(address, sender, purpose);
    if (r.status == Resolution::Status::invalid) return "invalid " + r.recipient;
    if (r.status == Resolution::Status::try_later) return "later";
    return std::string(to_text(r.address_class)) + " " + r.transport + ":" + r.nexthop + " " + r.recipient +
           (r.routed ? " routed" : "");
  }

  std::vector<std::string> logged() { return std::exchange(log_, {}); }

  std::vector<std::string> log_;
  std::unique_ptr<table::Catalog> catalog_;
  std::unique_ptr<Resolver> resolver_;
};

}  // namespace postrider::rewrite
