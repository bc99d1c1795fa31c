#include "tools/sendmail/options.h"

#include <list>

#include <gtest/gtest.h>

#include "maildrop/submission.h"
#include "queue/record.h"

namespace postrider::sendmail {
namespace {

struct Parsed {
  Result<CommandLine> line = CommandLine();
  std::vector<std::string> warnings;
};

/// As main() gets them. They stay: getopt(3) remembers where in them it was.
std::vector<char*> arguments(std::vector<std::string> words) {
  static std::list<std::string> kept;
  kept.emplace_back("sendmail");
  std::vector<char*> argv{kept.back().data()};
  for (std::string& word : words) {
    kept.push_back(std::move(word));
    argv.push_back(kept.back().data());
  }
  argv.push_back(nullptr);
  return argv;
}

Parsed parse(std::vector<std::string> words, Mode mode = Mode::enqueue) {
  std::vector<char*> argv = arguments(std::move(words));
  Parsed out;
  Rules rules{.default_verp_delimiters = "+=", .verp_delimiter_filter = "-=+"};
  out.line = parse_command_line(static_cast<int>(argv.size()) - 1, argv.data(), mode, rules,
                                [&](const std::string& text) { out.warnings.push_back(text); });
  return out;
}

CommandLine good(std::vector<std::string> words) {
  Parsed parsed = parse(std::move(words));
  EXPECT_TRUE(parsed.line) << parsed.line.error().text;
  EXPECT_TRUE(parsed.warnings.empty());
  return parsed.line.value_or(CommandLine());
}

std::string refusal(std::vector<std::string> words) {
  Parsed parsed = parse(std::move(words));
  return parsed.line ? "" : parsed.line.error().text;
}

TEST(SendmailOptions, EndAtTheFirstRecipient) {
  CommandLine line = good({"bob", "-f", "joe"});
  EXPECT_FALSE(line.sender);
  EXPECT_EQ(line.recipients, (std::vector<std::string>{"bob", "-f", "joe"}));
}

TEST(SendmailOptions, TakeSenderNameAndRecipients) {
  CommandLine line = good({"-oi", "-fjoe@example.com", "-F", "Joe Smith", "ann", "bob"});
  EXPECT_EQ(line.sender, "joe@example.com");
  EXPECT_EQ(line.full_name, "Joe Smith");
  EXPECT_FALSE(line.dot_ends_input);
  EXPECT_EQ(line.recipients, (std::vector<std::string>{"ann", "bob"}));
}

TEST(SendmailOptions, EmptySenderIsNotTheSameAsNone) {
  EXPECT_EQ(good({"-f", "", "bob"}).sender, "");
  EXPECT_FALSE(good({"bob"}).sender);
}

TEST(SendmailOptions, DsnOptions) {
  CommandLine line = good({"-V", "env 1", "-R", "hdrs", "-N", "failure,Delay", "bob"});
  EXPECT_EQ(line.envelope_id, "env 1");
  EXPECT_EQ(line.ret, 2);
  EXPECT_EQ(line.notify, 12U);
}

TEST(SendmailOptions, BadDsnValuesAreIgnoredWithAWarning) {
  Parsed parsed = parse({"-N", "sometimes", "-R", "some", "-V", std::string(101, 'a'), "bob"});
  ASSERT_TRUE(parsed.line);
  EXPECT_EQ(parsed.warnings,
            (std::vector<std::string>{"unknown DSN NOTIFY command value \"sometimes\" in \"sometimes\"",
                                      "bad -N option value -- ignored", "bad -R option value -- ignored",
                                      "too long -V option value -- ignored"}));
  EXPECT_EQ(parse({"-N", "never,success", "bob"}).warnings,
            std::vector<std::string>{"bad -N option value -- ignored"});
}

TEST(SendmailOptions, AnEnvelopeIdIsNotEmpty) {
  Parsed parsed = parse({"-V", "", "bob"});
  EXPECT_EQ(parsed.warnings, std::vector<std::string>{"bad syntax in -V option value -- ignored"});
}

TEST(SendmailOptions, VerboseOnceMeansADeliveryReport) {
  EXPECT_EQ(good({"-v", "bob"}).trace_flags, maildrop::kTraceRecord);
  EXPECT_EQ(good({"-v", "-v", "bob"}).trace_flags, 0);
  EXPECT_EQ(good({"-bv", "bob"}).trace_flags, maildrop::kTraceVerifyOnly);
}

TEST(SendmailOptions, VerpDelimiters) {
  EXPECT_EQ(good({"-XV", "bob"}).verp_delimiters, "+=");
  EXPECT_EQ(good({"-XV-=", "bob"}).verp_delimiters, "-=");
  EXPECT_EQ(refusal({"-XVab", "bob"}), "-V requires two characters from -=+");
  Parsed old = parse({"-V+=", "bob"});
  EXPECT_EQ(old.line->verp_delimiters, "+=");
  EXPECT_EQ(old.warnings.size(), 1U);
  Parsed bare = parse({"-V", "-t"});
  EXPECT_EQ(bare.line->verp_delimiters, "+=");
  EXPECT_TRUE(bare.line->recipients_from_header);
}

TEST(SendmailOptions, SendOptionsIgnoreCaseAndOtherNames) {
  EXPECT_EQ(good({"-O", "SMTPUTF8=Yes", "-O", "requiretls=yes", "bob"}).send_options,
            queue::kSmtputf8Requested | queue::kRequireTls);
  EXPECT_EQ(good({"-Osmtputf8=yes", "-Osmtputf8=no", "-OTimeout.queuereturn=5d", "bob"}).send_options, 0);
}

TEST(SendmailOptions, ModesAndNames) {
  EXPECT_EQ(good({"-bp"}).mode, Mode::list_queue);
  EXPECT_EQ(good({"-q"}).mode, Mode::flush_queue);
  EXPECT_EQ(good({"-bi"}).mode, Mode::aliases);
  EXPECT_EQ(good({"-bs"}).mode, Mode::smtp);
  EXPECT_EQ(good({"-bd", "-q30m"}).mode, Mode::daemon);
  EXPECT_EQ(good({"-q30m", "bob"}).mode, Mode::nothing);
  EXPECT_EQ(mode_of_name("mailq"), Mode::list_queue);
  EXPECT_EQ(mode_of_name("newaliases"), Mode::aliases);
  EXPECT_EQ(mode_of_name("anything"), Mode::enqueue);
}

TEST(SendmailOptions, RefusesWhatCannotBeMeant) {
  EXPECT_EQ(refusal({"-n", "bob"}), "-n option not supported");
  EXPECT_EQ(refusal({"-B9", "bob"}), "-B option needs 8BITMIME or 7BIT");
  EXPECT_EQ(refusal({"-X/tmp/log", "bob"}), "unsupported: -X/");
  EXPECT_EQ(refusal({"-bz"}), "unsupported: -bz");
  EXPECT_EQ(refusal({"-qx"}), "-qx is not implemented");
  EXPECT_EQ(refusal({"-qR"}), "specify: -qRsitename");
  EXPECT_EQ(refusal({"-t", "-bv"}), "-t option cannot be used with -bv");
  EXPECT_EQ(refusal({"-bv", "-N", "never", "bob"}), "-N option cannot be used with -bv");
  EXPECT_EQ(refusal({"-bp", "bob"}), "display queue mode requires no recipient");
  EXPECT_EQ(refusal({"-qRexample.com", "bob"}), "flush site requires no recipient");
  EXPECT_EQ(refusal({"-oA"}), "-oA requires pathname");
}

TEST(SendmailOptions, ConfigDirectoryMayNameMainCf) {
  auto directory = [](std::vector<std::string> words) {
    std::vector<char*> argv = arguments(std::move(words));
    return find_config_directory(static_cast<int>(argv.size()) - 1, argv.data());
  };
  EXPECT_EQ(directory({"-q", "-oi", "-C", "/etc/other/main.cf", "bob"}), "/etc/other");
  EXPECT_EQ(directory({"-C/etc/other", "bob"}), "/etc/other");
  EXPECT_EQ(directory({"bob", "-C", "/etc/other"}), "");
}

}  // namespace
}  // namespace postrider::sendmail
