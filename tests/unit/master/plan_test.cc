#include "master/plan.h"

#include <stdlib.h>

#include <gtest/gtest.h>

#include "sys/file.h"

namespace postrider::master {
namespace {

class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    char name[] = "/tmp/postrider-plan-XXXXXX";
    directory_ = mkdtemp(name);
    configure("");
  }
  ~PlanTest() override { std::system(("rm -rf " + directory_).c_str()); }
  void configure(const std::string& main_cf) {
    EXPECT_TRUE(sys::replace_file(directory_ + "/main.cf", "process_session_limit = 500\n" + main_cf, 0644));
    config::LoadOptions options;
    options.directory = directory_;
    config_ = *config::Config::load(options);
  }
  Plan plan(const char* program, int limit, int cores = 4) {
    return make_plan(*config_, program, limit, cores);
  }

  std::string directory_;
  std::optional<config::Config> config_;
};

TEST_F(PlanTest, TheDefaultLimitsProcessesNotClients) {
  Plan p = plan("smtpd", -1);
  EXPECT_EQ(p.processes, 4);
  EXPECT_EQ(p.clients_of(0), 500);
}

TEST_F(PlanTest, TheDefaultIsSaidInMainCf) {
  EXPECT_EQ(plan("pipe", -1).processes, 100);
  configure("default_process_limit = 3\n");
  EXPECT_EQ(plan("pipe", -1).processes, 3);
  EXPECT_EQ(plan("pipe", 7).processes, 7);
  EXPECT_EQ(plan("smtpd", -1, /*cores=*/8).processes, 3);
}

TEST_F(PlanTest, ANumberIsAPromiseAboutClientsAltogether) {
  for (int limit : {1, 2, 3, 4, 5, 7, 100, 1001}) {
    Plan p = plan("smtp", limit);
    EXPECT_LE(p.processes, 4);
    int all = 0;
    for (int slot = 0; slot < p.processes; ++slot) {
      EXPECT_GE(p.clients_of(slot), 1);
      all += p.clients_of(slot);
    }
    EXPECT_EQ(all, limit);
  }
}

TEST_F(PlanTest, AgentsOfUsersServeOneClientEach) {
  EXPECT_EQ(plan("local", 20).processes, 20);
  EXPECT_EQ(plan("local", 20).clients_of(19), 1);
  EXPECT_EQ(plan("pipe", -1).processes, 100);  // default_process_limit
  EXPECT_GT(plan("virtual", 0).processes, 1000);
}

TEST_F(PlanTest, SharedServicesServeAllComersInOneProcess) {
  EXPECT_EQ(plan("qmgr", 1).processes, 1);
  EXPECT_EQ(plan("qmgr", 1).clients_of(0), 500);
  EXPECT_EQ(plan("cleanup", 0).processes, 4);
}

}  // namespace
}  // namespace postrider::master
