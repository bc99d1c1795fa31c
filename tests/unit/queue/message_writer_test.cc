#include "queue/message_writer.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/loop.h"
#include "queue/committer.h"
#include "queue/content.h"
#include "queue/envelope.h"
#include "support/fault_files.h"

namespace postrider::queue {
namespace {

using test::Crash;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Crash kCrashes[] = {Crash::loses_all, Crash::keeps_names, Crash::keeps_some, Crash::keeps_all};

struct Machine {
  explicit Machine(Layout layout = {.hashed = {"deferred"}}) : store(files, std::move(layout)) {
    for (const char* name : {"maildrop", "incoming", "hold", "deferred"})
      (void)files.make_directory(name, 0700);
    (void)files.sync_directory(".");
  }
  test::FaultFiles files;
  Store store;
  Committer committer{files};
};

/// Writes and commits a message with a body of `lines` lines; the id, or the error.
Result<std::string> deliver(Machine& machine, size_t lines, MessageWriter::Options options = {},
                            QueueName destination = QueueName::incoming,
                            Deadline deadline = Deadline::never()) {
  MessageWriter writer = TRY(MessageWriter::begin(machine.store, machine.committer, options));
  writer.append(RecordType::arrival_time, "1700000000 0");
  writer.append(RecordType::sender, "joe@sender.test");
  writer.append(RecordType::recipient, "ann@dest.test");
  writer.append(RecordType::message, "");
  uint64_t start = writer.position();
  for (size_t i = 0; i < lines; ++i)
    writer.append(RecordType::text, "a line of the body, number " + std::to_string(i));
  uint64_t stop = writer.append(RecordType::extracted, "");
  writer.append(RecordType::end, "");
  writer.fill_size(
      {.size = static_cast<int64_t>(stop - start), .offset = static_cast<int64_t>(start), .recipients = 1});
  writer.set_destination(destination);
  std::string id = writer.id();
  TRY(writer.commit(deadline));
  return id;
}

/// Reads a message to its last line, as a delivery would.
Result<size_t> count_lines(File& file) {
  Envelope envelope = TRY(read_envelope(file, 10));
  if (envelope.sender != "joe@sender.test" || envelope.recipients.size() != 1) {
    return fail(ErrorKind::invalid, "wrong envelope");
  }
  ContentReader content(file, envelope.size);
  for (size_t lines = 0;; ++lines) {
    auto piece = TRY(content.next());
    if (!piece) return lines;
    if (piece->text != "a line of the body, number " + std::to_string(lines)) {
      return fail(ErrorKind::invalid, "wrong content");
    }
  }
}

/// How often the body must have been read whole; 0 lines: the file is not a complete message.
size_t lines_at(Machine& machine, const std::string& path) {
  auto status = machine.files.status(path);
  if (!status || !is_complete(*status)) return 0;
  auto file = machine.files.open(path, OpenMode::read).value();
  return count_lines(*file).value_or(0);
}

TEST(MessageWriter, CommittedMessageIsCompleteAndReadable) {
  Machine machine;
  std::string id = deliver(machine, 5000).value();
  std::string path = machine.store.path(QueueName::incoming, id);
  EXPECT_EQ(lines_at(machine, path), 5000U);
  EXPECT_EQ(machine.files.status(path)->mode, kCompleteMode);
}

TEST(MessageWriter, SmallMessageIsOneWriteAndOneSyncOfEachKind) {
  Machine machine;
  size_t before = machine.files.calls();
  ASSERT_TRUE(deliver(machine, 10));
  // create, stat, rename, write, chmod, fsync, fsync of the directory.
  EXPECT_EQ(machine.files.calls() - before, 7U);
}

TEST(MessageWriter, UnfinishedMessageIsRemoved) {
  Machine machine;
  {
    auto writer = MessageWriter::begin(machine.store, machine.committer).value();
    writer.append(RecordType::sender, "a");
    EXPECT_EQ(machine.files.all_files().size(), 1U);
    MessageWriter moved = std::move(writer);
    EXPECT_EQ(machine.files.all_files().size(), 1U);
  }
  EXPECT_THAT(machine.files.all_files(), IsEmpty());
}

TEST(MessageWriter, FailureAtAnyCallLeavesNoFile) {
  for (int error : {ENOSPC, EDQUOT, EIO}) {
    for (size_t call = 1;; ++call) {
      Machine machine;
      machine.files.fail_at(call, error);
      size_t before = machine.files.calls();
      auto id = deliver(machine, 5000);
      if (machine.files.calls() - before < call) break;  // The fault was not reached.
      ASSERT_FALSE(id) << call;
      EXPECT_EQ(is_disk_full(id.error()), error != EIO) << call;
      EXPECT_THAT(machine.files.all_files(), IsEmpty()) << call;
      ASSERT_LT(call, 100U);
    }
  }
}

TEST(MessageWriter, SyncIsNotTriedAgainAfterAFailure) {
  Machine machine;
  ASSERT_TRUE(deliver(machine, 10));
  size_t calls_of_one = 7;
  Machine other;
  size_t before = other.files.calls();
  other.files.fail_at(6, EIO);  // fsync
  EXPECT_FALSE(deliver(other, 10));
  EXPECT_EQ(other.files.calls() - before, calls_of_one);  // The seventh is the removal.
}

TEST(MessageWriter, FileThatCannotBeRemovedIsNotComplete) {
  Machine machine;
  auto writer = MessageWriter::begin(machine.store, machine.committer).value();
  writer.append(RecordType::end, "");
  std::string path = machine.store.path(QueueName::incoming, writer.id());
  ASSERT_TRUE(writer.file().set_mode(kCompleteMode));
  machine.files.fail_at(1, EIO);
  writer.abort();
  EXPECT_EQ(machine.files.status(path)->mode, kIncompleteMode);
}

/// The promise behind a 250, at every call of a delivery and for every way to crash.
void crash_everywhere(const Layout& layout, QueueName destination, MessageWriter::Options options) {
  constexpr size_t kLines = 4000;
  for (size_t call = 1;; ++call) {
    bool reached = false;
    for (Crash crash : kCrashes) {
      for (unsigned seed = 1; seed <= (crash == Crash::keeps_some ? 20U : 1U); ++seed) {
        Machine machine(layout);
        size_t before = machine.files.calls();
        machine.files.crash_at(call);
        auto id = deliver(machine, kLines, options, destination);
        reached = machine.files.calls() - before >= call;
        machine.files.restart(crash, seed);
        size_t complete = 0;
        for (const std::string& path : machine.files.all_files()) {
          if (lines_at(machine, path) == kLines) ++complete;
        }
        if (id) {
          EXPECT_EQ(complete, 1U) << "lost after success, crash at call " << call;
          EXPECT_EQ(lines_at(machine, machine.store.path(destination, *id)), kLines);
        } else {
          EXPECT_LE(complete, 1U);
        }
      }
    }
    if (!reached) return;
    ASSERT_LT(call, 100U);
  }
}

TEST(MessageWriter, WhatWasPromisedSurvivesACrashAtAnyCall) {
  crash_everywhere({}, QueueName::incoming, {});
}

TEST(MessageWriter, AlsoInHashedDirectories) {
  crash_everywhere({.hashed = {"incoming"}, .hash_depth = 2}, QueueName::incoming, {});
}

TEST(MessageWriter, AlsoOnHold) {
  crash_everywhere({.hashed = {"hold"}}, QueueName::hold, {});
}

TEST(MessageWriter, CrashAfterSuccessLosesNothing) {
  for (Crash crash : kCrashes) {
    Machine machine;
    std::string id = deliver(machine, 100).value();
    machine.files.restart(crash);
    EXPECT_EQ(lines_at(machine, machine.store.path(QueueName::incoming, id)), 100U);
  }
}

TEST(MessageWriter, MaildropFilesHaveTheirOwnMode) {
  Machine machine;
  auto writer = MessageWriter::begin(machine.store, machine.committer,
                                     {.queue = QueueName::maildrop, .size_record = false, .extra_mode = 0044})
                    .value();
  EXPECT_EQ(writer.append(RecordType::end, ""), 0U);
  std::string id = writer.id();
  ASSERT_TRUE(writer.commit(Deadline::never()));
  EXPECT_EQ(machine.store.status(QueueName::maildrop, id)->mode, 0744U);
}

TEST(MessageWriter, PatchesReachWrittenAndBufferedBytes) {
  Machine machine;
  auto writer = MessageWriter::begin(machine.store, machine.committer, {.size_record = false}).value();
  uint64_t first = writer.append_pointer(0);
  writer.append(RecordType::text, std::string(70'000, 'x'));  // Passes the 64 kB that are written at once.
  uint64_t last = writer.append_pointer(0);
  writer.patch_pointer(first, 11);
  writer.patch_pointer(last, 22);
  writer.patch(64 * 1024 - 2, "abcd");
  writer.patch(writer.position() - 1, "too much");
  EXPECT_TRUE(writer.error());
  std::string bytes = machine.files.content(machine.store.path(QueueName::incoming, writer.id()));
  EXPECT_EQ(bytes.substr(2, 15), pointer_text(11));
  EXPECT_EQ(bytes.substr(64 * 1024 - 2), "ab");
}

TEST(MessageWriter, PatchedFileReadsBack) {
  Machine machine;
  auto writer = MessageWriter::begin(machine.store, machine.committer, {.size_record = false}).value();
  uint64_t slot = writer.append_pointer(0);
  writer.append(RecordType::text, std::string(70'000, 'x'));
  uint64_t target = writer.append(RecordType::sender, "s");
  writer.patch_pointer(slot, target);
  writer.patch(target + 2, "t");
  ASSERT_TRUE(writer.flush());
  RecordReader reader(writer.file());
  EXPECT_EQ(reader.next().value()->data, "t");
}

TEST(MessageWriter, WriteErrorIsKept) {
  Machine machine;
  auto writer = MessageWriter::begin(machine.store, machine.committer).value();
  machine.files.fail_at(1, ENOSPC);
  writer.append(RecordType::text, std::string(70'000, 'x'));
  ASSERT_TRUE(writer.error());
  EXPECT_TRUE(is_disk_full(*writer.error()));
  writer.append(RecordType::text, std::string(70'000, 'x'));
  auto committed = writer.commit(Deadline::never());
  ASSERT_FALSE(committed);
  EXPECT_TRUE(is_disk_full(committed.error()));
}

TEST(MessageWriter, DeadlineEndsTheWaitAndRemovesTheFile) {
  io::run_with_loop([] {
    Machine machine;
    machine.files.hold_syncs(true);
    auto id = deliver(machine, 10, {}, QueueName::incoming, Deadline::after(milliseconds(1)));
    ASSERT_FALSE(id);
    EXPECT_EQ(id.error().kind, ErrorKind::timeout);
    EXPECT_THAT(machine.files.all_files(), IsEmpty());
    machine.files.hold_syncs(false);
    // The thread that syncs lives on until it has finished; the machine must outlive it.
    ASSERT_TRUE(machine.committer.sync_directory("incoming", Deadline::never()));
  });
}

}  // namespace
}  // namespace postrider::queue
