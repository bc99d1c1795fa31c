#include "pipe/attributes.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "sys/file.h"

namespace postrider::pipe {
namespace {

class AttributesTest : public testing::Test {
 protected:
  AttributesTest() : directory_(sys::make_private_directory().value()) {
    std::ofstream(directory_ + "/main.cf") << "compatibility_level = 3.11\nfilter_time_limit = 7s\n";
  }
  ~AttributesTest() override { std::filesystem::remove_all(directory_); }

  Attributes parse(const std::vector<std::string>& words) const {
    config::LoadOptions options;
    options.directory = directory_;
    // Without root no user has to exist.
    return parse_attributes(config::Config::load(options).value(), "filter", words, true);
  }
  std::string problem(const std::vector<std::string>& words) const {
    try {
      (void)parse(words);
      return "none";
    } catch (const config::ConfigError& error) {
      return error.what();
    }
  }

  std::string directory_;
};

TEST_F(AttributesTest, ReadsEverything) {
  Attributes out = parse({"flags=BDFORXhqu.>", "user=filter", "directory=/d", "chroot=/r", "eol=\\r\\n",
                          "null_sender=", "size=100", "argv=/bin/cmd", "user=x", "-f"});
  EXPECT_EQ(out.argv, (std::vector<std::string>{"/bin/cmd", "user=x", "-f"}));
  EXPECT_EQ(out.directory, "/d");
  EXPECT_EQ(out.root, "/r");
  EXPECT_EQ(out.null_sender, "");
  EXPECT_EQ(out.size_limit, 100);
  EXPECT_EQ(out.format.line_end, "\r\n");
  EXPECT_TRUE(out.format.blank_line_at_end && out.format.delivered_to && out.format.from_line &&
              out.format.original_to && out.format.return_path && out.format.stuff_dots &&
              out.format.quote_from);
  EXPECT_TRUE(out.final_delivery && out.addresses.fold_domain && out.addresses.fold_localpart &&
              out.addresses.quote);
  EXPECT_EQ(out.time_limit, seconds(7));
}

TEST_F(AttributesTest, WithoutFlagsAMessageIsCopiedUnchanged) {
  Attributes out = parse({"user=filter", "argv=cmd"});
  EXPECT_FALSE(out.format.blank_line_at_end || out.format.delivered_to || out.format.from_line ||
               out.format.original_to || out.format.return_path || out.format.stuff_dots ||
               out.format.quote_from);
  EXPECT_EQ(out.null_sender, "MAILER-DAEMON");
}

TEST_F(AttributesTest, SaysWhatIsMissingOrWrong) {
  EXPECT_EQ(problem({"argv=cmd"}), "missing user= command-line attribute");
  EXPECT_EQ(problem({"user=x"}), "missing argv= command-line attribute");
  EXPECT_EQ(problem({"user=x", "foo=bar", "argv=cmd"}), "unknown attribute name: foo=bar");
  EXPECT_EQ(problem({"flags=Z", "user=x", "argv=cmd"}), "unknown flag: Z (ignored)");
  EXPECT_EQ(problem({"size=abc", "user=x", "argv=cmd"}), "get_service_attr: bad size= value: abc");
}

}  // namespace
}  // namespace postrider::pipe
