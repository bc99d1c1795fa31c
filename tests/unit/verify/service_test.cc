#include "verify/service.h"

#include <stdlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "clients/cache_table.h"
#include "clients/verify.h"
#include "io/loop.h"
#include "log/log.h"
#include "sys/file.h"
#include "table/open.h"

namespace postrider::verify {
namespace {

using proto::AddressStatus;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Knowledge, EntriesAreThoseOfPostfix) {
  Knowledge known{AddressStatus::undeliverable, 17, 18, "host x said: 550 5.1.1 no: really"};
  EXPECT_EQ(known.entry(), "2:17:18:host x said: 550 5.1.1 no: really");
  EXPECT_EQ(Knowledge::parse(known.entry()), known);
  EXPECT_EQ(Knowledge::parse("0:0:1700000000:250 2.1.5 Ok")->status, AddressStatus::deliverable);
}

TEST(Knowledge, GarbageIsNoEntry) {
  for (const char* text : {"", "0", "0:1", "0:1:2", "0:1:2:", "4:1:2:x", "x:1:2:y", "0:x:2:y", "0:1:x:y",
                           "0:0:0:x", "-1:1:2:x", "0:99999999999999999999:2:x", ":::"}) {
    EXPECT_FALSE(Knowledge::parse(text)) << text;
  }
}

class VerifyTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postrider-verify-XXXXXX";
    directory_ = mkdtemp(name);
    log::set_test_sink([this](log::Severity, std::string_view text) { log_.emplace_back(text); });
    configure("");
  }
  void TearDown() override {
    log::set_test_sink(nullptr);
    std::system(("rm -rf " + directory_).c_str());
  }

  config::Config load(const std::string& main_cf) {
    EXPECT_TRUE(sys::replace_file(directory_ + "/main.cf", "myhostname = mx.site.test\n" + main_cf, 0644));
    config::LoadOptions options;
    options.directory = directory_;
    return config::Config::load(options).value();
  }

  void configure(const std::string& main_cf) {
    settings_ = std::make_unique<Settings>(load(main_cf));
    service_ = std::make_unique<Service>(
        *settings_, cache_, [this](std::string address) { probes_.push_back(std::move(address)); },
        [this] { return now_; });
  }

  /// "status text"
  std::string ask(const std::string& address) {
    proto::VerifyQuery query;
    query.address = address;
    auto answer = service_->query(query, Deadline::never());
    EXPECT_TRUE(answer);
    return std::to_string(static_cast<int>(answer->status)) + " " + answer->text;
  }
  void tell(const std::string& address, AddressStatus status, const std::string& text) {
    proto::VerifyUpdate update;
    update.address = address;
    update.status = status;
    update.text = text;
    EXPECT_TRUE(service_->update(update, Deadline::never()));
  }
  std::vector<std::string> take_probes() { return std::exchange(probes_, {}); }
  void pass(seconds time) { now_ += time.count(); }

  std::string directory_;
  int64_t now_ = 1'700'000'000;
  table::RecordCache cache_;
  std::unique_ptr<Settings> settings_;
  std::unique_ptr<Service> service_;
  std::vector<std::string> probes_, log_;
};

constexpr seconds kHour{3600}, kDay{86400};

TEST_F(VerifyTest, AnUnknownAddressIsProbedOnce) {
  EXPECT_EQ(ask("a@b.test"), "3 Address verification in progress");
  EXPECT_EQ(ask("a@b.test"), "3 Address verification in progress");
  EXPECT_THAT(take_probes(), ElementsAre("a@b.test"));
  tell("a@b.test", AddressStatus::deliverable, "250 2.1.5 Ok");
  EXPECT_EQ(ask("a@b.test"), "0 250 2.1.5 Ok");
  EXPECT_EQ(ask("A@b.test"), "3 Address verification in progress");
  EXPECT_THAT(take_probes(), ElementsAre("A@b.test"));
}

TEST_F(VerifyTest, AProbeThatIsNotAnsweredIsRepeated) {
  ask("a@b.test");
  pass(seconds(1000));
  ask("a@b.test");
  EXPECT_EQ(take_probes().size(), 1U);
  pass(seconds(1));
  ask("a@b.test");
  EXPECT_EQ(take_probes().size(), 1U);
}

