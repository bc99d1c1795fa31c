#include "clients/trigger.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include <gtest/gtest.h>

#include "../config/temporary_config.h"
#include "sys/fd.h"
#include "sys/local_socket.h"
#include "sys/socket.h"

namespace postrider::clients {
namespace {

class TriggerTest : public testing::Test {
 protected:
  TriggerTest() : listener_(sys::listen_stream(*sys::Address::from_path(path()), 1).value()) {}
  std::string path() const { return directory_.directory() + "/service"; }

  config::TemporaryConfig directory_;
  sys::Fd listener_;
};

TEST_F(TriggerTest, ServicesAreTold) {
  ASSERT_TRUE(trigger(directory_.load(""), path(), "WF"));
  auto accepted = sys::accept_one(listener_.get()).value();
  ASSERT_TRUE(accepted);
  EXPECT_EQ(sys::read_all(accepted->fd.get(), 100).value(), "WF");
}

TEST_F(TriggerTest, AServiceThatTakesNobodyIsNotWaitedFor) {
  std::vector<sys::Fd> waiting;
  while (waiting.size() < 100) {
    auto connected = sys::connect_local(path(), seconds(1));
    if (!connected) break;
    waiting.push_back(std::move(*connected));
  }
  ASSERT_LT(waiting.size(), 100U);
  auto sent = trigger(directory_.load("trigger_timeout = 1s\n"), path(), "W");
  ASSERT_FALSE(sent);
}

TEST_F(TriggerTest, WhatIsNotThereIsSaid) {
  auto sent = trigger(directory_.load(""), path() + "x", "W");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ENOENT);
}

}  // namespace
}  // namespace postrider::clients
