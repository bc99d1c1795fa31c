#include "pipe/arguments.h"

#include <gtest/gtest.h>

namespace postrider::pipe {
namespace {

using Words = std::vector<std::string>;

class ArgumentsTest : public testing::Test {
 protected:
  ArgumentsTest() {
    attributes_.service = "filter";
    attributes_.recipient_delimiter = "+";
    request_.sender = "Joe@Sender.test";
    request_.nexthop = "Next.Test";
    request_.data_size = 1234;
    request_.queue_id = "ABC";
    request_.dsn_envid = "env id";
    add("Ann+Ext@Dest.test", "all@Dest.test");
  }
  void add(std::string_view address, std::string_view original) {
    proto::DeliveryRecipient recipient;
    recipient.address = address;
    recipient.original = original;
    request_.recipients.push_back(std::move(recipient));
  }
  Words expand(Words argv) {
    attributes_.argv = std::move(argv);
    return expand_arguments(attributes_, request_).value();
  }

  Attributes attributes_;
  proto::DeliverRequest request_;
};

TEST_F(ArgumentsTest, ExpandsWhatIsKnownOfTheMessage) {
  EXPECT_EQ(expand({"cmd", "-f", "${sender}", "$nexthop", "$(size)", "${queue_id}", "${envid}", "$$"}),
            (Words{"cmd", "-f", "Joe@Sender.test", "Next.Test", "1234", "ABC", "env id", "$"}));
}

TEST_F(ArgumentsTest, AnArgumentWithARecipientComesOnceForEach) {
  add("bea@dest.test", "");
  EXPECT_EQ(expand({"cmd", "to=${recipient}", "--", "${user}/${extension}@${domain}", "${mailbox}"}),
            (Words{"cmd", "to=Ann+Ext@Dest.test", "to=bea@dest.test", "--", "Ann/Ext@Dest.test",
                   "bea/@dest.test", "Ann+Ext", "bea"}));
}

TEST_F(ArgumentsTest, FoldsAndQuotesAsTheFlagsSay) {
  request_.recipients[0].address = "Two Words@Dest.test";
  EXPECT_EQ(expand({"${recipient}", "${user}"}), (Words{"Two Words@Dest.test", "Two Words"}));
  attributes_.addresses = {.fold_domain = true, .fold_localpart = true, .quote = true};
  EXPECT_EQ(expand({"${recipient}", "${user}", "${domain}", "${nexthop}", "${sender}"}),
            (Words{"\"two words\"@dest.test", "two words", "dest.test", "next.test", "Joe@Sender.test"}));
}

TEST_F(ArgumentsTest, ReplacesTheNullSender) {
  request_.sender = "";
  EXPECT_EQ(expand({"-f", "${sender}"}), (Words{"-f", "MAILER-DAEMON"}));
  attributes_.null_sender = "";
  attributes_.addresses.quote = true;
  EXPECT_EQ(expand({"-f", "${sender}"}), (Words{"-f", ""}));
}

TEST_F(ArgumentsTest, AUserOfNoNameMakesNoArgument) {
  request_.recipients[0].address = "@dest.test";
  EXPECT_EQ(expand({"cmd", "${user}", "${recipient}"}), (Words{"cmd", "@dest.test"}));
}

TEST_F(ArgumentsTest, RefusesNamesThatThereAreNot) {
  for (const char* argument : {"${nosuch}", "${extension?{x}:{y}}", "$(user:z)"}) {
    attributes_.argv = {"cmd", argument};
    auto expanded = expand_arguments(attributes_, request_);
    ASSERT_FALSE(expanded) << argument;
    EXPECT_TRUE(expanded.error().text.starts_with("service filter: unknown macro name: \""))
        << expanded.error().text;
  }
}

}  // namespace
}  // namespace postrider::pipe
