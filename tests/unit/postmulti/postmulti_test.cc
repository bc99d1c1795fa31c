#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "log/log.h"
#include "sys/file.h"
#include "tools/postmulti/edit.h"
#include "tools/postmulti/instances.h"
#include "tools/postmulti/iterate.h"
#include "tools/postmulti/options.h"

namespace postrider::postmulti {
namespace {

namespace fs = std::filesystem;

Result<Options> parse(std::vector<std::string> words) {
  words.insert(words.begin(), "postmulti");
  std::vector<char*> argv;
  for (std::string& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  optind = 0;
  return parse_options(static_cast<int>(words.size()), argv.data());
}
std::string problem(std::vector<std::string> words) {
  auto options = parse(std::move(words));
  return options ? "" : options.error().text;
}

TEST(Options, RefusesWhatPostfixRefuses) {
  EXPECT_EQ(problem({}), "Specify exactly one of '-e', '-l', '-p', '-x'");
  EXPECT_EQ(problem({"-l", "-p", "status"}), "Specify exactly one of '-e', '-l', '-p', '-x'");
  EXPECT_EQ(problem({"-R", "-p", "status"}), "The '-p' and '-e' options preclude the use of '-R'");
  EXPECT_EQ(problem({"-l", "extra"}), "Command not allowed with '-l'");
  EXPECT_EQ(problem({"-x"}), "Command required with '-p' or '-x' option");
  EXPECT_EQ(problem({"-l", "-i", "a", "-g", "b"}), "Specity no more than one of '-a', '-g', '-i'");
  EXPECT_EQ(problem({"-l", "-G", "x"}), "Cannot assign instance name or group without '-e assign'");
  EXPECT_EQ(problem({"-e", "enable", "-i", "x", "-G", "y"}),
            "Cannot assign instance name or group with '-e enable'");
  EXPECT_EQ(problem({"-e", "assign", "-i", "x"}), "Specify new instance name or group with '-e assign'");
  EXPECT_EQ(problem({"-e", "destroy", "-i", "x", "a=b"}), "Parameter overrides not valid with '-e destroy'");
  EXPECT_EQ(problem({"-e", "create", "-I", "out"}), "New instance name must start with 'postfix-'");
  EXPECT_EQ(problem({"-e", "create", "-I", "postfix-a b"}),
            "Unsafe characters in new instance name: 'postfix-a b'");
  EXPECT_EQ(problem({"-e", "create", "-I", "postfix-a/b"}),
            "Illegal '/' character in new instance name: 'postfix-a/b'");
  EXPECT_EQ(problem({"-l", "-l"}), "");
  EXPECT_EQ(problem({"-p", "--", "status"}), "");
}

/// A primary instance whose postfix command only writes down what it is asked.
class PostmultiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    log::open({.ident = "test"});
    root_ = *sys::make_private_directory();
    for (const char* name : {"bin", "etc/postfix", "spool/postfix", "lib/postfix"})
      fs::create_directories(root_ / name);
    write("bin/postfix", "#!/bin/sh\necho \"$@\" >> " + (root_ / "commands").string() +
                             "\ncase $2 in *fail*) exit 3;; esac\n");
    fs::permissions(root_ / "bin/postfix", fs::perms::owner_exec, fs::perm_options::add);
    write("etc/postfix/main.cf.proto", "# stock\nqueue_directory = /nowhere\nmail_owner = somebody\n");
    write("etc/postfix/master.cf.proto", "smtp inet n - n - - smtpd\n");
    write("etc/postfix/main.cf", "command_directory = " + (root_ / "bin").string() +
                                     "\nqueue_directory = " + (root_ / "spool/postfix").string() +
                                     "\ndata_directory = " + (root_ / "lib/postfix").string() +
                                     "\nmeta_directory = " + (root_ / "etc/postfix").string() + "\n");
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& name, const std::string& text) const { std::ofstream(root_ / name) << text; }
  std::string read(const std::string& name) const {
    std::ifstream in(root_ / name);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  config::Config primary() const {
    return *config::Config::load({.directory = root_ / "etc/postfix", .process_name = "postmulti"});
  }
  /// "" or the error; -1 where the exit status is not zero.
  std::string run(std::vector<std::string> words) const {
    auto options = parse(std::move(words));
    if (!options) return options.error().text;
    config::Config config = primary();
    if (options->mode == Mode::edit && options->action == EditAction::init)
      return init(config) == 0 ? "" : "failed";
    auto instances = Instances::load(config);
    if (!instances) return instances.error().text;
    auto done = options->mode == Mode::edit ? edit(config, *instances, *options)
                                            : iterate(config, *instances, *options);
    if (!done) return done.error().text;
    return *done == 0 ? "" : "failed";
  }
  std::string list(std::vector<std::string> words = {"-l"}) const {
    testing::internal::CaptureStdout();
    EXPECT_EQ(run(std::move(words)), "");
    std::string out = testing::internal::GetCapturedStdout();
    return replace(out, root_.string(), "");
  }
  static std::string replace(std::string text, const std::string& from, const std::string& to) {
    for (size_t at; (at = text.find(from)) != text.npos;)
      text.replace(at, from.size(), to);
    return text;
  }

  fs::path root_;
};

TEST_F(PostmultiTest, InstancesAreMadeListedAndRemoved) {
  EXPECT_EQ(list(), "-               -               y         /etc/postfix\n");
  EXPECT_EQ(run({"-e", "create", "-I", "postfix-a"}), "failed");  // Not before init.
  EXPECT_EQ(run({"-e", "init"}), "");
  EXPECT_EQ(run({"-e", "create", "-I", "postfix-a", "-G", "mta"}), "");
  EXPECT_EQ(run({"-e", "create", "-I", "postfix-b", "-g", "mta"}), "");
  EXPECT_EQ(list(),
            "-               -               y         /etc/postfix\n"
            "postfix-b       -               n         /etc/postfix-b\n"
            "postfix-a       mta             n         /etc/postfix-a\n");
  EXPECT_EQ(list({"-l", "-R", "-g", "mta"}), "postfix-a       mta             n         /etc/postfix-a\n");
  std::string made = replace(read("etc/postfix-a/main.cf"), root_.string(), "");
  EXPECT_NE(made.find("queue_directory = /spool/postfix-a\n"), made.npos) << made;
  EXPECT_NE(made.find("#mail_owner = somebody\n"), made.npos) << made;
  EXPECT_NE(made.find("command_directory = /bin\n"), made.npos) << made;
  EXPECT_NE(made.find("master_service_disable = inet\n"), made.npos) << made;
  EXPECT_NE(read("commands").find("-c " + (root_ / "etc/postfix-a").string() + " set-permissions\n"),
            std::string::npos);
  EXPECT_EQ(run({"-e", "enable", "-i", "postfix-a"}), "");
  EXPECT_EQ(run({"-e", "destroy", "-i", "postfix-a"}), "Cannot remove enabled instances");
  EXPECT_EQ(run({"-e", "destroy", "-i", "-"}), "Cannot remove the primary instance");
  EXPECT_EQ(run({"-e", "destroy", "-i", "postfix-b"}), "");
  EXPECT_FALSE(fs::exists(root_ / "etc/postfix-b"));
  EXPECT_FALSE(fs::exists(root_ / "spool/postfix-b"));
}

TEST_F(PostmultiTest, WhatIsInAnInstanceIsNotDestroyed) {
  run({"-e", "init"});
  ASSERT_EQ(run({"-e", "create", "-I", "postfix-a"}), "");
  fs::create_directories(root_ / "spool/postfix-a/deferred");
  write("spool/postfix-a/deferred/message", "x");
  write("etc/postfix-a/access", "x");
  EXPECT_EQ(run({"-e", "destroy", "-i", "postfix-a"}), "");
  EXPECT_TRUE(fs::exists(root_ / "spool/postfix-a/deferred/message"));
  EXPECT_TRUE(fs::exists(root_ / "etc/postfix-a/access"));
  EXPECT_FALSE(fs::exists(root_ / "etc/postfix-a/main.cf"));
}

TEST_F(PostmultiTest, CommandsGoToTheInstancesThatTheyAreFor) {
  run({"-e", "init"});
  for (const char* name : {"postfix-a", "postfix-b"})
    ASSERT_EQ(run({"-e", "create", "-I", name}), "");
  run({"-e", "enable", "-i", "postfix-b"});
  auto commands = [&](std::vector<std::string> words) {
    fs::remove(root_ / "commands");
    EXPECT_EQ(run(std::move(words)), "");
    return replace(read("commands"), root_.string() + "/etc/", "");
  };
  EXPECT_EQ(commands({"-p", "start"}), "-c postfix start\n-c postfix-a check\n-c postfix-b start\n");
  EXPECT_EQ(commands({"-p", "stop"}), "-c postfix-b stop\n-c postfix stop\n");
  EXPECT_EQ(commands({"-p", "reload"}), "-c postfix reload\n-c postfix-b reload\n");
  EXPECT_EQ(commands({"-p", "status"}), "-c postfix status\n-c postfix-a status\n-c postfix-b status\n");
  EXPECT_EQ(run({"-i", "postfix-a", "-p", "stop"}), "No matching instances");
  EXPECT_EQ(run({"-g", "none", "-x", "true"}), "No matching instances");
  EXPECT_EQ(run({"-x", "sh", "-c", "test \"$multi_instance_name\" != postfix-a"}), "failed");
}

TEST_F(PostmultiTest, WhichCommandsAreOfWhichKindIsSaidInMainCf) {
  run({"-e", "init"});
  for (const char* name : {"postfix-a", "postfix-b"})
    ASSERT_EQ(run({"-e", "create", "-I", name}), "");
  run({"-e", "enable", "-i", "postfix-b"});
  write("etc/postfix/main.cf",
        read("etc/postfix/main.cf") +
            "postmulti_start_commands = begin\npostmulti_stop_commands = finish, stop\n"
            "postmulti_control_commands = look\n");
  auto commands = [&](const char* command) {
    fs::remove(root_ / "commands");
    EXPECT_EQ(run({"-p", command}), "");
    return replace(read("commands"), root_.string() + "/etc/", "");
  };
  EXPECT_EQ(commands("begin"), "-c postfix begin\n-c postfix-a check\n-c postfix-b begin\n");
  EXPECT_EQ(commands("finish"), "-c postfix-b finish\n-c postfix finish\n");
  EXPECT_EQ(commands("look"), "-c postfix look\n-c postfix-b look\n");
  EXPECT_EQ(commands("start"), "-c postfix start\n-c postfix-a start\n-c postfix-b start\n");
}

TEST_F(PostmultiTest, InstancesAreWhatMainCfSays) {
  // Covers: multi_instance_wrapper
  EXPECT_EQ(run({"-e", "enable", "-i", "-"}), "failed") << "There is no multi_instance_wrapper.";
  std::string main_cf = read("etc/postfix/main.cf");
  for (const char* name : {"one", "two", "three"})
    fs::create_directories(root_ / "etc" / name);
  write("etc/postfix/main.cf", main_cf + "multi_instance_directories = " + (root_ / "etc/one").string() +
                                   ", " + (root_ / "etc/two").string() + "\n");
  write("etc/one/main.cf",
        "multi_instance_name = postfix-one\nmulti_instance_group = g\n"
        "multi_instance_enable = yes\nqueue_directory = /one\ndata_directory = /one\n");
  write("etc/two/main.cf", "multi_instance_group = g\nqueue_directory = /two\ndata_directory = /two\n");
  EXPECT_EQ(list(),
            "-               -               n         /etc/postfix\n"
            "postfix-one     g               y         /etc/one\n"
            "-               g               n         /etc/two\n");
  EXPECT_EQ(list({"-l", "-g", "g"}),
            "postfix-one     g               y         /etc/one\n"
            "-               g               n         /etc/two\n");
  write("etc/postfix/main.cf", main_cf + "multi_instance_enable = yes\n");
  EXPECT_EQ(list(), "-               -               y         /etc/postfix\n");
}

TEST_F(PostmultiTest, InstancesAreTakenInAndGivenAway) {
  run({"-e", "init"});
  ASSERT_EQ(run({"-e", "create", "-I", "postfix-a"}), "");
  EXPECT_EQ(run({"-e", "assign", "-i", "postfix-a", "-I", "postfix-z", "-G", "g"}), "");
  EXPECT_EQ(run({"-e", "deport", "-i", "postfix-z"}), "");
  EXPECT_NE(read("etc/postfix/main.cf")
                .find("alternate_config_directories = " + (root_ / "etc/postfix-a").string()),
            std::string::npos);
  EXPECT_EQ(list(), "-               -               y         /etc/postfix\n");
  EXPECT_EQ(run({"-e", "import", "config_directory=" + (root_ / "etc/postfix-a").string()}), "");
  EXPECT_EQ(list({"-l", "-i", "postfix-z"}), "postfix-z       g               n         /etc/postfix-a\n");
}

TEST_F(PostmultiTest, InstancesDoNotShareDirectoriesOrNames) {
  run({"-e", "init"});
  ASSERT_EQ(run({"-e", "create", "-I", "postfix-a"}), "");
  std::string etc = root_ / "etc";
  EXPECT_EQ(run({"-e", "create", "-I", "postfix-a"}),
            "new config_directory=" + etc + "/postfix-a is already in use by instance " + etc +
                "/postfix-a, config_directory=" + etc + "/postfix-a");
  EXPECT_EQ(run({"-e", "create", "-I", "postfix-a", "config_directory=" + etc + "/other"}),
            "instance " + etc + "/other, multi_instance_name=postfix-a conflicts with instance " + etc +
                "/postfix-a, multi_instance_name=postfix-a");
  EXPECT_EQ(run({"-e", "create", "-I", "postfix-b", "queue_directory=relative"}),
            "Parameter setting 'queue_directory' is not an absolute path");
  EXPECT_EQ(run({"-e", "create", "-I", "postfix-b", "queue_directory=/"}),
            "Parameter setting 'queue_directory' is the root directory");
  EXPECT_EQ(run({"-e", "create", "-I", "postfix-b", "name=value"}),
            "Parameter 'name' not valid with action create");
  EXPECT_EQ(run({"-e", "create"}), "Missing config_directory parameter value");
  EXPECT_EQ(run({"-e", "enable", "-i", "postfix-q"}), "No instance named postfix-q");
  EXPECT_EQ(run({"-e", "create", "-I", "postfix-c", "-g", "none"}), "No matching secondary instances");
}

}  // namespace
}  // namespace postrider::postmulti
