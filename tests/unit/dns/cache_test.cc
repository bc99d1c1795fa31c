#include "dns/cache.h"

#include <gtest/gtest.h>

namespace postrider::dns {
namespace {

std::shared_ptr<const Reply> reply(std::string text) {
  auto made = std::make_shared<Reply>();
  made->outcome = Outcome::found;
  made->records.push_back({"x.test", Type::txt, 60, false, 0, 0, 0, std::move(text)});
  return made;
}

TEST(Cache, KeepsAnswersForTheirLifetime) {
  Cache cache(100'000);
  cache.store("a", reply("one"), seconds(60));
  cache.store("b", reply("two"), seconds(0));
  ASSERT_NE(cache.find("a").reply, nullptr);
  EXPECT_EQ(cache.find("a").reply->records[0].data, "one");
  EXPECT_EQ(cache.find("a").age, 0u);
  EXPECT_EQ(cache.find("b").reply, nullptr);
}

TEST(Cache, ANewAnswerReplacesTheOld) {
  Cache cache(100'000);
  cache.store("a", reply("one"), seconds(60));
  size_t bytes = cache.bytes();
  cache.store("a", reply("two"), seconds(60));
  EXPECT_EQ(cache.find("a").reply->records[0].data, "two");
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_EQ(cache.bytes(), bytes);
}

TEST(Cache, DropsWhatWasNotUsedForLongestWhenFull) {
  Cache cache(10'000);
  for (int i = 0; i < 100; ++i) {
    cache.store("k" + std::to_string(i), reply(std::string(500, 'x')), seconds(60));
    EXPECT_LE(cache.bytes(), 10'000u);
    EXPECT_NE(cache.find("k0").reply, nullptr) << i;  // Asked for all the time, so it stays.
  }
  EXPECT_NE(cache.find("k99").reply, nullptr);
  EXPECT_EQ(cache.find("k1").reply, nullptr);
}

TEST(Cache, WhatIsLargerThanTheCacheIsNotKept) {
  Cache cache(1'000);
  cache.store("small", reply("x"), seconds(60));
  cache.store("large", reply(std::string(5'000, 'x')), seconds(60));
  EXPECT_EQ(cache.find("large").reply, nullptr);
  EXPECT_NE(cache.find("small").reply, nullptr);
  cache.clear();
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
}

}  // namespace
}  // namespace postrider::dns
