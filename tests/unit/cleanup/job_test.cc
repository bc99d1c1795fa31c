// From a client's records to a message in the queue, and what happens when that cannot be.
#include "support.h"

namespace postrider::cleanup {
namespace {

using queue::RecordType;
using JobTest = CleanupTest;

TEST_F(JobTest, HoldPutsTheMessageAside) {
  Outcome out = submit("", Input::mail("joe", {"ann"}, {"", "x"}), proto::kCleanupHold);
  EXPECT_EQ(out.status.problems, 0U);
  EXPECT_EQ(out.envelope, "held S:joe@mx.example R:ann@mx.example(ann)");
}

TEST_F(JobTest, DiscardAcceptsAndDrops) {
  Outcome out = submit("", Input::mail("joe", {"ann"}, {"", "x"}), proto::kCleanupDiscard);
  EXPECT_EQ(out.status.problems, 0U);
  EXPECT_EQ(out.envelope, "");
  EXPECT_TRUE(logged(out.id + ": removed (discarded)"));
}

TEST_F(JobTest, AccessDecisionsComeBehindTheContent) {
  Input in = Input::envelope("joe").add(RecordType::recipient, "ann").content({"", "x"});
  in.add(RecordType::flags, std::to_string(proto::kCleanupHold)).end();
  EXPECT_EQ(submit("", in).envelope, "held S:joe@mx.example R:ann@mx.example(ann)");
}

TEST_F(JobTest, AMessageWithoutRecipientsIsRefused) {
  Outcome out = submit("", Input::mail("joe", {}, {"", "x"}));
  EXPECT_EQ(out.status.problems, static_cast<uint32_t>(proto::kProblemRecipients));
  EXPECT_TRUE(logged(out.id + ": removed (canceled)"));
  EXPECT_TRUE(sys::list_directory("incoming").value().empty());
}

TEST_F(JobTest, RecordsMayBeSplitBetweenFramesAnywhere) {
  Input input = Input::mail("joe", {"ann"}, {"Subject: x", "", std::string(3000, 'y'), "z"});
  std::string whole = submit("always_bcc = x@y\n", input, kAllFlags, 50'000).content;
  std::string bytes = submit("always_bcc = x@y\n", input, kAllFlags, 1).content;
  EXPECT_NE(bytes.find(std::string(3000, 'y') + "\nz\n"), std::string::npos);
  EXPECT_EQ(whole.size(), bytes.size());
}

TEST_F(JobTest, AMessageWithoutItsEndIsNoMessage) {
  Input in = Input::envelope("joe").add(RecordType::recipient, "ann").content({"", "x"});
  Outcome out = submit("", in);
  EXPECT_EQ(out.status.problems, static_cast<uint32_t>(proto::kProblemBad));
  EXPECT_EQ(out.envelope, "");
}

TEST_F(JobTest, BadRecordsAreRefused) {
  auto problems = [&](const Input& in) {
    return submit("", in, kAllFlags | proto::kCleanupBounce).status.problems;
  };
  constexpr uint32_t kBad = proto::kProblemBad;
  EXPECT_EQ(problems(Input().add(RecordType::recipient, "ann").end()), kBad);
  EXPECT_TRUE(logged("message rejected: missing sender envelope record"));
  EXPECT_EQ(problems(Input().add(RecordType::sender, "a").add(RecordType::recipient, "ann").end()), kBad);
  EXPECT_TRUE(logged("message rejected: missing time envelope record"));
  EXPECT_EQ(problems(Input::envelope("a").add(RecordType::sender, "b").end()), kBad);
  EXPECT_TRUE(logged("message rejected: multiple envelope sender records"));
  EXPECT_EQ(problems(Input::envelope("a").attribute("rewrite_context", "x").end()), kBad);
  EXPECT_TRUE(logged("message rejected: bad rewriting context: x"));
  EXPECT_EQ(problems(Input::envelope("a").add(RecordType::text, "x").end()), kBad);
  EXPECT_TRUE(logged("message rejected: unexpected record type 78 in initial envelope"));
  EXPECT_EQ(problems(Input::envelope("a").add(RecordType::message, "").add(RecordType::sender, "x").end()),
            kBad);
  EXPECT_TRUE(logged("message rejected: unexpected record type 83 in message content"));
  EXPECT_EQ(problems(Input::envelope("a").content({}).add(RecordType::text, "x").end()), kBad);
  EXPECT_TRUE(logged("message rejected: unexpected record type 78 in extracted envelope"));
  EXPECT_EQ(reports_, "");
  EXPECT_TRUE(sys::list_directory("incoming").value().empty());
}

TEST_F(JobTest, AttributesHaveALimit) {
  Input in = Input::envelope("joe");
  for (int i = 0; i < 10; ++i)
    in.attribute("name" + std::to_string(i), "x");
  in.add(RecordType::recipient, "ann").content({"", "x"}).end();
  EXPECT_EQ(submit("queue_file_attribute_count_limit = 11\n", in).status.problems, 0U);
  EXPECT_EQ(submit("queue_file_attribute_count_limit = 10\n", in).status.problems,
            static_cast<uint32_t>(proto::kProblemBad));
  EXPECT_TRUE(logged("message rejected: attribute count exceeds limit 10"));
}

TEST_F(JobTest, AQueueFileHasALimit) {
  Input in = Input::mail("joe", {"ann"}, {"", std::string(1900, 'x'), std::string(1900, 'x')});
  EXPECT_EQ(submit("message_size_limit = 5000\n", in).status.problems, 0U);
  Outcome out = submit("message_size_limit = 3000\n", in);
  EXPECT_EQ(out.status.problems, static_cast<uint32_t>(proto::kProblemSize));
  EXPECT_TRUE(logged("queue file size limit exceeded"));
  EXPECT_EQ(out.envelope, "");
  // Blocks of 4096 bytes are complained about as they are written, the rest at the end.
  EXPECT_TRUE(logged("mail_stream_cleanup: close error"));
}

TEST_F(JobTest, AProbeOfAListDoesNotGoToItsMembers) {
  Input in = Input::envelope("double-bounce").attribute("trace_flags", "256");
  in.add(RecordType::recipient, "list@x").content({"", "x"}).end();
  Outcome out = submit("virtual_alias_maps = inline:{{list@x = a@x, b@x}}\n", in);
  EXPECT_EQ(out.status.problems, 0U);
  EXPECT_EQ(out.envelope, "S:double-bounce@mx.example");
}

TEST_F(JobTest, WhatIsRefusedIsBouncedForClientsThatCannot) {
  Input in = Input::mail("joe", {"ann", "bob"}, {"Subject: bad", "", "x"});
  Outcome out = submit("header_checks = pcre:{{/^Subject: bad/ REJECT 5.7.9 No such mail}}\n", in,
                       kAllFlags | proto::kCleanupBounce);
  EXPECT_EQ(out.status.problems, 0U);
  EXPECT_EQ(out.envelope, "");
  EXPECT_EQ(reports_,
            "failed ann@mx.example 5.7.9 No such mail\nfailed bob@mx.example 5.7.9 No such mail\n"
            "notice to <joe@mx.example> ret 2\n");
  EXPECT_TRUE(logged("to=<ann@mx.example>, orig_to=<ann>, relay=none, delay="));
  EXPECT_TRUE(logged("dsn=5.7.9, status=bounced (No such mail)"));
  EXPECT_TRUE(logged(out.id + ": removed (discarded)"));
}

TEST_F(JobTest, ABounceThatCannotBeSentKeepsTheMessageWithTheClient) {
  bounce_fails_ = true;
  Input in = Input::mail("joe", {"ann"}, {"Received: a", "Received: b", "", "x"});
  Outcome out = submit("hopcount_limit = 2\n", in, kAllFlags | proto::kCleanupBounce);
  EXPECT_EQ(out.status.problems, static_cast<uint32_t>(proto::kProblemWrite));
  EXPECT_EQ(out.envelope, "");
  EXPECT_TRUE(logged(out.id + ": bounce message failure"));
}

TEST_F(JobTest, WhatMayWorkLaterIsNotBounced) {
  Input in = Input::mail("joe", {"ann"}, {"", "x"});
  Outcome out = submit("virtual_alias_maps = fail:x\n", in, kAllFlags | proto::kCleanupBounce);
  EXPECT_EQ(out.status.problems, static_cast<uint32_t>(proto::kProblemWrite));
  EXPECT_EQ(reports_, "");
}

TEST_F(JobTest, AClientThatGoesAwayLeavesNothingBehind) {
  config::Config config = load("");
  io::run_with_loop([&] {
    serve_others();
    Workshop workshop(config);
    auto pair = sys::make_socket_pair(SOCK_STREAM).value();
    bool served = false;
    io::Condition done;
    io::spawn([&, fd = std::move(pair.second)]() mutable {
      ipc::Connection server(io::Stream(std::move(fd)), "cleanup");
      EXPECT_TRUE(serve(workshop, server));
      served = true;
      done.notify_all();
    });
    {
      ipc::Connection client(io::Stream(std::move(pair.first)), "test");
      ASSERT_TRUE(client.send(proto::CleanupBegin{}, soon()));
      ASSERT_TRUE(client.receive_as<proto::CleanupQueueId>(soon()));
      EXPECT_EQ(sys::list_directory("incoming").value().size(), 1U);
    }
    while (!served)
      ASSERT_TRUE(done.wait(soon()));
    EXPECT_TRUE(sys::list_directory("incoming").value().empty());
    EXPECT_TRUE(logged(": removed (canceled)"));
  });
}

}  // namespace
}  // namespace postrider::cleanup
