#include "dns/host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/hosts_file.h"
#include "dns_server.h"
#include "log_lines.h"
#include "sys/file.h"

namespace postrider::dns {
namespace {

using sys::Address;
using sys::HostError;
using test::LogLines;
using test::Server;
using test::with_server;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kIpv4[] = {AF_INET};
constexpr int kBoth[] = {AF_INET, AF_INET6};

Deadline soon() {
  return Deadline::after(seconds(20));
}
Address ip(std::string_view text) {
  return *Address::from_ip(text);
}

std::vector<std::string> ips(const std::vector<Address>& addresses) {
  std::vector<std::string> out;
  for (const Address& address : addresses)
    out.push_back(address.ip());
  return out;
}

TEST(HostsFile, LeadsFromNamesToAddressesAndBack) {
  HostsFile hosts = HostsFile::parse(
      "127.0.0.1 localhost loop # comment\n"
      "::1 localhost\n"
      "# 192.0.2.9 gone\n"
      "nonsense name\n"
      "192.0.2.1\tMail.Site.Test mail\n"
      "192.0.2.1 other\n");
  EXPECT_THAT(ips(hosts.addresses("LOCALHOST")), ElementsAre("127.0.0.1", "::1"));
  EXPECT_THAT(ips(hosts.addresses("mail")), ElementsAre("192.0.2.1"));
  EXPECT_THAT(hosts.addresses("gone"), IsEmpty());
  EXPECT_EQ(hosts.name(ip("192.0.2.1")), "Mail.Site.Test");
  EXPECT_EQ(hosts.name(ip("192.0.2.9")), std::nullopt);
}

TEST(HostSources, OnlyFilesThenDnsIsDoneHere) {
  auto show = [](std::string_view text) {
    HostSources s = parse_host_sources(text);
    return std::string(s.files ? "f" : "") + (s.dns ? "d" : "") + (s.native ? "n" : "");
  };
  EXPECT_EQ(show("passwd: files\nhosts:\tfiles dns # as usual\n"), "fd");
  EXPECT_EQ(show("hosts: dns\n"), "d");
  EXPECT_EQ(show("hosts: files\n"), "f");
  EXPECT_EQ(show(""), "fd");
  EXPECT_THAT(show("hosts: dns files\n"), testing::HasSubstr("n"));
  EXPECT_THAT(show("hosts: files resolve [!UNAVAIL=return] dns\n"), testing::HasSubstr("n"));
}

/// A lookup over a test server and files of its own.
struct Fixture {
  std::string directory = testing::TempDir() + "/postrider-host." + std::to_string(getpid());
  Resolver resolver;
  std::optional<HostLookup> lookup;