TEST_F(VerifyTest, GoodAddressesAreRefreshedAndExpire) {
  tell("a@b.test", AddressStatus::deliverable, "fine");
  pass(7 * kDay);
  EXPECT_EQ(ask("a@b.test"), "0 fine");
  EXPECT_THAT(take_probes(), IsEmpty());
  pass(seconds(1));
  EXPECT_EQ(ask("a@b.test"), "0 fine");
  EXPECT_EQ(ask("a@b.test"), "0 fine");
  EXPECT_EQ(take_probes().size(), 1U);
  // The answer to the probe is lost, and later ones are bad: the address stays good until its time is over.
  tell("a@b.test", AddressStatus::deferred, "busy");
  EXPECT_EQ(ask("a@b.test"), "0 fine");
  pass(24 * kDay);
  EXPECT_EQ(ask("a@b.test"), "3 Address verification in progress");
  tell("a@b.test", AddressStatus::undeliverable, "gone");
  EXPECT_EQ(ask("a@b.test"), "2 gone");
}

TEST_F(VerifyTest, BadAddressesAreRefreshedAndExpire) {
  tell("a@b.test", AddressStatus::undeliverable, "no");
  pass(3 * kHour);
  EXPECT_EQ(ask("a@b.test"), "2 no");
  EXPECT_THAT(take_probes(), IsEmpty());
  pass(seconds(1));
  EXPECT_EQ(ask("a@b.test"), "2 no");
  EXPECT_EQ(take_probes().size(), 1U);
  tell("a@b.test", AddressStatus::deferred, "busy");
  EXPECT_EQ(ask("a@b.test"), "1 busy");
  pass(3 * kDay + seconds(1));
  EXPECT_EQ(ask("a@b.test"), "3 Address verification in progress");
}

TEST_F(VerifyTest, HowLongResultsServeIsSaidInMainCf) {
  configure(
      "address_verify_positive_expire_time = 10h\naddress_verify_positive_refresh_time = 2h\n"
      "address_verify_negative_expire_time = 6h\naddress_verify_negative_refresh_time = 1h\n");
  tell("good@b.test", AddressStatus::deliverable, "fine");
  tell("bad@b.test", AddressStatus::undeliverable, "no");
  pass(kHour);
  ask("good@b.test"), ask("bad@b.test");
  EXPECT_THAT(take_probes(), IsEmpty());
  pass(seconds(1));
  ask("good@b.test"), ask("bad@b.test");
  EXPECT_THAT(take_probes(), ElementsAre("bad@b.test"));
  pass(kHour);
  ask("good@b.test");
  EXPECT_THAT(take_probes(), ElementsAre("good@b.test"));
  pass(4 * kHour);
  EXPECT_EQ(ask("bad@b.test"), "3 Address verification in progress");
  EXPECT_EQ(ask("good@b.test"), "0 fine");
  pass(4 * kHour);
  EXPECT_EQ(ask("good@b.test"), "3 Address verification in progress");
}

TEST_F(VerifyTest, WithoutANegativeCacheEachQuestionIsProbed) {
  configure("address_verify_negative_cache = no\n");
  ask("a@b.test");
  ask("a@b.test");
  EXPECT_EQ(take_probes().size(), 2U);
  tell("a@b.test", AddressStatus::deliverable, "fine");
  pass(8 * kDay);
  ask("a@b.test");
  ask("a@b.test");
  EXPECT_EQ(take_probes().size(), 1U) << "The refreshing of a good address is remembered.";
}

TEST_F(VerifyTest, ColonsAreNoTrouble) {
  tell("a@[IPv6:2001:db8::1]", AddressStatus::deliverable, "fine");
  EXPECT_EQ(ask("a@[IPv6:2001:db8::1]"), "0 fine");
}

TEST_F(VerifyTest, WhatAgentsMayNotSayIsRefused) {
  proto::VerifyUpdate update;
  update.address = std::string_view("a@b.test");
  update.status = AddressStatus::in_progress;
  EXPECT_FALSE(service_->update(update, Deadline::never()));
  update.status = static_cast<AddressStatus>(77);
  EXPECT_FALSE(service_->update(update, Deadline::never()));
}

