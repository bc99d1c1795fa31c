#include "dns/mail_routing.h"

#include <map>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns_server.h"
#include "log_lines.h"

// Covers: ignore_mx_lookup_error, smtp_balance_inet_protocols, lmtp_balance_inet_protocols,
// lmtp_address_preference
namespace postrider::dns {
namespace {

using test::LogLines;
using test::Server;
using test::with_server;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Deadline soon() {
  return Deadline::after(seconds(20));
}
sys::Address ip(std::string_view text) {
  return *sys::Address::from_ip(text);
}

/// In the order of the records, both families, this host is 192.0.2.25.
RoutingSettings plain_settings() {
  RoutingSettings settings;
  settings.randomize_addresses = false;
  settings.balance_protocols = false;
  settings.own_addresses = {ip("192.0.2.25"), ip("203.0.113.77")};
  return settings;
}

/// "mx1.test[192.0.2.1] mx2.test[192.0.2.2]", or "5.4.4 text".
std::string show(const Route& route) {
  if (route.hosts.empty()) return route.status + " " + route.reason;
  std::string out;
  for (const MailHost& host : route.hosts) {
    out += (out.empty() ? "" : " ") + fmt::format("{}[{}]", host.name, host.address.ip());
    if (host.port) out += fmt::format(":{}", *host.port);
  }
  return out;
}

struct Fixture {
  Resolver resolver;
  HostLookup hosts;
  LogLines log;
  explicit Fixture(Server& server, std::shared_ptr<ReplyFilter> filter = nullptr)
      : resolver([&] {
          ResolverSettings settings;
          settings.fixed = server.conf();
          settings.filter = std::move(filter);
          settings.dnssec_probe = "";
          return settings;
        }()),
        hosts(resolver, {"/nonexistent/hosts", "/nonexistent/nsswitch.conf"}) {}
  Route domain(std::string_view name, RoutingSettings settings = plain_settings()) {
    return MailRouter(resolver, hosts, std::move(settings)).by_domain(name, soon());
  }
  Route host(std::string_view name, RoutingSettings settings = plain_settings()) {
    return MailRouter(resolver, hosts, std::move(settings)).by_host(name, soon());
  }
  Route service(std::string_view name, RoutingSettings settings = plain_settings()) {
    return MailRouter(resolver, hosts, std::move(settings)).by_service(name, "submission", soon());
  }
};

TEST(MailRouting, MailExchangersInOrderOfPreference) {
  with_server([](Server& server) {
    server.mx("dest.test", 20, "mx2.dest.test");
    server.mx("dest.test", 10, "mx1.dest.test");
    server.mx("dest.test", 30, "nowhere.test");
    server.a("mx1.dest.test", "198.51.100.10");
    server.a("mx1.dest.test", "2001:db8::10");
    server.a("mx2.dest.test", "198.51.100.20");
    Fixture f(server);
    Route route = f.domain("dest.test");
    EXPECT_EQ(show(route),
              "mx1.dest.test[198.51.100.10] mx1.dest.test[2001:db8::10] mx2.dest.test[198.51.100.20]");
    ASSERT_TRUE(route.best_mx);
    EXPECT_EQ(route.best_mx->data, "mx1.dest.test");
    EXPECT_THAT(f.log.lines, IsEmpty());
  });
}

TEST(MailRouting, AddressRecordsWhenThereIsNoMailExchanger) {
  with_server([](Server& server) {
    server.a("onlya.test", "198.51.100.10");
    server.cname("cname.test", "real.test");
    server.mx("real.test", 10, "mx.real.test");
    server.a("mx.real.test", "198.51.100.11");
    server.mx("mxcname.test", 10, "alias.test");
    server.cname("alias.test", "mx.real.test");
    Fixture f(server);
    EXPECT_EQ(show(f.domain("onlya.test")), "onlya.test[198.51.100.10]");
    EXPECT_EQ(show(f.domain("cname.test")), "mx.real.test[198.51.100.11]");
    Route alias = f.domain("mxcname.test");
    EXPECT_EQ(show(alias), "alias.test[198.51.100.11]");
    EXPECT_EQ(alias.hosts[0].canonical, "mx.real.test");
  });
}

TEST(MailRouting, WhatCannotBeFoundHasAStatusAndAText) {
  with_server([](Server& server) {
    server.mx("nullmx.test", 0, "");
    server.mx("nullplus.test", 0, "");
    server.mx("nullplus.test", 10, "x.test");
    server.fail("servfail.test", 2);
    server.fail("formerr.test", 1);
    server.mx("noaddr.test", 10, "nowhere.test");
    server.add("nodata.test", Type::txt, "\1x");
    server.mx("mxfail.test", 10, "servfail.test");
    server.mx("mxhard.test", 10, "formerr.test");
    server.mx("badname.test", 10, "-x.test");
    server.mx("mxtwo.test", 10, "servfail.test");
    server.mx("mxtwo.test", 20, "nowhere.test");
    server.mx("mxthree.test", 10, "nowhere.test");
    server.mx("mxthree.test", 20, "servfail.test");
    server.mx("mxfour.test", 10, "nowhere.test");
    server.mx("mxfour.test", 20, "formerr.test");
    server.add("shorta.test", Type::a, "ab");
    Fixture f(server);
    const std::string kNotFound = "Host or domain name not found. Name service error for name=";
    auto expect = [&](std::string_view name, const std::string& text) {
      EXPECT_EQ(show(f.domain(name)), text) << name;
    };
    expect("nullmx.test", "5.1.0 Domain nullmx.test does not accept mail (nullMX)");
    expect("nullplus.test", "5.1.0 Domain nullplus.test does not accept mail (nullMX)");
    expect("nx.test", "5.4.4 " + kNotFound + "nx.test type=AAAA: Host not found");
    expect("nodata.test",
           "5.4.4 " + kNotFound + "nodata.test type=AAAA: Host found but no data record of requested type");
    expect("servfail.test", "4.4.3 " + kNotFound + "servfail.test type=MX: Host not found, try again");
    expect("formerr.test", "5.4.3 " + kNotFound + "formerr.test type=MX: Non-recoverable error");
    expect(
        "badname.test",
        "5.4.4 Name service error for name=badname.test type=MX: Malformed or unexpected name server reply");
    expect("shorta.test",
           "4.4.3 Name service error for name=shorta.test type=A: Malformed or unexpected name server reply");
    f.log.lines.clear();
    expect("noaddr.test", "5.4.4 " + kNotFound + "nowhere.test type=AAAA: Host not found");
    EXPECT_THAT(f.log.lines, ElementsAre("warning: no MX host for noaddr.test has a valid address record"));
    expect("mxfail.test", "4.4.3 " + kNotFound + "servfail.test type=AAAA: Host not found, try again");
    expect("mxhard.test", "5.4.3 " + kNotFound + "formerr.test type=AAAA: Non-recoverable error");
    expect("mxtwo.test", "4.4.4 " + kNotFound + "nowhere.test type=AAAA: Host not found");
    expect("mxthree.test", "4.4.3 " + kNotFound + "servfail.test type=AAAA: Host not found, try again");
    expect("mxfour.test", "5.4.3 " + kNotFound + "formerr.test type=AAAA: Non-recoverable error");
    EXPECT_TRUE(f.domain("servfail.test").temporary());
    EXPECT_FALSE(f.domain("nx.test").temporary());
  });
}

TEST(MailRouting, DefersOnRequestWhenNoMailExchangerHasAnAddress) {
  with_server([](Server& server) {
    server.mx("noaddr.test", 10, "nowhere.test");
    Fixture f(server);
    RoutingSettings settings = plain_settings();
    settings.defer_if_no_mx_address_found = true;
    EXPECT_EQ(f.domain("noaddr.test", settings).status, "4.4.4");
  });
}

TEST(MailRouting, MxErrorsAreIgnoredOnRequest) {
  with_server([](Server& server) {
    server.fail("ign.test", Type::mx, 2);
    server.a("ign.test", "203.0.113.5");
    server.fail("none.test", Type::mx, 2);
    server.a("sub.none.test", "203.0.113.5");
    Fixture f(server);
    RoutingSettings settings = plain_settings();
    EXPECT_EQ(f.domain("ign.test", settings).status, "4.4.3");
    settings.ignore_mx_lookup_error = true;
    EXPECT_EQ(show(f.domain("ign.test", settings)), "ign.test[203.0.113.5]");
    EXPECT_EQ(f.domain("none.test", settings).status, "5.4.4");
  });
}

TEST(MailRouting, OnlyHostsBetterThanThisOneAreUsed) {
  with_server([](Server& server) {
    server.a("mx.site.test", "192.0.2.25");
    server.a("proxy.test", "203.0.113.77");
    server.a("better.test", "198.51.100.10");
    server.a("equal.test", "198.51.100.11");
    server.mx("ownlow.test", 10, "better.test");
    server.mx("ownlow.test", 20, "equal.test");
    server.mx("ownlow.test", 20, "mx.site.test");
    server.mx("ownlow.test", 30, "equal.test");
    server.mx("own.test", 10, "mx.site.test");
    server.mx("own.test", 20, "better.test");
    server.mx("proxied.test", 10, "proxy.test");
    server.mx("lost.test", 10, "nowhere.test");
    server.mx("lost.test", 20, "mx.site.test");
    Fixture f(server);
    Route low = f.domain("ownlow.test");
    EXPECT_EQ(show(low), "better.test[198.51.100.10]");
    EXPECT_TRUE(low.found_self);
    Route own = f.domain("own.test");
    EXPECT_EQ(show(own), "5.4.6 mail for own.test loops back to myself");
    EXPECT_TRUE(own.loops());
    EXPECT_EQ(show(f.domain("proxied.test")), "5.4.6 mail for proxied.test loops back to myself");
    EXPECT_EQ(show(f.domain("lost.test")), "4.4.4 unable to find primary relay for lost.test");
    EXPECT_EQ(show(f.domain("mx.site.test")), "5.4.6 mail for mx.site.test loops back to myself");
    EXPECT_EQ(show(f.host("mx.site.test")), "5.4.6 mail for mx.site.test loops back to myself");
    RoutingSettings lmtp = plain_settings();
    lmtp.detect_loops = false;
    EXPECT_EQ(show(f.host("mx.site.test", lmtp)), "mx.site.test[192.0.2.25]");
  });
}

TEST(MailRouting, HostsInBracketsAreNotAskedForMailExchangers) {
  with_server([](Server& server) {
    server.mx("dest.test", 10, "mx1.dest.test");
    server.a("dest.test", "198.51.100.1");
    Fixture f(server);
    EXPECT_EQ(show(f.host("dest.test")), "dest.test[198.51.100.1]");
    EXPECT_EQ(show(f.host("198.51.100.9")), "198.51.100.9[198.51.100.9]");
    EXPECT_EQ(show(f.host("IPv6:2001:db8::9")), "2001:db8::9[2001:db8::9]");
    EXPECT_EQ(server.count("dest.test MX"), 0u);
  });
}

TEST(MailRouting, OnlyTheProtocolsInUse) {
  with_server([](Server& server) {
    server.a("v6.test", "2001:db8::1");
    server.a("both.test", "2001:db8::1");
    server.a("both.test", "192.0.2.1");
    Fixture f(server);
    RoutingSettings settings = plain_settings();
    settings.families = {AF_INET};
    EXPECT_EQ(show(f.domain("both.test", settings)), "both.test[192.0.2.1]");
    EXPECT_EQ(show(f.domain("v6.test", settings)),
              "5.4.4 Host or domain name not found. Name service error for name=v6.test type=A: Host found "
              "but no data "
              "record of requested type");
    EXPECT_EQ(f.host("2001:db8::1", settings).status, "5.4.4");
  });
}

TEST(MailRouting, NativeLookupComesAfterDns) {
  with_server([](Server& server) {
    server.fail("soft.test", 2);
    server.add("nodata.test", Type::txt, "\1x");
    Fixture f(server);
    RoutingSettings settings = plain_settings();
    settings.host_lookup_native = true;
    EXPECT_EQ(show(f.host("nx.test", settings)),
              "5.4.4 unable to look up host nx.test: " + sys::host_error_text(sys::HostError::unknown_host));
    EXPECT_EQ(show(f.host("nodata.test", settings)), "5.3.0 unable to look up host nodata.test: " +
                                                         sys::host_error_text(sys::HostError::no_address));
    EXPECT_EQ(f.host("soft.test", settings).status, "4.4.3");  // A soft failure needs no second opinion.
    settings.host_lookup_dns = false;
    EXPECT_EQ(show(f.host("soft.test", settings)),
              "4.4.4 unable to look up host soft.test: " + sys::host_error_text(sys::HostError::try_again));
  });
}

TEST(MailRouting, EqualsAreShuffledAndPreferenceOfAFamilyHolds) {
  with_server([](Server& server) {
    for (int i = 1; i <= 4; ++i) {
      std::string host = fmt::format("h{}.test", i);
      server.mx("dest.test", 10, host);
      server.a(host, fmt::format("192.0.2.{}", i));
      server.a(host, fmt::format("2001:db8::{}", i));
    }
    server.mx("dest.test", 20, "last.test");
    server.a("last.test", "192.0.2.99");
    Fixture f(server);
    RoutingSettings settings = plain_settings();
    settings.randomize_addresses = true;
    std::set<std::string> first;
    for (int i = 0; i < 200; ++i) {
      Route route = f.domain("dest.test", settings);
      ASSERT_EQ(route.hosts.size(), 9u);
      first.insert(route.hosts[0].address.ip());
      EXPECT_EQ(route.hosts[8].name, "last.test");
    }
    EXPECT_EQ(first.size(), 8u);
    for (auto preference : {AddressPreference::ipv4, AddressPreference::ipv6}) {
      settings.preference = preference;
      Route route = f.domain("dest.test", settings);
      for (size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(route.hosts[i].address.is_ipv6(), preference == AddressPreference::ipv6);
      }
    }
  });
}

TEST(MailRouting, NeitherProtocolCrowdsOutTheOther) {
  with_server([](Server& server) {
    Fixture f(server);
    // The protocol of one host a preference, and which of them are left.
    auto balanced = [&](std::string_view pattern, size_t limit) {
      std::string domain = fmt::format("{}-{}.test", pattern, limit);
      for (size_t i = 0; i < pattern.size(); ++i) {
        std::string host = fmt::format("h{}.{}", i, domain);
        server.mx(domain, static_cast<unsigned>(i), host);
        server.a(host,
                 pattern[i] == '6' ? fmt::format("2001:db8::{}", i + 1) : fmt::format("192.0.2.{}", i + 1));
      }
      RoutingSettings settings = plain_settings();
      settings.balance_protocols = true;
      settings.mx_address_limit = limit;
      std::string out;
      for (const MailHost& host : f.domain(domain, settings).hosts) {
        out += fmt::format("{}", host.preference);
      }
      return out;
    };
    EXPECT_EQ(balanced("66666644", 5), "01267");
    EXPECT_EQ(balanced("44444466", 5), "01267");
    EXPECT_EQ(balanced("666666", 5), "01234");
    EXPECT_EQ(balanced("6464646464", 5), "01234");
    EXPECT_EQ(balanced("666644", 5), "01245");
    EXPECT_EQ(balanced("664444444", 5), "01234");
    EXPECT_EQ(balanced("46666666", 5), "01234");
    EXPECT_EQ(balanced("4444466666", 5), "01256");
    EXPECT_EQ(balanced("66664", 5), "01234");
    EXPECT_EQ(balanced("66666644", 4), "0167");
    EXPECT_EQ(balanced("66666644", 3), "016");
    EXPECT_EQ(balanced("664444444", 3), "012");
    EXPECT_EQ(balanced("664444444", 2), "02");
    EXPECT_EQ(balanced("46666666", 1), "0");
    EXPECT_EQ(balanced("66666644", 0), "01234567");
  });
}

TEST(MailRouting, AtMostAHundredAddresses) {
  with_server([](Server& server) {
    for (int i = 0; i < 3; ++i) {
      std::string host = fmt::format("h{}.test", i);
      server.mx("dest.test", 10, host);
      for (int j = 1; j <= 60; ++j)
        server.a(host, fmt::format("192.0.{}.{}", i, j));
    }
    Fixture f(server);
    EXPECT_EQ(f.domain("dest.test").hosts.size(), 100u);
    EXPECT_THAT(f.log.lines,
                ElementsAre("warning: DNS record count limit (100) exceeded -- dropping excess record(s) "
                            "after qname=h1.test qtype=A"));
  });
}

struct DropAll : ReplyFilter {
  std::string_view name() const override { return "smtp_dns_reply_filter"; }
  Result<std::optional<std::string>> action(std::string_view record, Deadline) override {
    if (record.starts_with("all")) return "IGNORE";
    return std::nullopt;
  }
};

TEST(MailRouting, WhatAFilterDropsIsTriedAgainLater) {
  with_server([](Server& server) {
    server.mx("all.test", 10, "x.test");
    server.mx("mx.test", 10, "allhost.test");
    server.a("allhost.test", "192.0.2.1");
    Fixture f(server, std::make_shared<DropAll>());
    EXPECT_EQ(show(f.domain("all.test")),
              "4.7.0 Error looking up name=all.test type=MX: DNS reply filter drops all results");
    RoutingSettings ipv4 = plain_settings();
    ipv4.families = {AF_INET};
    EXPECT_EQ(show(f.domain("mx.test", ipv4)),
              "4.7.0 Error looking up name=allhost.test type=A: DNS reply filter drops all results");
  });
}

TEST(MailRouting, ServicesByPriorityWithTheirPorts) {
  with_server([](Server& server) {
    server.add("_submission._tcp.dest.test", Type::srv, test::srv_data(20, 0, 2587, "b.test"));
    server.add("_submission._tcp.dest.test", Type::srv, test::srv_data(10, 5, 587, "a.test"));
    server.a("a.test", "192.0.2.1");
    server.a("b.test", "192.0.2.2");
    Fixture f(server);
    EXPECT_EQ(show(f.service("dest.test")), "a.test[192.0.2.1]:587 b.test[192.0.2.2]:2587");
  });
}

TEST(MailRouting, ServicesOfEqualPriorityAreChosenByWeight) {
  with_server([](Server& server) {
    server.add("_submission._tcp.dest.test", Type::srv, test::srv_data(10, 0, 1, "zero.test"));
    server.add("_submission._tcp.dest.test", Type::srv, test::srv_data(10, 10, 1, "light.test"));
    server.add("_submission._tcp.dest.test", Type::srv, test::srv_data(10, 90, 1, "heavy.test"));
    for (const char* host : {"zero.test", "light.test", "heavy.test"})
      server.a(host, "192.0.2.1");
    Fixture f(server);
    std::map<std::string, int> first;
    for (int i = 0; i < 1000; ++i)
      ++first[f.service("dest.test").hosts.at(0).name];
    // 900, 100 and a few, expected; the bounds are many standard deviations away.
    EXPECT_GT(first["heavy.test"], 800);
    EXPECT_GT(first["light.test"], 40);
    EXPECT_LT(first["zero.test"], 60);
  });
}

TEST(MailRouting, ServicesThatAreMissing) {
  with_server([](Server& server) {
    server.add("_submission._tcp.no.test", Type::srv, test::srv_data(0, 0, 0, ""));
    server.fail("_submission._tcp.soft.test", 2);
    server.add("_submission._tcp.loop.test", Type::srv, test::srv_data(0, 0, 25, "me.test"));
    server.a("me.test", "192.0.2.25");
    server.mx("nx.test", 10, "mx.test");
    server.mx("soft.test", 10, "mx.test");
    server.a("mx.test", "192.0.2.1");
    Fixture f(server);
    RoutingSettings settings = plain_settings();
    EXPECT_EQ(show(f.service("no.test")),
              "5.1.0 Domain _submission._tcp.no.test does not support SRV requests");
    EXPECT_EQ(show(f.service("loop.test")), "5.4.6 mail for _submission._tcp.loop.test loops back to myself");
    EXPECT_EQ(f.service("nx.test").status, "5.4.4");
    EXPECT_EQ(f.service("soft.test").status, "4.4.3");
    settings.ignore_srv_lookup_error = true;
    EXPECT_EQ(f.service("nx.test", settings).status, "5.4.4");
    EXPECT_EQ(show(f.service("soft.test", settings)), "mx.test[192.0.2.1]");
    settings.allow_srv_lookup_fallback = true;
    f.log.lines.clear();
    EXPECT_EQ(show(f.service("nx.test", settings)), "mx.test[192.0.2.1]");
    EXPECT_THAT(
        f.log.lines,
        ElementsAre(
            "skipping SRV lookup for _submission._tcp.nx.test: Host or domain name not found. Name service "
            "error for name=_submission._tcp.nx.test type=SRV: Host not found"));
    settings.srv_falls_back_to_mx = false;
    server.a("nx.test", "192.0.2.7");
    EXPECT_EQ(f.service("other.test", settings).status, "5.4.4");
  });
}

TEST(MailRouting, ValidationReachesTheHosts) {
  with_server([](Server& server) {
    server.secure("safe.test");
    server.secure("host.test");
    server.mx("safe.test", 10, "mx.safe.test");
    server.a("mx.safe.test", "192.0.2.1");
    server.mx("plain.test", 10, "mx.host.test");
    server.a("mx.host.test", "192.0.2.2");
    Fixture f(server);
    RoutingSettings settings = plain_settings();
    settings.dnssec = true;
    Route safe = f.domain("safe.test", settings);
    EXPECT_TRUE(safe.best_mx->validated);
    EXPECT_TRUE(safe.hosts.at(0).validated);
    Route plain = f.domain("plain.test", settings);
    EXPECT_FALSE(plain.best_mx->validated);
    EXPECT_FALSE(plain.hosts.at(0).validated);
    settings.dnssec_below_insecure_mx = true;
    EXPECT_TRUE(f.domain("plain.test", settings).hosts.at(0).validated);
  });
}

TEST(MailRouting, InternationalDomainsAreAskedForInAscii) {
  with_server([](Server& server) {
    server.mx("xn--nix-goa.test", 10, "192.0.2.25");
    Fixture f(server);
    EXPECT_EQ(show(f.domain("\xc3\xbcnix.test")), "5.4.6 mail for \xc3\xbcnix.test loops back to myself");
    EXPECT_EQ(f.domain("\xff.test").status, "5.4.4");
  });
}

}  // namespace
}  // namespace postrider::dns
