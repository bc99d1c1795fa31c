// Canonical maps, masquerading and virtual aliases.
#include "base/text.h"
#include "support.h"

namespace postrider::cleanup {
namespace {

using MappingTest = CleanupTest;

Input mail_to(const std::string& recipient) {
  return Input::mail("joe@x", {recipient}, {"", "x"});
}

TEST_F(MappingTest, ExpandsVirtualAliasesOnceEach) {
  Outcome out = submit(
      "virtual_alias_maps = inline:{ { all@mx.example = ann, bob, ann } { bob@mx.example = bob, carol } }\n",
      Input::mail("joe", {"all", "ann"}, {"", "body"}));
  EXPECT_EQ(out.status.problems, 0U);
  EXPECT_EQ(out.envelope,
            "S:joe@mx.example R:ann@mx.example(all) R:bob@mx.example(all) R:carol@mx.example(all) "
            "R:ann@mx.example(ann)");
}

TEST_F(MappingTest, UnreasonableAliasesAreRefusedForNow) {
  std::string main_cf =
      "virtual_alias_recursion_limit = 10\nvirtual_alias_expansion_limit = "
      "3\nvirtual_alias_address_length_limit = 20\n"
      "virtual_alias_maps = inline:{ {a@x = b@x} {b@x = a@x} {big@x = a1@x, a2@x, a3@x, a4@x} {ok@x = a1@x, "
      "a2@x, a3@x}"
      " {long@x = aaaaaaaaaaaaaaaaaaaaa@x} }\n";
  for (std::string who : {"a@x", "big@x", "long@x"}) {
    Outcome out = submit(main_cf, mail_to(who));
    EXPECT_EQ(out.status.problems, static_cast<uint32_t>(proto::kProblemDefer)) << who;
    EXPECT_EQ(out.status.reason, "4.6.0 Alias expansion error");
    EXPECT_EQ(out.envelope, "");
  }
  EXPECT_TRUE(
      logged("unreasonable virtual_alias_maps map nesting for a@x -- message not accepted, try again later"));
  EXPECT_TRUE(logged("unreasonable virtual_alias_maps map expansion size for big@x -- "));
  EXPECT_TRUE(logged("unreasonable virtual_alias_maps result aaaaaaaaaaaaaaaaaaaaa@x... -- "));
  EXPECT_EQ(submit(main_cf, mail_to("ok@x")).status.problems, 0U);
}

TEST_F(MappingTest, ATableThatFailsRefusesTheMessageForNow) {
  Outcome out = submit("virtual_alias_maps = fail:x\n", mail_to("a@x"));
  EXPECT_EQ(out.status.problems, static_cast<uint32_t>(proto::kProblemWrite));
  EXPECT_TRUE(logged(
      out.id + ": virtual_alias_maps map lookup problem for a@x -- message not accepted, try again later"));
  out = submit("sender_canonical_maps = fail:x\n", Input::mail("", {"a@x"}, {"", "x"}));
  EXPECT_EQ(out.status.problems, static_cast<uint32_t>(proto::kProblemWrite));
  EXPECT_TRUE(logged(out.id + ": sender_canonical_maps map lookup problem for \"\" -- "));
}

TEST_F(MappingTest, MapsSendersByCanonicalAndMasquerade) {
  Outcome out = submit(
      "sender_canonical_maps = inline:{ joe@mx.example=Joe.User@host.example.org }\n"
      "masquerade_domains = example.org\n",
      Input::mail("joe", {"ann"}, {"From: joe", "", "x"}));
  EXPECT_EQ(out.envelope, "S:Joe.User@example.org R:ann@mx.example(ann)");
  EXPECT_EQ(out.content.substr(0, out.content.find('\n')), "From: Joe.User@example.org");
}

TEST_F(MappingTest, CanonicalMapsGoOnUntilNothingChanges) {
  std::string main_cf =
      "recipient_delimiter = +\nrecipient_canonical_maps = inline:{ {a@x=b@x} {b@x=c@x} {self@x=SELF@x} "
      "{loop@x=pool@x}"
      " {pool@x=loop@x} {two@x=d@x, e@x} {none@x=()} {q@x=\"q u\"@x} {cut@x=kept@x}}\n"
      "canonical_maps = inline:{ {c@x=d@x} {@old.example=@x} }\n";
  EXPECT_EQ(submit(main_cf, mail_to("a+e@x")).envelope, "S:joe@x R:d+e@x(a+e@x)");
  EXPECT_EQ(submit(main_cf, mail_to("self@x")).envelope, "S:joe@x R:SELF@x(self@x)");
  EXPECT_EQ(submit(main_cf, mail_to("any@old.example")).envelope, "S:joe@x R:any@x(any@old.example)");
  EXPECT_EQ(submit(main_cf, mail_to("q+e@x")).envelope, "S:joe@x R:q u+e@x(q+e@x)");
  // Accepted, with a warning.
  EXPECT_EQ(submit(main_cf, mail_to("loop@x")).envelope, "S:joe@x R:loop@x(loop@x)");
  EXPECT_TRUE(logged("unreasonable recipient_canonical_maps map nesting for loop@x"));
  EXPECT_EQ(submit(main_cf, mail_to("two@x")).envelope, "S:joe@x R:d@x(two@x)");
  EXPECT_TRUE(logged("multi-valued recipient_canonical_maps entry for two@x"));
  EXPECT_EQ(submit(main_cf, mail_to("none@x")).envelope, "");
  EXPECT_TRUE(logged("recipient_canonical_maps lookup of none@x returns non-address result \"()\""));
}

TEST_F(MappingTest, KeysAreQuotedWhereAddressesAre) {
  std::string tables =
      "pcre:{{/^i j@x$/ bad@x} {/^\"q u\"@x$/ good@x} {/^p@x$/ bad@x}}, inline:{ {a@x=bad@x} }\n";
  std::string main_cf = "canonical_maps = " + replace_all(tables, "$/", "$$/") + "myorigin = x\n";
  EXPECT_EQ(submit(main_cf, mail_to("q u@x")).envelope, "S:joe@x R:good@x(q u@x)");
  EXPECT_EQ(submit(main_cf, mail_to("i j@x")).envelope, "S:joe@x R:i j@x(i j@x)");
  // "a@x" is the localpart here.
  EXPECT_EQ(submit(main_cf, mail_to("a@x@x")).envelope, "S:joe@x R:a@x@x(a@x@x)");
}

TEST_F(MappingTest, ClassesSayWhereCanonicalMapsApply) {
  Input in = Input::mail("a@x", {"a@x"}, {"From: a@x", "To: a@x", "", ""});
  std::string map = "canonical_maps = inline:{{a@x=b@x}}\ncanonical_classes = ";
  auto first_lines = [](const Outcome& out) { return out.envelope + "\n" + out.content.substr(0, 18); };
  EXPECT_EQ(first_lines(submit(map + "envelope_sender, header_recipient\n", in)),
            "S:b@x R:a@x(a@x)\nFrom: a@x\nTo: b@x\n");
  EXPECT_EQ(first_lines(submit(map + "envelope_recipient header_sender\n", in)),
            "S:a@x R:b@x(a@x)\nFrom: b@x\nTo: a@x\n");
  EXPECT_EQ(first_lines(submit("canonical_maps = inline:{{a@x=b@x}}\n", in, proto::kCleanupFilter)),
            "S:a@x R:a@x(a@x)\nFrom: a@x\nTo: a@x\n");
}

TEST_F(MappingTest, MasqueradingHidesHosts) {
  std::string main_cf =
      "masquerade_domains = !keep.x, !!deep.x, x\nmasquerade_exceptions = root, inline:{listed=y}\n"
      "masquerade_classes = envelope_recipient\n";
  auto to = [&](const std::string& recipient) {
    std::string out = submit(main_cf, mail_to(recipient)).envelope;
    return out.substr(10, out.find('(') - 10);
  };
  EXPECT_EQ(to("a@h.X"), "a@x");
  EXPECT_EQ(to("a@x"), "a@x");
  EXPECT_EQ(to("a@h.keep.x"), "a@h.keep.x");
  EXPECT_EQ(to("a@keep.x"), "a@keep.x");
  EXPECT_EQ(to("a@h.deep.x"), "a@deep.x");
  EXPECT_EQ(to("a@hx"), "a@hx");
  EXPECT_EQ(to("ROOT@h.x"), "ROOT@h.x");
  EXPECT_EQ(to("listed@h.x"), "listed@h.x");
}

}  // namespace
}  // namespace postrider::cleanup
