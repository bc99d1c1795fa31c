#include "mailbox/runner.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <cerrno>

#include "io/loop.h"
#include "mailbox/command.h"
#include "support.h"
#include "sys/socket.h"

namespace postrider::mailbox {
namespace {

class RunnerTest : public WithDirectory {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);
    runner_ = Runner::start({}).value();
  }

  RunResult run(std::string_view command, std::string_view input = "", int64_t limit = 30) {
    RunRequest request = shell(command);
    request.time_limit = limit;
    return run(std::move(request), input);
  }
  static RunRequest shell(std::string_view command) {
    RunRequest request;
    set_command(request, command, "");
    request.environment.emplace_back("PATH=/usr/bin:/bin");
    return request;
  }
  RunResult run(RunRequest request, std::string_view input) {
    RunResult out;
    io::run_with_loop([&] {
      auto result =
          runner_->run(std::move(request), [&](const Sink& sink) -> std::expected<void, CopyFailure> {
            auto written = sink(input);
            if (!written) return std::unexpected(CopyFailure{CopyStep::write, written.error()});
            return {};
          });
      ASSERT_TRUE(result) << result.error().text;
      out = std::move(*result);
      runner_.reset();
    });
    return out;
  }

  std::unique_ptr<Runner> runner_;
};

TEST_F(RunnerTest, FeedsTheCommandAndCapturesBothOutputs) {
  RunResult out = run("cat; echo error >&2; exit 3", "hello\n");
  EXPECT_EQ(out.reply.end, RunEnd::exited);
  EXPECT_EQ(out.reply.number, 3);
  EXPECT_EQ(out.reply.output, "hello\nerror\n");
}

TEST_F(RunnerTest, LargeInputAndOutputDoNotBlockEachOther) {
  std::string input(1'000'000, 'x');
  RunResult out = run("cat; echo done >" + path("done"), input);
  EXPECT_EQ(out.reply.end, RunEnd::exited);
  EXPECT_EQ(out.reply.number, 0);
  EXPECT_EQ(out.reply.output, std::string(kMaxCommandOutput, 'x'));
  EXPECT_EQ(content(path("done")), "done\n");
}

TEST_F(RunnerTest, ACommandThatReadsNothingIsNoFailure) {
  RunResult out = run("exit 0", std::string(1'000'000, 'x'));
  EXPECT_EQ(out.reply.end, RunEnd::exited);
  ASSERT_TRUE(out.input);
  EXPECT_EQ(out.input->error.code, EPIPE);
  EXPECT_TRUE(command_status(out, "exit 0", "local").status.is_success());
}

TEST_F(RunnerTest, KillsTheWholeGroupWhenTheTimeIsUp) {
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  auto fifo = sys::open_file(path("fifo"), O_RDONLY | O_NONBLOCK).value();
  RunResult out = run("echo started; sleep 1000 >" + path("fifo") + " & sleep 1000", "", 1);
  EXPECT_EQ(out.reply.end, RunEnd::timed_out);
  EXPECT_EQ(out.reply.output, "started\n");
  EXPECT_FALSE(out.reply.output_closed);
  // The end of the FIFO is the end of the process in the background.
  (void)sys::set_nonblocking(fifo.get(), false);
  EXPECT_EQ(sys::read_all(fifo.get(), 100).value(), "");
}

TEST_F(RunnerTest, TellsInputThatWasNotTakenInTime) {
  RunResult out = run("sleep 1000", std::string(1'000'000, 'x'), 1);
  EXPECT_EQ(out.reply.end, RunEnd::timed_out);
  EXPECT_TRUE(out.input_timed_out);
}

TEST_F(RunnerTest, WaitsForACommandThatHasClosedItsOutput) {
  RunResult out = run("exec >&- 2>&-; sleep 0.1; exit 5");
  EXPECT_EQ(out.reply.end, RunEnd::exited);
  EXPECT_EQ(out.reply.number, 5);
}

TEST_F(RunnerTest, ReportsASignal) {
  RunResult out = run("kill -9 $$");
  EXPECT_EQ(out.reply.end, RunEnd::killed);
  EXPECT_EQ(out.reply.number, SIGKILL);
}

TEST_F(RunnerTest, RunsPlainCommandsWithoutAShell) {
  RunResult out = run("cat /proc/self/cmdline");
  EXPECT_EQ(std::string_view(out.reply.output), std::string_view("cat\0/proc/self/cmdline\0", 23));
}

TEST_F(RunnerTest, FallsBackToTheShellForItsOwnCommands) {
  EXPECT_EQ(run("exit 7").reply.number, 7);
}

TEST_F(RunnerTest, SaysWhyAProgramCannotBeExecuted) {
  RunResult out = run("/nonexistent/program arg");
  EXPECT_EQ(out.reply.end, RunEnd::not_started);
  EXPECT_EQ(out.reply.number, ENOENT);
  EXPECT_EQ(out.reply.error, "execvp /nonexistent/program: No such file or directory");
}

