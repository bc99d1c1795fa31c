#include "local/destination.h"

#include <gtest/gtest.h>

namespace postrider::local {

void PrintTo(const Destination& d, std::ostream* out) {
  *out << static_cast<int>(d.kind) << ":" << d.text;
}

namespace {

using Kind = Destination::Kind;
using List = std::vector<Destination>;

TEST(ParseDestinations, TellsAddressesFilesCommandsAndIncludesApart) {
  EXPECT_EQ(parse_destinations(
                "alice, bob@site.test, /var/mail/x, \"|/bin/cmd one 'two three'\", :include:/etc/list"),
            (List{{Kind::address, "alice"},
                  {Kind::address, "bob@site.test"},
                  {Kind::file, "/var/mail/x"},
                  {Kind::command, "/bin/cmd one 'two three'"},
                  {Kind::include, "/etc/list"}}));
}

TEST(ParseDestinations, NeedsNoQuotesAroundASimpleCommand) {
  EXPECT_EQ(parse_destinations("|/bin/cmd"), (List{{Kind::command, "/bin/cmd"}}));
  EXPECT_EQ(parse_destinations("\"|/bin/cmd a\" , \"/file with blanks\""),
            (List{{Kind::command, "/bin/cmd a"}, {Kind::file, "/file with blanks"}}));
}

TEST(ParseDestinations, TakesTheWordIncludeInAnyCase) {
  EXPECT_EQ(parse_destinations(":Include:/x"), (List{{Kind::include, "/x"}}));
  EXPECT_EQ(parse_destinations("\":include:/with blank\""), (List{{Kind::include, "/with blank"}}));
}

TEST(ParseDestinations, KeepsAddressesQuoted) {
  EXPECT_EQ(parse_destinations("\"odd name\"@site.test"), (List{{Kind::address, "\"odd name\"@site.test"}}));
  EXPECT_EQ(parse_destinations("Full Name <user@site.test>"), (List{{Kind::address, "user@site.test"}}));
}

TEST(ParseDestinations, ABackslashProtectsNothing) {
  EXPECT_EQ(parse_destinations("\\alice"), (List{{Kind::address, "alice"}}));
}

TEST(ParseDestinations, LeavesOutWhatIsNoAddress) {
  EXPECT_EQ(parse_destinations(""), List{});
  EXPECT_EQ(parse_destinations("(only a comment)"), List{});
  EXPECT_EQ(parse_destinations(" , ,"), List{});
}

TEST(ParseDestinations, WhatBeginsWithATildeIsInAHomeDirectory) {
  EXPECT_EQ(parse_destinations("~/mbox, \"~/with blank\", ~user"),
            (List{{Kind::home, "~/mbox"}, {Kind::home, "~/with blank"}, {Kind::home, "~user"}}));
}

TEST(ParseDestinations, AnAtSignAloneIsNoAddressWithAnEmptyName) {
  EXPECT_EQ(parse_destinations("a>@, \"\"@"),
            (List{{Kind::address, "a"}, {Kind::address, "@"}, {Kind::address, "\"\"@"}}));
}

TEST(ParseDestinations, AnOpenQuoteTakesInTheLineEnd) {
  EXPECT_EQ(parse_destinations("\"alice\n"), (List{{Kind::address, "\"alice \""}}));
}

TEST(ParseDestinations, ARelativePathIsAnAddress) {
  EXPECT_EQ(parse_destinations("./file").front().kind, Kind::address);
}

}  // namespace
}  // namespace postrider::local
