#include "rewrite/resolver.h"

#include "support.h"

namespace postrider::rewrite {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class ResolverTest : public RewriteTest {};

// ---- address classes
// ------------------------------------------------------------------------------------------

TEST_F(ResolverTest, ClassesDecideTheTransport) {
  set_up({{"virtual_alias_domains", "alias.test"},
          {"virtual_mailbox_domains", "box.test"},
          {"relay_domains", "relay.test"}});
  EXPECT_EQ(route("a@site.test"), "local local:mx.site.test a@site.test");
  EXPECT_EQ(route("a@box.test"), "virtual mailbox virtual:box.test a@box.test");
  EXPECT_EQ(route("a@relay.test"), "relay relay:relay.test a@relay.test");
  EXPECT_EQ(route("a@other.test"), "default smtp:other.test a@other.test");
  EXPECT_EQ(route("a@alias.test"),
            "virtual alias error:5.1.1 User unknown in virtual alias table a@alias.test");
  EXPECT_THAT(logged(), IsEmpty());
}

TEST_F(ResolverTest, ListsMatchWithoutRegardToCase) {
  set_up({{"relay_domains", "Relay.test"}});
  EXPECT_EQ(route("A@SITE.Test"), "local local:mx.site.test A@SITE.Test");
  EXPECT_EQ(route("a@RELAY.test"), "relay relay:RELAY.test a@RELAY.test");
}

TEST_F(ResolverTest, OnlyRelayDomainsKnowsSubdomains) {
  set_up({{"virtual_mailbox_domains", "box.test, .dot.test"}, {"relay_domains", "relay.test"}});
  EXPECT_EQ(route("a@x.relay.test"), "relay relay:x.relay.test a@x.relay.test");
  EXPECT_EQ(route("a@x.box.test"), "default smtp:x.box.test a@x.box.test");
  EXPECT_EQ(route("a@x.dot.test"), "default smtp:x.dot.test a@x.dot.test");
  EXPECT_EQ(route("a@x.site.test"), "default smtp:x.site.test a@x.site.test");
  set_up({{"relay_domains", "relay.test"}, {"parent_domain_matches_subdomains", ""}});
  EXPECT_EQ(route("a@x.relay.test"), "default smtp:x.relay.test a@x.relay.test");
}

TEST_F(ResolverTest, TheTableNameCanBeKeptFromStrangers) {
  set_up({{"virtual_alias_domains", "alias.test"}, {"show_user_unknown_table_name", "no"}});
  EXPECT_EQ(route("a@alias.test"), "virtual alias error:5.1.1 User unknown a@alias.test");
}

TEST_F(ResolverTest, WarnsOfDomainsInTwoClasses) {
  set_up({{"virtual_alias_domains", "d.test, site.test"},
          {"virtual_mailbox_domains", "d.test, e.test, site.test"},
          {"relay_domains", "d.test, e.test"}});
  EXPECT_EQ(route("a@d.test"), "virtual alias error:5.1.1 User unknown in virtual alias table a@d.test");
  EXPECT_THAT(
      logged(),
      ElementsAre("do not list domain d.test in BOTH virtual_alias_domains and virtual_mailbox_domains",
                  "do not list domain d.test in BOTH virtual_alias_domains and relay_domains"));
  EXPECT_EQ(route("a@e.test"), "virtual mailbox virtual:e.test a@e.test");
  EXPECT_THAT(logged(),
              ElementsAre("do not list domain e.test in BOTH virtual_mailbox_domains and relay_domains"));
  EXPECT_EQ(route("a@site.test"), "local local:mx.site.test a@site.test");
  EXPECT_THAT(logged(),
              ElementsAre("do not list domain site.test in BOTH mydestination and virtual_alias_domains",
                          "do not list domain site.test in BOTH mydestination and virtual_mailbox_domains"));
  set_up({{"virtual_alias_domains", "site.test"}, {"helpful_warnings", "no"}});
  EXPECT_EQ(route("a@site.test"), "local local:mx.site.test a@site.test");
  EXPECT_THAT(logged(), IsEmpty());
}

// ---- the final form of addresses
// ------------------------------------------------------------------------------

TEST_F(ResolverTest, AddressesWithoutDomainAreLocal) {
  set_up();
  EXPECT_EQ(route("a"), "local local:mx.site.test a@mx.site.test");
  EXPECT_EQ(route("a b"), "local local:mx.site.test a b@mx.site.test");
  EXPECT_EQ(route(""), "local local:mx.site.test MAILER-DAEMON@mx.site.test");
  EXPECT_EQ(route("@site.test"), "local local:mx.site.test MAILER-DAEMON@site.test");
  set_up({{"empty_address_recipient", "nobody@else.test"}});
  EXPECT_EQ(route(""), "default smtp:else.test nobody@else.test");
}

TEST_F(ResolverTest, TrailingDotsAreNoDifference) {
  set_up();
  EXPECT_EQ(route("a@site.test."), "local local:mx.site.test a@site.test");
  EXPECT_EQ(route("a@b.test."), "default smtp:b.test a@b.test");
  EXPECT_EQ(route("a@site.test.."), "invalid a@site.test..");
}

TEST_F(ResolverTest, OwnAddressLiteralsAreLocal) {
  set_up();
  EXPECT_EQ(route("a@[192.0.2.25]"), "local local:mx.site.test a@[192.0.2.25]");
  EXPECT_EQ(route("a@[IPv6:2001:db8:0::25]"), "local local:mx.site.test a@[IPv6:2001:db8:0::25]");
  EXPECT_EQ(route("a@[203.0.113.1]"), "local local:mx.site.test a@[203.0.113.1]");
  EXPECT_EQ(route("a@[198.51.100.1]"), "default smtp:[198.51.100.1] a@[198.51.100.1]");
}

TEST_F(ResolverTest, RoutingThroughThisSystemIsFollowed) {
  set_up();
  EXPECT_EQ(route("a%b.test@site.test"), "default smtp:b.test a@b.test");
  EXPECT_EQ(route("b.test!a@site.test"), "default smtp:b.test a@b.test");
  EXPECT_EQ(route("a%site.test@mx.site.test"), "local local:mx.site.test a@site.test");
  EXPECT_EQ(route("a@b.test@site.test"), "default smtp:b.test a@b.test");
  EXPECT_EQ(route("a%b.test"), "default smtp:b.test a@b.test");
  EXPECT_EQ(route("c!a%b.test@site.test"), "default smtp:c a%b.test@c routed");
}

TEST_F(ResolverTest, RoutingThroughOthersIsReported) {
  set_up();
  EXPECT_EQ(route("a%b.test@c.test"), "default smtp:c.test a%b.test@c.test routed");
  EXPECT_EQ(route("b.test!a@c.test"), "default smtp:c.test b.test!a@c.test routed");
  EXPECT_EQ(route("a@b.test@c.test"), "default smtp:c.test a@b.test@c.test routed");
  set_up({{"swap_bangpath", "no"}, {"allow_percent_hack", "no"}});
  EXPECT_EQ(route("a%b.test@site.test"), "local local:mx.site.test a%b.test@site.test routed");
}

TEST_F(ResolverTest, QuotesDoNotHideRouting) {
  set_up();
  // What arrives as <"a b@c.test"@site.test>.
  EXPECT_EQ(route("a b@c.test@site.test"), "default smtp:c.test a b@c.test");
  EXPECT_EQ(route("a b%c.test@site.test"), "default smtp:c.test a b@c.test");
  set_up({{"resolve_dequoted_address", "no"}});
  EXPECT_EQ(route("a b@c.test@site.test"), "local local:mx.site.test a b@c.test@site.test routed");
}

TEST_F(ResolverTest, MalformedDomainsAreInvalid) {
  set_up();
  for (std::string address :
       {"a@", "a@b..c", "a@-b", "a@1.2.3.4", "a@[1.2.3]", "a@[b.test]", "a@b c", "a@#1"}) {
    EXPECT_EQ(route(address), "invalid " + address);
  }
  EXPECT_EQ(route("@"), "invalid MAILER-DAEMON@");
  EXPECT_EQ(route("a@b\u00fccher.test"), "default smtp:b\u00fccher.test a@b\u00fccher.test");
  set_up({{"smtputf8_enable", "no"}});
  EXPECT_EQ(route("a@b\u00fccher.test"), "invalid a@b\u00fccher.test");
}

TEST_F(ResolverTest, NullAndNumericDomainsOnRequest) {
  set_up({{"resolve_null_domain", "yes"}, {"resolve_numeric_domain", "yes"}});
  EXPECT_EQ(route("a@"), "local local:mx.site.test a@mx.site.test");
  EXPECT_EQ(route("a@1.2.3.4"), "default smtp:[1.2.3.4] a@[1.2.3.4]");
  EXPECT_EQ(route("a@192.0.2.25"), "local local:mx.site.test a@[192.0.2.25]");
}

TEST_F(ResolverTest, ALeadingDashIsInvalid) {
  set_up();
  EXPECT_EQ(route("-a@b.test"), "invalid -a@b.test");
  set_up({{"allow_min_user", "yes"}});
  EXPECT_EQ(route("-a@b.test"), "default smtp:b.test -a@b.test");
}

TEST_F(ResolverTest, OddAddressesComeToAnEnd) {
  set_up();
  for (std::string address :
       {"!", "%", "!!!", "a!b!@site.test", "%%@site.test", "\"", "\\", "<>", "(", ".", "@@@@"}) {
    (void)route(address);
  }
  (void)route(std::string(5000, '%') + "@site.test");
  EXPECT_THAT(logged(), IsEmpty());
}

// ---- relayhost and sender-dependent routes
// --------------------------------------------------------------------

TEST_F(ResolverTest, RelayhostIsForRemoteMail) {
  set_up({{"relayhost", "[gw.test]:587"},
          {"relay_domains", "relay.test"},
          {"virtual_mailbox_domains", "box.test"}});
  EXPECT_EQ(route("a@b.test"), "default smtp:[gw.test]:587 a@b.test");
  EXPECT_EQ(route("a@relay.test"), "relay relay:[gw.test]:587 a@relay.test");
  EXPECT_EQ(route("a@box.test"), "virtual mailbox virtual:box.test a@box.test");
  EXPECT_EQ(route("a@site.test"), "local local:mx.site.test a@site.test");
}

TEST_F(ResolverTest, ATransportsOwnNexthopWins) {
  set_up({{"relayhost", "gw.test"}, {"default_transport", "lmtp:inet:x:24"}, {"relay_transport", "relay:"}});
  EXPECT_EQ(route("a@b.test"), "default lmtp:inet:x:24 a@b.test");
}

TEST_F(ResolverTest, SendersCanHaveTheirRelayhost) {
  set_up(
      {{"relayhost", "gw.test"},
       {"recipient_delimiter", "+"},
       {"sender_dependent_relayhost_maps", "inline:{s@x.test=sx, @d.test=DUNNO, <>=nobody, @y.test=dom}"}});
  EXPECT_EQ(route("a@b.test", "s@x.test"), "default smtp:sx a@b.test");
  EXPECT_EQ(route("a@b.test", "S+ext@X.test"), "default smtp:sx a@b.test");
  EXPECT_EQ(route("a@b.test", "t@x.test"), "default smtp:gw.test a@b.test");
  EXPECT_EQ(route("a@b.test", "t@y.test"), "default smtp:dom a@b.test");
  EXPECT_EQ(route("a@b.test", "t@d.test"), "default smtp:gw.test a@b.test");
  EXPECT_EQ(route("a@b.test", ""), "default smtp:nobody a@b.test");
  EXPECT_EQ(route("a@site.test", "s@x.test"), "local local:mx.site.test a@site.test");
}

TEST_F(ResolverTest, SendersCanHaveTheirTransport) {
  set_up({{"sender_dependent_default_transport_maps",
           "inline:{s@x.test=tr, n@x.test=tr:nh, d@x.test=dunno, <>=null}"},
          {"relayhost", "gw.test"},
          {"relay_domains", "relay.test"}});
  EXPECT_EQ(route("a@b.test", "s@x.test"), "default tr:gw.test a@b.test");
  EXPECT_EQ(route("a@b.test", "n@x.test"), "default tr:nh a@b.test");
  EXPECT_EQ(route("a@b.test", "d@x.test"), "default smtp:gw.test a@b.test");
  EXPECT_EQ(route("a@b.test", ""), "default null:gw.test a@b.test");
  EXPECT_EQ(route("a@relay.test", "s@x.test"), "relay relay:gw.test a@relay.test");
}

TEST_F(ResolverTest, ANullTransportIsAMistake) {
  set_up({{"default_transport", ":nexthop"}});
  EXPECT_EQ(route("a@b.test"), "later");
  ASSERT_EQ(log_.size(), 1U);
  EXPECT_THAT(log_[0],
              testing::EndsWith("main.cf: parameter default_transport: null transport is not allowed"));
}

// ---- transport_maps and relocated_maps
// ------------------------------------------------------------------------

TEST_F(ResolverTest, TransportTablesAreAskedFromTheAddressToTheStar) {
  set_up({{"recipient_delimiter", "+"},
          {"transport_maps", "inline:{u+x@t.test=t1:, u@t.test=t2:, t.test=t3:, .t.test=t4:, *=t5:}"}});
  EXPECT_EQ(route("u+x@t.test"), "default t1:t.test u+x@t.test");
  EXPECT_EQ(route("u+y@t.test"), "default t2:t.test u+y@t.test");
  EXPECT_EQ(route("v@t.test"), "default t3:t.test v@t.test");
  EXPECT_EQ(route("v@a.b.t.test"), "default t4:a.b.t.test v@a.b.t.test");
  EXPECT_EQ(route("v@site.test"), "local t5:site.test v@site.test");
  set_up({{"transport_maps", "inline:{t.test=t3:}"}, {"parent_domain_matches_subdomains", "transport_maps"}});
  EXPECT_EQ(route("v@a.t.test"), "default t3:a.t.test v@a.t.test");
}

TEST_F(ResolverTest, EmptyHalvesOfAnEntryKeepOrResetWhatIsSet) {
  set_up({{"relayhost", "gw.test"},
          {"transport_maps",
           "inline:{a.test=:, b.test=:nh, c.test=tr, d.test=tr:, e.test=tr:nh:25, "
           "f.test=error, g.test=retry:, {h.test=error:5.7.1 no}}"}});
  EXPECT_EQ(route("u@a.test"), "default smtp:gw.test u@a.test");
  EXPECT_EQ(route("u@b.test"), "default smtp:nh u@b.test");
  EXPECT_EQ(route("u@c.test"), "default tr:c.test u@c.test");
  EXPECT_EQ(route("u@d.test"), "default tr:d.test u@d.test");
  EXPECT_EQ(route("u@e.test"), "default tr:nh:25 u@e.test");
  EXPECT_EQ(route("u@f.test"), "default error:Address is undeliverable u@f.test");
  EXPECT_EQ(route("u@g.test"), "default retry:Address is undeliverable u@g.test");
  EXPECT_EQ(route("u@h.test"), "default error:5.7.1 no u@h.test");
}

TEST_F(ResolverTest, PatternsHaveNoSayInRoutes) {
  for (const char* parameter :
       {"transport_maps", "sender_dependent_default_transport_maps", "sender_dependent_relayhost_maps"}) {
    log_.clear();
    set_up({{parameter, "pcre:{{/^(.*)@/ x:$$1}}"}});
    EXPECT_EQ(route("a@else.test", "b@sender.test"), "default smtp:else.test a@else.test");
    EXPECT_THAT(log_, ElementsAre(testing::HasSubstr(
                          "regular expression substitution is not allowed: skipping this rule")));
  }
}

TEST_F(ResolverTest, TransportTablesDoNotReachAliasDomains) {
  set_up({{"virtual_alias_domains", "alias.test"}, {"transport_maps", "static:tr:nh"}});
  EXPECT_EQ(route("a@alias.test"),
            "virtual alias error:5.1.1 User unknown in virtual alias table a@alias.test");
  EXPECT_EQ(route("a@b.test"), "default tr:nh a@b.test");
}

TEST_F(ResolverTest, TheFinalAddressIsLookedUp) {
  set_up({{"transport_maps", "inline:{a@b.test=tr:}"}});
  EXPECT_EQ(route("a%b.test@site.test"), "default tr:b.test a@b.test");
}

TEST_F(ResolverTest, RelocatedUsersAreBounced) {
  set_up({{"recipient_delimiter", "+"},
          {"relocated_maps", "inline:{a@b.test=new@c.test, bob=gone, @d.test=dom}"},
          {"transport_maps", "inline:{b.test=tr:}"}});
  EXPECT_EQ(route("a+x@b.test"), "default error:5.1.6 User has moved to new@c.test a+x@b.test");
  EXPECT_EQ(route("bob@site.test"), "local error:5.1.6 User has moved to gone bob@site.test");
  EXPECT_EQ(route("bob@b.test"), "default tr:b.test bob@b.test");
  EXPECT_EQ(route("z@d.test"), "default error:5.1.6 User has moved to dom z@d.test");
}

TEST_F(ResolverTest, RelocatedTextsCanBeComplete) {
  set_up({{"relocated_prefix_enable", "no"},
          {"relocated_maps",
           "inline:{{a@b.test=5.7.1 gone}, {c@b.test=4.2.1 back soon}, d@b.test=elsewhere, "
           "{e@b.test=2.0.0 ok}}"}});
  EXPECT_EQ(route("a@b.test"), "default error:5.7.1 gone a@b.test");
  EXPECT_EQ(route("c@b.test"), "default error:4.2.1 back soon c@b.test");
  EXPECT_THAT(logged(), IsEmpty());
  EXPECT_EQ(route("d@b.test"), "default error:5.2.0 Mailbox is unavailable d@b.test");
  EXPECT_EQ(route("e@b.test"), "default error:5.2.0 Mailbox is unavailable e@b.test");
  EXPECT_EQ(logged().size(), 2U);
}

// ---- failures
// -------------------------------------------------------------------------------------------------

TEST_F(ResolverTest, TablesThatFailDeferMail) {
  for (std::string name :
       {"virtual_alias_domains", "virtual_mailbox_domains", "relay_domains", "transport_maps",
        "relocated_maps", "sender_dependent_relayhost_maps", "sender_dependent_default_transport_maps"}) {
    set_up({{name, "fail:maps"}});
    EXPECT_EQ(route("a@b.test"), "later") << name;
    EXPECT_THAT(logged(), Contains(name + " lookup failure"));
  }
  set_up({{"mydestination", "fail:maps"}});
  EXPECT_EQ(route("a@b.test"), "later");
}

TEST_F(ResolverTest, LocalMailDoesNotDependOnOtherClasses) {
  set_up({{"virtual_alias_domains", "fail:maps"}, {"relay_domains", "fail:maps"}});
  EXPECT_EQ(route("a@site.test"), "local local:mx.site.test a@site.test");
}

// ---- verification, explanations
// -------------------------------------------------------------------------------

TEST_F(ResolverTest, ProbesHaveTheirOwnRoutes) {
  set_up({{"relayhost", "gw.test"},
          {"address_verify_relayhost", ""},
          {"address_verify_local_transport", "probe:here"},
          {"address_verify_transport_maps", "inline:{v.test=vt:}"}});
  EXPECT_EQ(route("a@b.test", "", Purpose::delivery), "default smtp:gw.test a@b.test");
  EXPECT_EQ(route("a@b.test", "", Purpose::verification), "default smtp:b.test a@b.test");
  EXPECT_EQ(route("a@v.test", "", Purpose::verification), "default vt:v.test a@v.test");
  EXPECT_EQ(route("a@site.test", "", Purpose::verification), "local probe:here a@site.test");
}

std::vector<std::string> reasons(const Resolution& resolution) {
  std::vector<std::string> out;
  for (const Reason& r : resolution.because) {
    out.push_back(std::string(to_text(r.of)) + ": " + r.parameter + " [" + r.table + "] " + r.key);
  }
  return out;
}

TEST_F(ResolverTest, SaysWhatDecided) {
  set_up({{"relay_domains", "x.test, relay.test"},
          {"relayhost", "gw.test"},
          {"transport_maps", "inline:{a.relay.test=tr:}"},
          {"relocated_maps", "inline:{old@site.test=new}"}});
  EXPECT_THAT(reasons(resolve("u@a.relay.test")),
              ElementsAre("address class: relay_domains [relay.test] relay.test",
                          "transport: relay_transport [] ", "nexthop: relayhost [] ",
                          "transport table entry: transport_maps [inline:{a.relay.test=tr:}] a.relay.test"));
  EXPECT_THAT(
      reasons(resolve("old@site.test")),
      ElementsAre("address class: mydestination [site.test] site.test", "transport: local_transport [] ",
                  "relocated: relocated_maps [inline:{old@site.test=new}] old@site.test"));
  EXPECT_THAT(
      reasons(resolve("u@[192.0.2.25]")),
      ElementsAre("address class: inet_interfaces [] [192.0.2.25]", "transport: local_transport [] "));
  EXPECT_THAT(reasons(resolve("u")),
              ElementsAre("address class: myhostname [] ", "transport: local_transport [] "));
  EXPECT_EQ(resolve("u@a.relay.test").because[2].set_at, "-o option");
  EXPECT_EQ(resolve("u@a.relay.test").because[1].set_at, "built-in default");
}

TEST_F(ResolverTest, SaysWhichSenderTableDecided) {
  set_up({{"sender_dependent_default_transport_maps", "inline:{s@x.test=tr}"},
          {"sender_dependent_relayhost_maps", "inline:{s@x.test=gw}"}});
  EXPECT_THAT(
      reasons(resolve("a@b.test", "s@x.test")),
      ElementsAre("transport: sender_dependent_default_transport_maps [inline:{s@x.test=tr}] s@x.test",
                  "nexthop: sender_dependent_relayhost_maps [inline:{s@x.test=gw}] s@x.test"));
  EXPECT_THAT(reasons(resolve("a@b.test")), ElementsAre("transport: default_transport [] "));
}

TEST_F(ResolverTest, ExplainsOnRequestOnly) {
  set_up();
  EXPECT_TRUE(resolver_->resolve({.sender = "", .address = "a@b.test"}, Deadline::never()).because.empty());
}

}  // namespace
}  // namespace postrider::rewrite