TEST_F(RunnerTest, SaysWhenTheDirectoryCannotBeEntered) {
  RunRequest request = shell("pwd");
  request.directory = path("none");
  RunResult out = run(std::move(request), "");
  EXPECT_EQ(out.reply.end, RunEnd::not_prepared);
  EXPECT_EQ(out.reply.error, "cannot change directory to \"" + path("none") +
                                 "\" for uid=" + std::to_string(geteuid()) +
                                 " gid=" + std::to_string(getegid()) + ": No such file or directory");
}

TEST_F(RunnerTest, WithoutAShellTheReportNamesTheStep) {
  RunRequest request = shell("");
  request.shell_command.clear();
  request.argv.emplace_back("nosuchprogram");
  EXPECT_EQ(run(std::move(request), "").reply.error,
            "pipe_command: execvp nosuchprogram: No such file or directory");
}

TEST_F(RunnerTest, GivesAConnectionToACommand) {
  sys::SocketPair pair = sys::make_socket_pair(SOCK_STREAM).value();
  ASSERT_TRUE(sys::write_all(pair.first.get(), "a question\n"));
  RunReply reply;
  io::run_with_loop([&] {
    auto result =
        runner_->run_connected(shell("read line; echo \"answer to $line\"; exit 3"), pair.second.get());
    ASSERT_TRUE(result) << result.error().text;
    reply = *result;
  });
  EXPECT_EQ(reply.end, RunEnd::exited);
  EXPECT_EQ(reply.number, 3);
  pair.second.reset();
  EXPECT_EQ(sys::read_all(pair.first.get(), 1000).value(), "answer to a question\n");
}

TEST_F(RunnerTest, RunsCommandsAsNobodyElseThanAgreed) {
  runner_ = Runner::start({.only_as = Identity{1234, 1234}}).value();
  RunRequest request = shell("true");
  request.switch_user = true;
  request.uid = request.gid = 4321;
  RunResult out = run(std::move(request), "");
  EXPECT_EQ(out.reply.end, RunEnd::not_prepared);
  EXPECT_EQ(out.reply.error, "refused to run a command as another user");
}

TEST_F(RunnerTest, RunsScriptsWithoutAnInterpreterLine) {
  write(path("script"), "echo \"script $1\"\n");
  std::filesystem::permissions(path("script"), std::filesystem::perms::owner_all);
  EXPECT_EQ(run(path("script") + " word").reply.output, "script word\n");
}

TEST_F(RunnerTest, HasOnlyTheEnvironmentAndDirectoryThatItIsGiven) {
  RunRequest request = shell("echo $NAME; pwd; env | grep -c = ; ls /proc/self/fd | wc -l");
  request.environment.emplace_back("NAME=a b");
  request.directory = "/usr";
  // PATH, NAME and PWD; descriptors 0 to 2 and that of the directory.
  EXPECT_EQ(run(std::move(request), "").reply.output, "a b\n/usr\n3\n4\n");
}

TEST_F(RunnerTest, NeverSwitchesToRoot) {
  RunRequest request = shell("id -u");
  request.switch_user = true;
  request.uid = 0;
  request.gid = 100;
  RunResult out = run(std::move(request), "");
  EXPECT_EQ(out.reply.end, RunEnd::not_prepared);
  EXPECT_EQ(out.reply.error, "refused to run a command as root");
}

TEST_F(RunnerTest, RunsOneCommandAfterTheOther) {
  io::run_with_loop([&] {
    for (int i = 0; i < 5; ++i) {
      RunRequest request = shell("echo " + std::to_string(i));
      auto out =
          runner_->run(std::move(request), [](const Sink&) { return std::expected<void, CopyFailure>(); });
      ASSERT_TRUE(out);
      EXPECT_EQ(out->reply.output, std::to_string(i) + "\n");
    }
    runner_.reset();
  });
}

TEST(RunnerLimits, CommandsCannotWriteLargeFiles) {
  auto runner = Runner::start({.file_size_limit = 1000}).value();
  std::string directory = sys::make_private_directory().value();
  io::run_with_loop([&] {
    RunRequest request;
    set_command(request, "head -c 5000 /dev/zero > " + directory + "/file", "");
    request.environment.emplace_back("PATH=/usr/bin:/bin");
    auto out =
        runner->run(std::move(request), [](const Sink&) { return std::expected<void, CopyFailure>(); });
    ASSERT_TRUE(out);
    EXPECT_NE(out->reply.number, 0);
    EXPECT_EQ(std::filesystem::file_size(directory + "/file"), 1000U);
    runner.reset();
  });
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace postrider::mailbox
