#include "mailbox/mbox.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "mailbox/failure.h"
#include "support.h"

namespace postrider::mailbox {
namespace {

class Mbox : public WithDirectory {
 protected:
  MboxTarget target(const std::string& name) {
    MboxTarget out;
    out.path = path(name);
    out.locks = {
        .methods = {.flock = false, .fcntl = true, .dotlock = true}, .attempts = 1, .delay = seconds(0)};
    out.open_as = out.write_as = self();
    out.required_owner = self().uid;
    return out;
  }
  MboxOutcome deliver(const MboxTarget& target, std::string_view text = "Subject: x\n\nbody\n") {
    MemoryMessage memory(text);
    return append_to_mbox(memory.message(), target);
  }
};

TEST_F(Mbox, AppendsAndSaysWhereTheMessageBegins) {
  MboxOutcome first = deliver(target("box")), second = deliver(target("box"));
  EXPECT_TRUE(first.status.status.is_success());
  EXPECT_EQ(first.start, 0);
  EXPECT_TRUE(second.status.status.is_success());
  std::string text = content(path("box"));
  EXPECT_EQ(static_cast<size_t>(second.start) * 2, text.size());
  EXPECT_TRUE(text.ends_with("body\n\n"));
  struct stat st{};
  ASSERT_EQ(stat(path("box").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600U);
  EXPECT_FALSE(sys::exists(path("box.lock")));
}

TEST_F(Mbox, BeyondTheLimitItHasItsOldSizeAgainAndBounces) {
  write(path("box"), "old content\n");
  MboxTarget limited = target("box");
  limited.size_limit = 100;
  MboxOutcome out = deliver(limited, std::string(200, 'x') + "\n");
  EXPECT_EQ(out.status.status.text(), "5.2.2");
  EXPECT_EQ(out.status.reason, "error writing message: File too large");
  EXPECT_EQ(out.status.diagnostic_text, "input/output error");
  EXPECT_EQ(content(path("box")), "old content\n");
  EXPECT_FALSE(sys::exists(path("box.lock")));
}

TEST_F(Mbox, ADamagedMessageLeavesNothingBehindAndDefers) {
  write(path("box"), "old\n");
  MemoryMessage memory(std::string(200'000, 'x'));
  memory.damage();
  MboxOutcome out = append_to_mbox(memory.message(), target("box"));
  EXPECT_TRUE(out.status.status.is_temporary());
  EXPECT_EQ(content(path("box")), "old\n");
}

TEST_F(Mbox, ALockFileOfSomebodyElseDefers) {
  write(path("box.lock"), "");
  MboxOutcome out = deliver(target("box"));
  EXPECT_EQ(out.status.status.text(), "4.2.0");
  EXPECT_EQ(out.status.reason, "unable to create lock file " + path("box.lock") + ": File exists");
  EXPECT_TRUE(sys::exists(path("box.lock")));
}

TEST_F(Mbox, ALockOnTheFileDefers) {
  write(path("box"), "");
  // flock() belongs to the open file, so the same process can be in its own way.
  auto other = sys::open_file(path("box"), O_WRONLY).value();
  ASSERT_TRUE(sys::flock_exclusive(other.get(), false));
  MboxTarget flocked = target("box");
  flocked.locks.methods = {.flock = true};
  MboxOutcome out = deliver(flocked);
  EXPECT_EQ(out.status.status.text(), "4.2.0");
  EXPECT_EQ(out.status.reason, "unable to lock for exclusive access: Resource temporarily unavailable");
}

TEST_F(Mbox, RefusesLinksAndDirectories) {
  write(path("real"), "");
  std::filesystem::create_symlink(path("real"), path("soft"));
  std::filesystem::create_hard_link(path("real"), path("hard"));
  std::filesystem::create_directory(path("directory"));
  // Root's own links would be trusted in a directory that only root can change.
  ASSERT_EQ(chmod(directory_.c_str(), 0770), 0);
  EXPECT_EQ(deliver(target("hard")).status.reason, "file has 2 hard links");
  std::filesystem::remove(path("hard"));
  MboxOutcome soft = deliver(target("soft"));
  EXPECT_EQ(soft.status.reason, "file is a symbolic link");
  EXPECT_EQ(soft.status.status.text(), "5.2.0");
  EXPECT_EQ(deliver(target("directory")).status.reason, "cannot open file: Is a directory");
  EXPECT_EQ(content(path("real")), "");
}

TEST_F(Mbox, AMailboxOfAnotherOwnerDefers) {
  write(path("box"), "");
  MboxTarget other = target("box");
  other.required_owner = self().uid + 1;
  MboxOutcome out = deliver(other);
  EXPECT_EQ(out.status.status.text(), "4.2.0");
  EXPECT_EQ(out.status.reason, "destination " + path("box") + " is not owned by recipient");
}

TEST_F(Mbox, AFileThatIsNoMailboxMayBeADeviceButNoExecutable) {
  MboxTarget null = target("box");
  null.path = "/dev/null";
  EXPECT_EQ(deliver(null).status.reason, "destination /dev/null is not a regular file");
  null.mailbox = false;
  null.required_owner.reset();
  EXPECT_TRUE(deliver(null).status.status.is_success());
  write(path("program"), "");
  ASSERT_EQ(chmod(path("program").c_str(), 0700), 0);
  MboxTarget program = target("program");
  program.mailbox = false;
  MboxOutcome out = deliver(program);
  EXPECT_EQ(out.status.status.text(), "5.7.1");
  EXPECT_EQ(out.status.reason, "file is executable");
}

TEST_F(Mbox, AFifoWithoutReaderDoesNotHoldTheProcess) {
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  MboxTarget fifo = target("fifo");
  fifo.mailbox = false;
  EXPECT_EQ(deliver(fifo).status.reason, "cannot open file: No such device or address");
}

TEST_F(Mbox, AMissingDirectoryBouncesAFileAndAMailbox) {
  MboxTarget file = target("none/box");
  EXPECT_EQ(deliver(file).status.reason,
            "unable to create lock file " + path("none/box.lock") + ": No such file or directory");
  file.mailbox = false;  // There a lock file is not insisted on.
  MboxOutcome out = deliver(file);
  EXPECT_EQ(out.status.status.text(), "5.2.0");
  EXPECT_EQ(out.status.reason, "cannot create file exclusively: No such file or directory");
}

TEST(MailboxStatus, ClassifiesErrnoValues) {
  EXPECT_EQ(mailbox_status(EAGAIN, "5.2.0").text(), "4.2.0");
  EXPECT_EQ(mailbox_status(ENOSPC, "5.2.0").text(), "4.3.0");
  EXPECT_EQ(mailbox_status(EDQUOT, "4.2.0").text(), "5.2.2");
  EXPECT_EQ(mailbox_status(EFBIG, "4.2.0").text(), "5.2.2");
  EXPECT_EQ(mailbox_status(EACCES, "4.2.0").text(), "4.2.0");
}

}  // namespace
}  // namespace postrider::mailbox