TEST_F(VerifyTest, TheTableKeepsEntriesAndLosesExpiredOnes) {
  table::OpenOptions options;
  options.access = table::Access::exclusive;
  options.create_mode = 0600;
  options.duplicates = table::Duplicates::replace;
  const std::string spec = "btree:" + directory_ + "/cache";
  io::run_with_loop([&] {
    cache_ = table::RecordCache(table::open(spec, options).value());
    tell("old@b.test", AddressStatus::undeliverable, "no");
    for (int i = 0; i < 250; ++i)
      tell("old" + std::to_string(i) + "@b.test", AddressStatus::undeliverable, "no");
    pass(2 * kDay);
    tell("new@b.test", AddressStatus::undeliverable, "no");
    tell("good@b.test", AddressStatus::deliverable, "yes");
    pass(kDay + seconds(1));
    clients::sweep_cache(cache_, [this](std::string_view entry) { return service_->is_expired(entry); });
    EXPECT_THAT(log_, ElementsAre("cache " + spec + " full cleanup: retained=2 dropped=251 entries"));
    EXPECT_TRUE(cache_.flush());
    cache_.close();
    EXPECT_TRUE(cache_.flush());
    cache_ = table::RecordCache(table::open(spec, options).value());
    EXPECT_EQ(ask("new@b.test"), "2 no");
    EXPECT_EQ(ask("good@b.test"), "0 yes");
    EXPECT_EQ(ask("old@b.test"), "3 Address verification in progress");
    cache_ = table::RecordCache();
  });
}

/// A table that is always out of order.
class BrokenTable final : public table::Table {
 public:
  BrokenTable() : Table("test", "broken", {}, {}) {}

 private:
  Result<std::optional<std::string>> find(std::string_view, Deadline) override {
    return fail(ErrorKind::temporary, "test:broken is unavailable");
  }
};

TEST_F(VerifyTest, ATableThatDoesNotAnswerCausesNoProbes) {
  cache_ = table::RecordCache(std::make_shared<BrokenTable>());
  EXPECT_EQ(ask("a@b.test"), "1 address verification status unavailable");
  EXPECT_THAT(probes_, IsEmpty());
  EXPECT_THAT(log_, ElementsAre("test:broken is unavailable"));
}

TEST_F(VerifyTest, MemoryIsBounded) {
  cache_ = table::RecordCache(10);
  for (int i = 0; i < 100; ++i)
    tell(std::to_string(i) + "@b.test", AddressStatus::deliverable, "yes");
  EXPECT_EQ(ask("99@b.test"), "0 yes");
  pass(40 * kDay);
  auto counts = cache_.sweep([&](std::string_view entry) { return service_->is_expired(entry); }, now_);
  EXPECT_EQ(counts->dropped, 10U);
}

TEST_F(VerifyTest, ProbeSenderIsFixed) {
  clients::ProbeSender sender(load(""));
  EXPECT_EQ(sender.at(now_), "double-bounce@mx.site.test");
  EXPECT_FALSE(sender.canonical("double-bounce@mx.site.test", now_));
  EXPECT_EQ(clients::ProbeSender(load("address_verify_sender = <>\n")).at(now_), "");
  EXPECT_EQ(clients::ProbeSender(load("address_verify_sender =\n")).at(now_), "");
  EXPECT_EQ(clients::ProbeSender(load("address_verify_sender = probe@site.test\n")).at(now_),
            "probe@site.test");
}

TEST_F(VerifyTest, ProbeSenderChangesWithTime) {
  clients::ProbeSender sender(
      load("address_verify_sender = probe\nmyorigin = site.test\naddress_verify_sender_ttl = 1h\n"));
  std::string first = sender.at(now_);
  EXPECT_THAT(first, HasSubstr("probe"));
  EXPECT_THAT(first, HasSubstr("@site.test"));
  std::string later = sender.at(now_ + 3600);
  EXPECT_NE(first, later);
  EXPECT_EQ(sender.canonical(first, now_), "probe@site.test");
  EXPECT_EQ(sender.canonical(first, now_ + 3600), "probe@site.test");
  EXPECT_EQ(sender.canonical(first, now_ - 3600), "probe@site.test");
  EXPECT_FALSE(sender.canonical(first, now_ + 2 * 3600));
  EXPECT_FALSE(sender.canonical(first, now_ - 2 * 3600));
  EXPECT_FALSE(sender.canonical("probe@site.test", now_));
  EXPECT_FALSE(sender.canonical("probe" + first, now_));
}

}  // namespace
}  // namespace postrider::verify