  explicit Fixture(Server& server, std::string_view hosts = "",
                   std::string_view nsswitch = "hosts: files dns\n")
      : resolver([&] {
          ResolverSettings settings;
          settings.fixed = server.conf();
          return settings;
        }()) {
    EXPECT_TRUE(sys::make_directories(directory, 0700));
    set_hosts(hosts);
    EXPECT_TRUE(sys::replace_file(directory + "/nsswitch.conf", nsswitch, 0600));
    lookup.emplace(resolver,
                   HostLookupSettings{directory + "/hosts", directory + "/nsswitch.conf", seconds(0)});
  }
  ~Fixture() {
    (void)sys::unlink_file(directory + "/hosts");
    (void)sys::unlink_file(directory + "/nsswitch.conf");
    rmdir(directory.c_str());
  }
  void set_hosts(std::string_view hosts) {
    EXPECT_TRUE(sys::replace_file(directory + "/hosts", hosts, 0600));
  }
};

TEST(HostLookup, AsksTheHostsFileFirst) {
  with_server([](Server& server) {
    server.a("both.test", "192.0.2.2");
    server.a("dns.test", "192.0.2.3");
    Fixture f(server, "192.0.2.1 both.test\n");
    EXPECT_THAT(ips(f.lookup->addresses("both.test", kIpv4, soon()).addresses), ElementsAre("192.0.2.1"));
    EXPECT_THAT(ips(f.lookup->addresses("dns.test", kIpv4, soon()).addresses), ElementsAre("192.0.2.3"));
    EXPECT_EQ(server.count("both.test A"), 0u);
    f.set_hosts("192.0.2.9 both.test\n");
    EXPECT_THAT(ips(f.lookup->addresses("both.test", kIpv4, soon()).addresses), ElementsAre("192.0.2.9"));
  });
}

TEST(HostLookup, FailuresAreThoseOfTheCLibrary) {
  with_server([](Server& server) {
    server.add("text.test", Type::txt, "\1x");
    server.fail("soft.test", 2);
    server.fail("hard.test", 1);
    Fixture f(server);
    auto error = [&](std::string_view host) { return f.lookup->addresses(host, kBoth, soon()).error; };
    EXPECT_EQ(error("nx.test"), HostError::unknown_host);
    EXPECT_EQ(error("text.test"), HostError::no_address);
    EXPECT_EQ(error("soft.test"), HostError::try_again);
    EXPECT_EQ(error("hard.test"), HostError::unknown_host);
    EXPECT_EQ(error("not a name"), HostError::unknown_host);
  });
}

TEST(HostLookup, NumericHostsAreTheirOwnAddress) {
  with_server([](Server& server) {
    Fixture f(server);
    EXPECT_THAT(ips(f.lookup->addresses("2001:db8::1", kBoth, soon()).addresses), ElementsAre("2001:db8::1"));
    EXPECT_EQ(f.lookup->addresses("2001:db8::1", kIpv4, soon()).error, HostError::unknown_host);
    EXPECT_THAT(server.queries, IsEmpty());
  });
}

TEST(HostLookup, OtherSourcesAreLeftToTheSystem) {
  with_server([](Server& server) {
    Fixture f(server, "192.0.2.1 only-here.test\n", "hosts: files myhostname dns\n");
    // The system's own hosts file has this everywhere; ours is not asked.
    EXPECT_TRUE(f.lookup->addresses("localhost", kBoth, soon()).found());
    EXPECT_THAT(server.queries, IsEmpty());
  });
}

TEST(HostLookup, NamesOfAddresses) {
  with_server([](Server& server) {
    server.add("1.2.0.192.in-addr.arpa", Type::ptr, test::wire_name("mail.test"));
    server.add("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", Type::ptr,
               test::wire_name("six.test"));
    server.add("3.2.0.192.in-addr.arpa", Type::ptr, test::wire_name("192.0.2.3"));
    server.add("4.2.0.192.in-addr.arpa", Type::ptr, test::wire_name("bad name"));
    server.fail("5.2.0.192.in-addr.arpa", 2);
    LogLines log;
    Fixture f(server, "192.0.2.6 six.hosts\n");
    auto name = [&](std::string_view address) { return f.lookup->name(ip(address), soon()); };
    EXPECT_EQ(name("192.0.2.1").name, "mail.test");
    EXPECT_EQ(name("2001:db8::1").name, "six.test");
    EXPECT_EQ(name("192.0.2.2").error, HostError::unknown_host);
    EXPECT_EQ(name("192.0.2.3").error, HostError::unknown_host);
    EXPECT_EQ(name("192.0.2.4").error, HostError::unknown_host);
    EXPECT_EQ(name("192.0.2.5").error, HostError::try_again);
    EXPECT_EQ(name("192.0.2.6").name, "six.hosts");
    EXPECT_THAT(log.lines, ElementsAre("warning: numeric hostname: 192.0.2.3"));
  });
}

TEST(ClientName, MustLeadBackToTheAddress) {
  with_server([](Server& server) {
    auto claim = [&](std::string_view last, std::string_view name) {
      server.add(std::string(last) + ".2.0.192.in-addr.arpa", Type::ptr, test::wire_name(name));
    };
    claim("1", "good.test");
    server.a("good.test", "192.0.2.99");
    server.a("good.test", "192.0.2.1");
    claim("2", "liar.test");
    server.a("liar.test", "192.0.2.99");
    claim("3", "gone.test");
    claim("4", "soft.test");
    server.fail("soft.test", 2);
    server.fail("5.2.0.192.in-addr.arpa", 2);
    LogLines log;
    Fixture f(server);
    auto check = [&](std::string_view address) {
      ClientName c = find_client_name(*f.lookup, ip(address), soon());
      static constexpr const char* kStatus[] = {"ok", "temporary", "permanent", "forged"};
      return c.name + " " + kStatus[static_cast<int>(c.name_status)] + " " + c.reverse_name + " " +
             kStatus[static_cast<int>(c.reverse_status)];
    };
    EXPECT_EQ(check("192.0.2.1"), "good.test ok good.test ok");
    EXPECT_THAT(log.lines, IsEmpty());
    EXPECT_EQ(check("192.0.2.2"), "unknown forged liar.test ok");
    EXPECT_EQ(check("192.0.2.3"), "unknown forged gone.test ok");
    EXPECT_EQ(check("192.0.2.4"), "unknown temporary soft.test ok");
    EXPECT_EQ(check("192.0.2.5"), "unknown temporary unknown temporary");
    EXPECT_EQ(check("192.0.2.6"), "unknown permanent unknown permanent");
    EXPECT_THAT(log.lines, ElementsAre("warning: hostname liar.test does not resolve to address 192.0.2.2",
                                       "warning: hostname gone.test does not resolve to address 192.0.2.3: " +
                                           sys::host_error_text(HostError::unknown_host),
                                       "warning: hostname soft.test does not resolve to address 192.0.2.4: " +
                                           sys::host_error_text(HostError::try_again)));
  });
}

}  // namespace
}  // namespace postrider::dns
