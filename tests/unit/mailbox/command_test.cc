#include "mailbox/command.h"

#include <cstdlib>

#include <gmock/gmock.h>

namespace postrider::mailbox {
namespace {

using testing::ElementsAre;

mail::DeliveryStatus status_of(RunEnd end, int number, std::string_view output = "") {
  RunResult result;
  result.reply.end = end;
  result.reply.number = number;
  result.reply.output = output;
  return command_status(result, "prog arg", "local");
}

TEST(CommandStatus, FollowsSysexits) {
  EXPECT_TRUE(status_of(RunEnd::exited, 0).status.is_success());
  mail::DeliveryStatus unknown = status_of(RunEnd::exited, 67);
  EXPECT_EQ(unknown.status.text(), "5.1.1");
  EXPECT_EQ(unknown.reason, "user unknown");
  EXPECT_EQ(unknown.diagnostic_type, "x-unix");
  EXPECT_EQ(unknown.diagnostic_text, "user unknown");
  EXPECT_EQ(status_of(RunEnd::exited, 75).status.text(), "4.3.0");
  EXPECT_EQ(status_of(RunEnd::exited, 69, "going down\n").reason,
            "service unavailable. Command output: going down ");
  mail::DeliveryStatus other = status_of(RunEnd::exited, 1);
  EXPECT_EQ(other.status.text(), "5.3.0");
  EXPECT_EQ(other.reason, "Command died with status 1: \"prog arg\"");
  EXPECT_EQ(other.diagnostic_text, "unknown mail system error 1");
}

TEST(CommandStatus, AStatusCodeInTheOutputWins) {
  mail::DeliveryStatus later = status_of(RunEnd::exited, 1, "4.2.3 come back\n");
  EXPECT_EQ(later.status.text(), "4.2.3");
  EXPECT_EQ(later.reason, "come back ");
  EXPECT_EQ(status_of(RunEnd::exited, 69, "5.1.1").reason, "");
  // A failure that claims success is a failure.
  EXPECT_EQ(status_of(RunEnd::exited, 69, "2.0.0 fine").status.text(), "5.0.0");
  EXPECT_TRUE(status_of(RunEnd::exited, 0, "5.1.1 no").status.is_success());
}

TEST(CommandStatus, SignalsDeferAndTheTimeLimitBounces) {
  mail::DeliveryStatus killed = status_of(RunEnd::killed, 9);
  EXPECT_EQ(killed.status.text(), "4.3.0");
  EXPECT_EQ(killed.reason, "Command died with signal 9: \"prog arg\"");
  mail::DeliveryStatus slow = status_of(RunEnd::timed_out, 0, "partial");
  EXPECT_EQ(slow.status.text(), "5.3.0");
  EXPECT_EQ(slow.reason, "Command time limit exceeded: \"prog arg\". Command output: partial");
}

TEST(CommandStatus, ACommandThatCannotBeStartedDefers) {
  RunResult result;
  result.reply.end = RunEnd::not_started;
  result.reply.error = "execvp /no/such: No such file or directory";
  mail::DeliveryStatus out = command_status(result, "/no/such", "local");
  EXPECT_EQ(out.status.text(), "4.3.0");
  EXPECT_EQ(out.reason,
            "temporary failure. Command output: local: fatal: execvp /no/such: No such file or directory ");
}

TEST(CommandStatus, OutputIsMadePrintable) {
  EXPECT_EQ(status_of(RunEnd::exited, 65, "a\001b\303\244c\r\n\tz").reason,
            "data format error. Command output: a_b\303\244c_  z");
}

TEST(SetCommand, UsesAShellOnlyForItsCharacters) {
  RunRequest request;
  set_command(request, "/usr/bin/prog -a  b", "");
  EXPECT_THAT(request.argv, ElementsAre("/usr/bin/prog", "-a", "b"));
  set_command(request, "prog | other", "");
  EXPECT_TRUE(request.argv.empty());
  EXPECT_EQ(request.shell_command, "prog | other");
  set_command(request, "prog | other", "/bin/smrsh -c");
  EXPECT_THAT(request.argv, ElementsAre("/bin/smrsh", "-c", "prog | other"));
  EXPECT_TRUE(request.shell_command.empty());
  set_command(request, "  ", "");
  EXPECT_TRUE(request.argv.empty());
}

TEST(Censored, ReplacesWhatAShellCouldMistake) {
  EXPECT_EQ(censored("a$(b)\303\244;c", "abc"), "a__b____c");
}

TEST(ExportedEnvironment, TakesValuesOfThisProcessAndGivenOnes) {
  ASSERT_EQ(setenv("POSTRIDER_TEST_NAME", "value", 1), 0);
  EXPECT_THAT(
      exported_environment("POSTRIDER_TEST_NAME, LANG=C {WITH=a b} { X = y z } POSTRIDER_TEST_ABSENT"),
      ElementsAre("POSTRIDER_TEST_NAME=value", "LANG=C", "WITH=a b", "X=y z"));
}

}  // namespace
}  // namespace postrider::mailbox
