// What the queue manager does to a queue file, with a failure or a crash at every single call to the disk.
#include <cerrno>
#include <functional>
#include <map>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "log/log.h"
#include "qmgr/completion.h"
#include "queue/committer.h"
#include "queue/message_writer.h"
#include "support/fault_files.h"
#include "unit/config/temporary_config.h"

namespace postrider::qmgr {
namespace {

using queue::QueueName;
using queue::RecordType;
using test::Crash;

constexpr size_t kNever = 1'000'000'000;
const std::vector<std::string> kRecipients = {"a@dest.test", "b@dest.test", "c@dest.test"};

/// A queue, and who has got what.
class Site {
 public:
  explicit Site(const config::Config& config) : settings_(config), reporter_(config, "qmgr") {
    for (const char* name : {"incoming", "active", "deferred", "corrupt", "defer", "bounce", "trace"}) {
      EXPECT_TRUE(files.make_directory(name, 0700));
    }
    EXPECT_TRUE(files.sync_directory("."));
  }

  std::string accept() {
    auto writer = queue::MessageWriter::begin(store, committer_).value();
    writer.append(RecordType::arrival_time, "1700000000 5");
    writer.append(RecordType::sender, "joe@sender.test");
    for (const std::string& address : kRecipients)
      writer.append(RecordType::recipient, address);
    writer.append(RecordType::message, "");
    queue::SizeRecord size;
    size.offset = static_cast<int64_t>(writer.position());
    writer.append(RecordType::text, "Subject: x");
    size.size = static_cast<int64_t>(writer.position()) - size.offset;
    size.recipients = 3;
    writer.append(RecordType::extracted, "");
    writer.append(RecordType::end, "");
    writer.fill_size(size);
    EXPECT_TRUE(writer.commit(Deadline::never()));
    return writer.id();
  }

  /// One attempt at a message, as the queue manager and its agents do it: those in `refused` are told to come
  /// back later.
  void attempt(const std::string& id, QueueName from, const std::set<std::string>& refused) {
    Completion completion(settings_, store, reporter_);
    if (!store.move(id, from, QueueName::active)) return;
    Message message;
    message.id = id;
    auto read = [&]() -> Result<void> {
      auto file = TRY(store.open(QueueName::active, id, queue::OpenMode::read));
      message.envelope = TRY(queue::read_envelope(*file, 100));
      return {};
    };
    if (auto done = read(); !done) return completion.put_aside(id, done.error());
    for (const queue::Recipient& recipient : message.envelope.recipients)
      deliver(message, recipient, refused);
    completion.complete(message);
  }

  void deliver(Message& message, const queue::Recipient& recipient, const std::set<std::string>& refused) {
    auto file = store.open(QueueName::active, message.id, queue::OpenMode::read_write);
    if (!file || refused.contains(recipient.address)) {
      message.deferred = true;
      return;
    }
    ++delivered[recipient.address];
    if (!queue::mark_done(**file, recipient.offset)) message.deferred = true;
  }

  /// The queue manager starts: whatever is there is tried until nothing is left.
  void work_off() {
    for (QueueName queue : {QueueName::active, QueueName::incoming, QueueName::deferred}) {
      queue::Scan scan = store.scan(queue);
      std::vector<std::string> ids;
      while (auto entry = scan.next().value())
        ids.push_back(entry->name);
      for (const std::string& id : ids) {
        auto status = store.status(queue, id);
        if (!status || !queue::is_complete(*status)) continue;
        if (queue == QueueName::active) {
          EXPECT_TRUE(store.move(id, queue, QueueName::incoming));
          attempt(id, QueueName::incoming, {});
        } else {
          attempt(id, queue, {});
        }
      }
    }
  }

  test::FaultFiles files;
  queue::Store store{files, {.hashed = {"deferred", "defer"}, .hash_depth = 1}};
  std::map<std::string, int> delivered;

 private:
  Settings settings_;
  delivery::Reporter reporter_;
  queue::Committer committer_{files};
};

class Durability : public testing::Test {
 protected:
  void SetUp() override {
    log::set_test_sink([](log::Severity, std::string_view) {});
  }
  void TearDown() override { log::set_test_sink(nullptr); }

  /// Runs `body` again and again, with `arm(n)` before: n counts the calls to the disk, until none is
  /// reached.
  void at_every_call(const std::function<void(Site&, size_t)>& arm, const std::set<std::string>& refused,
                     const std::function<void(Site&)>& afterwards) {
    for (size_t n = 1;; ++n) {
      Site site(config_);
      std::string id = site.accept();
      size_t before = site.files.calls();
      arm(site, n);
      site.attempt(id, QueueName::incoming, refused);
      bool reached = site.files.calls() - before >= n;
      afterwards(site);
      site.work_off();
      for (const std::string& address : kRecipients) {
        EXPECT_GE(site.delivered[address], 1) << address << " is lost, call " << n;
        EXPECT_LE(site.delivered[address], 2) << address << ", call " << n;
      }
      EXPECT_TRUE(site.files.all_files().empty()) << "call " << n << ": " << site.files.all_files()[0];
      if (!reached) return;
      ASSERT_LT(n, 100U);
    }
  }

  config::TemporaryConfig directory_;
  config::Config config_ = directory_.load("compatibility_level = 3.6\nmyhostname = mx.example.test\n");
};

TEST_F(Durability, NothingIsLostWhenACallFails) {
  for (int error : {EIO, ENOSPC}) {
    for (const std::set<std::string>& refused :
         {std::set<std::string>{}, {"b@dest.test"}, {kRecipients.begin(), kRecipients.end()}}) {
      at_every_call([&](Site& site, size_t n) { site.files.fail_at(n, error); }, refused,
                    [](Site& site) { site.files.fail_at(kNever, EIO); });
    }
  }
}

TEST_F(Durability, NothingIsLostWhenTheMachineStops) {
  for (Crash crash : {Crash::loses_all, Crash::keeps_names, Crash::keeps_some, Crash::keeps_all}) {
    for (unsigned seed = 1; seed <= (crash == Crash::keeps_some ? 10U : 1U); ++seed) {
      for (const std::set<std::string>& refused : {std::set<std::string>{}, {"b@dest.test"}}) {
        at_every_call([](Site& site, size_t n) { site.files.crash_at(n); }, refused,
                      [&](Site& site) { site.files.restart(crash, seed); });
      }
    }
  }
}

TEST_F(Durability, DamageGoesToCorruptAndIsKept) {
  Site site(config_);
  std::string id = site.accept();
  std::string path = site.store.path(QueueName::incoming, id);
  std::string half = site.files.content(path);
  site.files.set_content(path, half.substr(0, half.size() / 2));
  site.attempt(id, QueueName::incoming, {});
  EXPECT_TRUE(site.store.status(QueueName::corrupt, id));
  EXPECT_TRUE(site.delivered.empty());
}

}  // namespace
}  // namespace postrider::qmgr
