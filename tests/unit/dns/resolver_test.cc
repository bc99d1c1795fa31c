#include "dns/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns_server.h"
#include "log_lines.h"
#include "sys/file.h"

namespace postrider::dns {
namespace {

using test::LogLines;
using test::Server;
using test::with_server;
using testing::ElementsAre;
using testing::IsEmpty;

ResolverSettings settings_for(const Server& server) {
  ResolverSettings settings;
  settings.fixed = server.conf();
  return settings;
}

Deadline soon() {
  return Deadline::after(seconds(20));
}

std::vector<std::string> texts(const Answer& answer) {
  std::vector<std::string> out;
  for (const Record& record : answer.records)
    out.push_back(record.text());
  return out;
}

TEST(Resolver, FindsRecords) {
  with_server([](Server& server) {
    server.mx("dest.test", 10, "mx1.dest.test");
    server.mx("dest.test", 20, "mx2.dest.test");
    Resolver resolver(settings_for(server));
    Answer answer = resolver.lookup("dest.test", Type::mx, {}, soon());
    EXPECT_EQ(answer.status, Status::found);
    EXPECT_EQ(answer.text, "");
    EXPECT_THAT(texts(answer), ElementsAre("dest.test. 3600 IN MX 10 mx1.dest.test.",
                                           "dest.test. 3600 IN MX 20 mx2.dest.test."));
  });
}

TEST(Resolver, SaysWhyThereIsNothing) {
  with_server([](Server& server) {
    server.add("nodata.test", Type::txt, "\2hi");
    server.fail("servfail.test", 2);
    server.fail("refused.test", 5);
    server.fail("notimp.test", 4);
    server.fail("formerr.test", 1);
    server.mx("null.test", 0, "");
    server.add("nosrv.test", Type::srv, test::srv_data(0, 0, 0, ""));
    server.mx("badname.test", 10, "-x");
    server.add("short.test", Type::mx, "\1");
    server.cname("loop.test", "loop.test");
    server.raw("unrelated.test", Type::mx,
               test::u16(0x8180) + test::u16(1) + test::u16(1) + test::u16(0) + test::u16(0) +
                   test::wire_name("unrelated.test") + test::u16(15) + test::u16(1) +
                   test::wire_record("unrelated.test", Type::a, 60, "abcd"));
    LogLines log;
    Resolver resolver(settings_for(server));
    auto mx = [&](std::string_view name) { return resolver.lookup(name, Type::mx, {}, soon()); };
    auto expect = [&](std::string_view name, Status status, std::string_view text) {
      Answer answer = mx(name);
      EXPECT_EQ(answer.status, status) << name;
      EXPECT_EQ(answer.text, text);
      EXPECT_THAT(answer.records, IsEmpty());
    };
    constexpr std::string_view kNotFound = "Host or domain name not found. Name service error for name=";
    expect("nx.test", Status::not_found, std::string(kNotFound) + "nx.test type=MX: Host not found");
    EXPECT_TRUE(mx("nx.test").no_such_name);
    expect("nodata.test", Status::not_found,
           std::string(kNotFound) + "nodata.test type=MX: Host found but no data record of requested type");
    EXPECT_FALSE(mx("nodata.test").no_such_name);
    for (std::string name : {"servfail.test", "refused.test", "notimp.test"}) {
      expect(name, Status::try_again, std::string(kNotFound) + name + " type=MX: Host not found, try again");
    }
    expect("formerr.test", Status::failed,
           std::string(kNotFound) + "formerr.test type=MX: Non-recoverable error");
    expect("null.test", Status::null_service, "Domain null.test does not accept mail (nullMX)");
    Answer service = resolver.lookup("nosrv.test", Type::srv, {}, soon());
    EXPECT_EQ(service.status, Status::null_service);
    EXPECT_EQ(service.text, "Domain nosrv.test does not support SRV requests");
    constexpr std::string_view kMalformed = " type=MX: Malformed or unexpected name server reply";
    expect("badname.test", Status::malformed,
           "Name service error for name=badname.test" + std::string(kMalformed));
    expect("short.test", Status::try_again,
           "Name service error for name=short.test" + std::string(kMalformed));
    expect("unrelated.test", Status::not_found,
           "Name service error for name=unrelated.test" + std::string(kMalformed));
    EXPECT_THAT(
        log.lines,
        ElementsAre("warning: valid_hostname: misplaced hyphen: -x",
                    "warning: malformed domain name in resource data of MX record for badname.test: -x"));
    log.lines.clear();
    expect("loop.test", Status::not_found, "Name server loop for loop.test");
    expect("a..b", Status::not_found, "Name service error for a..b: invalid host or domain name");
    EXPECT_THAT(log.lines, ElementsAre("warning: dns_lookup: Name server loop for loop.test"));
  });
}

TEST(Resolver, FollowsAliasesThatTheServerLeavesOpen) {
  with_server([](Server& server) {
    server.split_aliases = true;
    server.cname("a.test", "b.test");
    server.cname("b.test", "c.test");
    server.a("c.test", "192.0.2.1");
    server.cname("nowhere.test", "gone.test");
    Resolver resolver(settings_for(server));
    Answer answer = resolver.lookup("a.test", Type::a, {}, soon());
    EXPECT_THAT(texts(answer), ElementsAre("c.test. 3600 IN A 192.0.2.1"));
    EXPECT_THAT(server.queries, ElementsAre("a.test A", "b.test A", "c.test A"));
    EXPECT_EQ(resolver.lookup("nowhere.test", Type::a, {}, soon()).text,
              "Host or domain name not found. Name service error for name=gone.test type=A: Host not found");
  });
}

TEST(Resolver, ChangesToTcpWhenTheAnswerIsTruncated) {
  with_server([](Server& server) {
    for (int i = 0; i < 60; ++i)
      server.a("many.test", "192.0.2." + std::to_string(i));
    Resolver resolver(settings_for(server));
    EXPECT_EQ(resolver.lookup("many.test", Type::a, {}, soon()).records.size(), 60u);
    EXPECT_THAT(server.queries, ElementsAre("many.test A", "many.test A/tcp"));
  });
}

TEST(Resolver, WithDnssecALargerAnswerFitsIntoUdp) {
  with_server([](Server& server) {
    for (int i = 0; i < 30; ++i)
      server.a("many.test", "192.0.2." + std::to_string(i));
    ResolverSettings settings = settings_for(server);
    settings.dnssec_probe = "";
    Resolver resolver(settings);
    EXPECT_EQ(resolver.lookup("many.test", Type::a, {.dnssec = true}, soon()).records.size(), 30u);
    EXPECT_THAT(server.queries, ElementsAre("many.test A"));
  });
}

TEST(Resolver, TriesAgainWhenAnAnswerDoesNotCome) {
  with_server([](Server& server) {
    server.a("slow.test", "192.0.2.1");
    server.fail("slow.test", std::nullopt);
    ResolverSettings settings = settings_for(server);
    settings.fixed->timeout = milliseconds(100);
    Resolver resolver(settings);
    io::TaskGroup group;
    group.spawn([&] {
      while (server.count("slow.test A") < 1)
        io::sleep_for(milliseconds(5));
      server.fail("slow.test", 0);
    });
    Answer answer = resolver.lookup("slow.test", Type::a, {}, soon());
    EXPECT_EQ(answer.status, Status::not_found);  // The second try was answered.
    EXPECT_EQ(server.count("slow.test A"), 2u);
    EXPECT_TRUE(group.wait(soon()));
  });
}

TEST(Resolver, GivesUpAfterTheLastTry) {
  with_server([](Server& server) {
    server.fail("silent.test", std::nullopt);
    ResolverSettings settings = settings_for(server);
    settings.fixed->timeout = milliseconds(50);
    Resolver resolver(settings);
    Answer answer = resolver.lookup("silent.test", Type::a, {}, soon());
    EXPECT_EQ(answer.status, Status::try_again);
    EXPECT_EQ(answer.text,
              "Host or domain name not found. Name service error for name=silent.test type=A: Host not "
              "found, try again");
    EXPECT_EQ(server.count("silent.test A"), 2u);
  });
}

TEST(Resolver, ADeadlineThatPassesIsATemporaryFailure) {
  with_server([](Server& server) {
    server.fail("silent.test", std::nullopt);
    Resolver resolver(settings_for(server));
    EXPECT_EQ(resolver.lookup("silent.test", Type::a, {}, Deadline::after(milliseconds(20))).status,
              Status::try_again);
  });
}

TEST(Resolver, NoServerAtAllIsATemporaryFailure) {
  with_server([](Server& server) {
    ResolverSettings settings;
    settings.fixed = server.conf();
    settings.fixed->servers[0].set_port(1);
    Resolver resolver(settings);
    EXPECT_EQ(resolver.lookup("x.test", Type::a, {}, soon()).status, Status::try_again);
  });
}

TEST(Resolver, AsksTheNextServerWhenOneFails) {
  io::run_with_loop([] {
    Server bad, good;
    bad.fail("x.test", 2);
    good.a("x.test", "192.0.2.1");
    {
      ResolverSettings settings;
      settings.fixed = bad.conf();
      settings.fixed->servers.push_back(good.address());
      Resolver resolver(settings);
      EXPECT_TRUE(resolver.lookup("x.test", Type::a, {}, soon()).found());
      EXPECT_EQ(bad.queries.size(), 1u);
    }
    bad.stop();
    good.stop();
  });
}

TEST(Resolver, RemembersAnswersForTheirTtl) {
  with_server([](Server& server) {
    server.add("x.test", Type::a, test::address_data("192.0.2.1"), 60);
    server.add("zero.test", Type::a, test::address_data("192.0.2.1"), 0);
    server.fail("fail.test", 2);
    server.negative_ttl = 60;
    Resolver resolver(settings_for(server));
    for (int i = 0; i < 3; ++i) {
      for (const char* name : {"x.test", "X.Test", "zero.test", "nx.test", "fail.test"}) {
        (void)resolver.lookup(name, Type::a, {}, soon());
      }
    }
    EXPECT_EQ(server.count("x.test A"), 1u);
    EXPECT_EQ(server.count("nx.test A"), 1u);
    EXPECT_EQ(server.count("zero.test A"), 3u);
    EXPECT_EQ(server.count("fail.test A"), 6u);  // Two tries each: a failure is not remembered.
  });
}

TEST(Resolver, AnswersGoneFromTheCacheAreAskedForAgain) {
  with_server([](Server& server) {
    server.a("x.test", "192.0.2.1");
    ResolverSettings settings = settings_for(server);
    settings.max_ttl = seconds(0);
    Resolver resolver(settings);
    (void)resolver.lookup("x.test", Type::a, {}, soon());
    (void)resolver.lookup("x.test", Type::a, {}, soon());
    EXPECT_EQ(server.count("x.test A"), 2u);
  });
}

TEST(Resolver, TheSameQuestionOfManyIsAskedOnce) {
  with_server([](Server& server) {
    server.a("x.test", "192.0.2.1");
    server.hold();
    Resolver resolver(settings_for(server));
    io::TaskGroup group;
    int found = 0;
    for (int i = 0; i < 50; ++i) {
      group.spawn([&] { found += resolver.lookup("x.test", Type::a, {}, soon()).found(); });
    }
    while (server.queries.empty() && resolver.queries_sent() == 0)
      io::yield();
    server.release();
    EXPECT_TRUE(group.wait(soon()));
    EXPECT_EQ(found, 50);
    EXPECT_EQ(resolver.queries_sent(), 1u);
  });
}

TEST(Resolver, AnswersManyQuestionsAtOnceFromChangingPorts) {
  with_server([](Server& server) {
    constexpr int kNames = 3000;
    for (int i = 0; i < kNames; ++i)
      server.a("n" + std::to_string(i) + ".test", "192.0.2.1");
    Resolver resolver(settings_for(server));
    io::TaskGroup group;
    int found = 0;
    for (int i = 0; i < kNames; ++i) {
      group.spawn([&, i] {
        found += resolver.lookup("n" + std::to_string(i) + ".test", Type::a, {}, soon()).found();
      });
    }
    EXPECT_TRUE(group.wait(soon()));
    EXPECT_EQ(found, kNames);
    EXPECT_GE(server.client_ports.size(), 3000u / 256);
  });
}

TEST(Resolver, SeveralTypesGiveAllTheirRecordsOrTheWorstFailure) {
  with_server([](Server& server) {
    server.a("both.test", "192.0.2.1");
    server.a("both.test", "2001:db8::1");
    server.a("six.test", "2001:db8::2");
    server.fail("temp.test", Type::a, 2);
    server.fail("afail.test", Type::a, 2);
    server.a("afail.test", "2001:db8::3");
    constexpr Type kBoth[] = {Type::a, Type::aaaa};
    Resolver resolver(settings_for(server));
    auto both = [&](std::string_view name) { return resolver.lookup(name, kBoth, {}, soon()); };
    EXPECT_THAT(texts(both("both.test")),
                ElementsAre("both.test. 3600 IN A 192.0.2.1", "both.test. 3600 IN AAAA 2001:db8::1"));
    EXPECT_THAT(texts(both("six.test")), ElementsAre("six.test. 3600 IN AAAA 2001:db8::2"));
    EXPECT_THAT(texts(both("afail.test")), ElementsAre("afail.test. 3600 IN AAAA 2001:db8::3"));
    EXPECT_EQ(both("nx.test").text,
              "Host or domain name not found. Name service error for name=nx.test type=AAAA: Host not found");
    EXPECT_EQ(both("temp.test").text,
              "Host or domain name not found. Name service error for name=temp.test type=A: Host not found, "
              "try again");
    server.queries.clear();
    EXPECT_EQ(
        resolver.lookup("both.test", kBoth, {.dnssec = false, .search = {}, .stop_when_found = true}, soon())
            .records.size(),
        1u);
    // A domain that takes no mail does so whatever else it has.
    server.mx("nomail.test", 0, "");
    server.a("nomail.test", "192.0.2.3");
    constexpr Type kMail[] = {Type::mx, Type::a};
    auto mail = [&](bool stop) {
      return resolver.lookup("nomail.test", kMail, {.dnssec = false, .search = {}, .stop_when_found = stop},
                             soon());
    };
    EXPECT_EQ(mail(true).status, Status::null_service);
    EXPECT_EQ(mail(false).status, Status::found);
  });
}

TEST(Resolver, ValidatedMeansTheWholeChain) {
  with_server([](Server& server) {
    server.secure("safe.test");
    server.a("x.safe.test", "192.0.2.1");
    server.a("x.test", "192.0.2.1");
    server.cname("in.safe.test", "x.safe.test");
    server.cname("out.safe.test", "x.test");
    server.cname("into.test", "x.safe.test");
    server.split_aliases = true;
    Resolver resolver(settings_for(server));
    auto validated = [&](std::string_view name, bool dnssec) {
      Answer answer = resolver.lookup(name, Type::a, {.dnssec = dnssec}, soon());
      return !answer.records.empty() && answer.records[0].validated;
    };
    EXPECT_TRUE(validated("x.safe.test", true));
    EXPECT_FALSE(validated("x.safe.test", false));
    EXPECT_TRUE(validated("in.safe.test", true));
    EXPECT_FALSE(validated("out.safe.test", true));
    EXPECT_FALSE(validated("into.test", true));
    EXPECT_FALSE(validated("x.test", true));
  });
}

TEST(Resolver, WarnsOnceWhenTheServerDoesNotValidate) {
  with_server([](Server& server) {
    server.a("x.test", "192.0.2.1");
    server.add("ns.probe", Type::ns, test::wire_name("ns.test"));
    LogLines log;
    ResolverSettings settings = settings_for(server);
    settings.dnssec_probe = "NS:ns.probe";
    Resolver resolver(settings);
    (void)resolver.lookup("x.test", Type::a, {.dnssec = true}, soon());
    (void)resolver.lookup("y.test", Type::a, {.dnssec = true}, soon());
    EXPECT_THAT(
        log.lines,
        ElementsAre(
            "warning: DNSSEC validation may be unavailable",
            "warning: reason: dnssec_probe 'NS:ns.probe' received a response that is not DNSSEC validated"));
  });
}

TEST(Resolver, DoesNotProbeWhenSomethingWasValidated) {
  with_server([](Server& server) {
    server.secure("test");
    server.a("x.test", "192.0.2.1");
    LogLines log;
    Resolver resolver(settings_for(server));
    (void)resolver.lookup("x.test", Type::a, {.dnssec = true}, soon());
    (void)resolver.lookup("elsewhere", Type::a, {.dnssec = true}, soon());
    EXPECT_THAT(log.lines, IsEmpty());
    EXPECT_EQ(server.count(" NS"), 0u);
  });
}

TEST(Resolver, CompletesShortNamesOnRequest) {
  with_server([](Server& server) {
    server.a("host.two.test", "192.0.2.2");
    server.a("sub.host.one.test", "192.0.2.3");
    server.a("host.x", "192.0.2.4");
    server.fail("soft.one.test", 2);
    server.a("soft.two.test", "192.0.2.5");
    server.fail("gone.one.test", 2);
    ResolverSettings settings = settings_for(server);
    settings.fixed->search = {"one.test", "two.test"};
    Resolver resolver(settings);
    auto status = [&](std::string_view name, SearchOptions search) {
      return resolver.lookup(name, Type::a, {.dnssec = false, .search = search}, soon()).status;
    };
    EXPECT_EQ(status("host", {}), Status::not_found);
    EXPECT_EQ(status("host", {.default_domain = true}), Status::not_found);
    EXPECT_EQ(status("host", {.default_domain = true, .search_list = true}), Status::found);
    EXPECT_EQ(status("sub.host", {.default_domain = true}), Status::not_found);
    EXPECT_EQ(status("sub.host", {.search_list = true}), Status::found);
    EXPECT_EQ(status("soft", {.default_domain = true, .search_list = true}), Status::found);
    EXPECT_EQ(status("gone", {.default_domain = true, .search_list = true}), Status::try_again);
    server.queries.clear();
    EXPECT_EQ(status("host.x", {.search_list = true}), Status::found);
    EXPECT_THAT(server.queries, ElementsAre("host.x A"));  // Enough dots: as it is first.
  });
}

struct Filter : ReplyFilter {
  std::string_view name() const override { return "smtp_dns_reply_filter"; }
  Result<std::optional<std::string>> action(std::string_view record, Deadline) override {
    if (record.find("192.0.2.1") != std::string_view::npos) return "ignore";
    if (record.find("192.0.2.2") != std::string_view::npos) return "FOO";
    if (record.find("192.0.2.3") != std::string_view::npos)
      return fail(ErrorKind::temporary, "table is down");
    return std::nullopt;
  }
};

TEST(Resolver, AFilterDropsRecords) {
  with_server([](Server& server) {
    server.a("some.test", "192.0.2.1");
    server.a("some.test", "192.0.2.9");
    server.a("all.test", "192.0.2.1");
    server.a("foo.test", "192.0.2.2");
    server.a("down.test", "192.0.2.3");
    LogLines log;
    ResolverSettings settings = settings_for(server);
    settings.filter = std::make_shared<Filter>();
    Resolver resolver(settings);
    auto a = [&](std::string_view name) { return resolver.lookup(name, Type::a, {}, soon()); };
    EXPECT_THAT(texts(a("some.test")), ElementsAre("some.test. 3600 IN A 192.0.2.9"));
    EXPECT_EQ(a("all.test").status, Status::policy);
    EXPECT_EQ(a("all.test").text,
              "Error looking up name=all.test type=A: DNS reply filter drops all results");
    EXPECT_EQ(a("foo.test").status, Status::try_again);
    EXPECT_EQ(a("foo.test").text, "Error looking up name=foo.test type=A: Invalid DNS reply filter syntax");
    EXPECT_EQ(a("down.test").status, Status::try_again);
    EXPECT_EQ(log.lines.at(0), "ignoring DNS RR: some.test. 3600 IN A 192.0.2.1");
    EXPECT_THAT(log.lines,
                testing::Contains("warning: smtp_dns_reply_filter: unknown DNS filter action: \"FOO\""));
  });
}

TEST(Resolver, TakesNoticeWhenResolvConfChanges) {
  io::run_with_loop([] {
    std::string path = testing::TempDir() + "/resolv.conf." + std::to_string(getpid());
    ASSERT_TRUE(sys::replace_file(path, "search one.test\n", 0600));
    ResolverSettings settings;
    settings.resolv_conf_path = path;
    settings.conf_check_interval = seconds(0);
    Resolver resolver(settings);
    // Nothing listens on the port of name servers here, or something that knows no such name: what counts is
    // which names are asked for, and a search list shows in the number of questions.
    LookupOptions search{.dnssec = false, .search = {.default_domain = true, .search_list = true}};
    (void)resolver.lookup("nonexistent-name", Type::a, search, Deadline::after(milliseconds(50)));
    size_t before = resolver.queries_sent();
    ASSERT_TRUE(sys::replace_file(path, "search .\n", 0600));
    (void)resolver.lookup("other-name", Type::a, search, Deadline::after(milliseconds(50)));
    EXPECT_EQ(before, 2u);
    EXPECT_EQ(resolver.queries_sent() - before, 1u);
    (void)sys::unlink_file(path);
  });
}

}  // namespace
}  // namespace postrider::dns
