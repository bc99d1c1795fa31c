#include "mailbox/maildir.h"

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "support.h"
#include "sys/process.h"

namespace postrider::mailbox {
namespace {

using testing::MatchesRegex;

class Maildir : public WithDirectory {
 protected:
  MaildirTarget target(const std::string& name) { return {.path = path(name) + "/", .as = self()}; }
  mail::DeliveryStatus deliver(const MaildirTarget& target, std::string_view text = "Subject: x\n\nbody\n") {
    MemoryMessage memory(text);
    return deliver_to_maildir(memory.message(), target);
  }
  std::vector<std::string> names(const std::string& directory) {
    return sys::list_directory(path(directory)).value_or(std::vector<std::string>());
  }
};

TEST_F(Maildir, MakesTheDirectoriesAndAFileWithAUniqueName) {
  EXPECT_TRUE(deliver(target("a/box")).status.is_success());
  EXPECT_TRUE(deliver(target("a/box")).status.is_success());
  std::vector<std::string> files = names("a/box/new");
  ASSERT_EQ(files.size(), 2U);
  EXPECT_NE(files[0], files[1]);
  for (const std::string& name : files) {
    EXPECT_THAT(name, MatchesRegex("[0-9]+\\.V[0-9a-f]+I[0-9a-f]+M[0-9]+\\..+"));
    EXPECT_TRUE(content(path("a/box/new/" + name)).starts_with("Return-Path: <joe@sender.test>\n"));
    EXPECT_TRUE(content(path("a/box/new/" + name)).ends_with("\n\nbody\n"));
    struct stat st{};
    ASSERT_EQ(stat(path("a/box/new/" + name).c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0600U);
    EXPECT_EQ(st.st_nlink, 1U);
  }
  EXPECT_TRUE(names("a/box/tmp").empty());
  for (const char* directory : {"a", "a/box", "a/box/new", "a/box/cur", "a/box/tmp"}) {
    struct stat st{};
    ASSERT_EQ(stat(path(directory).c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0700U) << directory;
  }
}

TEST_F(Maildir, AFailureLeavesNothingBehind) {
  MaildirTarget limited = target("box");
  limited.size_limit = 100;
  mail::DeliveryStatus out = deliver(limited, std::string(200, 'x') + "\n");
  EXPECT_EQ(out.status.text(), "5.2.2");
  EXPECT_EQ(out.reason, "maildir delivery failed: error writing message: File too large");
  EXPECT_TRUE(names("box/tmp").empty());
  EXPECT_TRUE(names("box/new").empty());
}

TEST_F(Maildir, WithoutAPlaceItSaysWhichFileAndWhy) {
  write(path("box"), "a file");
  mail::DeliveryStatus out = deliver(target("box"));
  EXPECT_EQ(out.status.text(), "5.2.0");
  EXPECT_THAT(out.reason,
              MatchesRegex("maildir delivery failed: create maildir file .*/box/tmp/.*: Not a directory"));
  MaildirTarget lenient = target("box");
  lenient.fallback = "4.2.0";
  EXPECT_EQ(deliver(lenient).status.text(), "4.2.0");
}

TEST_F(Maildir, ALeftOverTemporaryFileIsNotInTheWay) {
  std::filesystem::create_directories(path("box/tmp"));
  time_t now = time(nullptr);
  for (time_t when = now; when < now + 20; ++when) {
    write(path("box/tmp/" + std::to_string(when) + ".P" + std::to_string(sys::process_id()) + "." +
               maildir_host_name(sys::host_name())),
          "old");
  }
  EXPECT_TRUE(deliver(target("box")).status.is_success());
  EXPECT_EQ(names("box/new").size(), 1U);
  EXPECT_EQ(names("box/tmp").size(), 20U);
}

TEST(MaildirHostName, EscapesWhatAFileNameCannotHave) {
  EXPECT_EQ(maildir_host_name("mx.site.test"), "mx.site.test");
  EXPECT_EQ(maildir_host_name("a/b:c"), "a\\057b\\072c");
}

}  // namespace
}  // namespace postrider::mailbox
