#include "tools/sendmail/submit.h"

#include <gtest/gtest.h>

#include "maildrop/submission.h"
#include "sys/fd.h"
#include "tools/sendmail/header_recipients.h"

namespace postrider::sendmail {
namespace {

using queue::RecordType;

/// Keeps the records as text, "Rbob".
class Recorder : public Outlet {
 public:
  void put(RecordType type, std::string_view data) override {
    records.push_back(static_cast<char>(type) + std::string(data));
  }
  maildrop::Outcome finish() override { return {}; }
  std::vector<std::string> records;
};

using Texts = std::vector<std::string>;

struct Submitted {
  Result<void> result;
  Texts records;
};

Submitted run(const CommandLine& line, std::string_view message, const std::string& sender = "alice") {
  sys::Pipe pipe = sys::make_pipe().value();
  EXPECT_TRUE(sys::write_all(pipe.write.get(), message));
  pipe.write.reset();
  Input input(pipe.read.get(), {});
  Recorder recorder;
  Caller caller{.uid = 2000, .login = "alice", .full_name = "Alice"};
  auto result = submit(line, caller, sender, {}, input, recorder);
  return {result, recorder.records};
}

TEST(Submit, WritesEnvelopeAndContent) {
  CommandLine line;
  line.recipients = {"bob", "Carol C <carol@example.com>, dave"};
  line.envelope_id = "env1";
  line.ret = 2;
  line.notify = 12;
  line.encoding = "8bit";
  line.trace_flags = maildrop::kTraceRecord;
  line.verp_delimiters = "+=";
  EXPECT_EQ(
      run(line, "Subject: x\n\nbody").records,
      (Texts{"Aenvelope_id=env1", "Aret_flags=2", "Arewrite_context=local", "FAlice", "Salice",
             "Aencoding=8bit", "Atrace_flags=1024", "V+=", "Anotify_flags=12", "Rbob", "Anotify_flags=12",
             "Rcarol@example.com", "Anotify_flags=12", "Rdave", "M", "NSubject: x", "N", "Lbody", "X"}));
}

TEST(Submit, AnEmptyArgumentIsTheNullAddress) {
  CommandLine line;
  line.recipients = {""};
  line.full_name = "";
  EXPECT_EQ(run(line, "").records, (Texts{"Arewrite_context=local", "F", "Salice", "R", "M", "X"}));
}

TEST(Submit, WritesAMessageOfItsOwnForAProbe) {
  CommandLine line;
  line.recipients = {"bob", "carol"};
  line.trace_flags = maildrop::kTraceVerifyOnly;
  EXPECT_EQ(run(line, "ignored\n").records,
            (Texts{"Arewrite_context=local", "FAlice", "Salice", "Atrace_flags=512", "Rbob", "Rcarol", "M",
                   "NFrom: alice", "NSubject: probe", "LTo:", "N\tbob,", "N\tcarol", "X"}));
}

TEST(Submit, NeedsRecipients) {
  EXPECT_EQ(run({}, "x\n").result.error().text,
            "Recipient addresses must be specified on the command line or via the -t option");
  CommandLine line;
  line.recipients_from_header = true;
  EXPECT_EQ(run(line, "Subject: x\n\nTo: nobody\n").result.error().text,
            "No recipient addresses found in message header");
}

TEST(Submit, VerpNeedsASender) {
  CommandLine line;
  line.recipients = {"bob"};
  line.verp_delimiters = "+=";
  EXPECT_EQ(run(line, "x\n", "").result.error().text, "-V option requires non-null sender address");
}

TEST(Submit, TakesRecipientsFromTheHeader) {
  CommandLine line;
  line.recipients_from_header = true;
  line.notify = 2;
  Texts records =
      run(line, "From: x\nTo: a (comment), \"b c\"@d,\n e\nBcc: list: f, g;\nReply-To: no\n\nTo: body\n")
          .records;
  EXPECT_EQ(records, (Texts{"Arewrite_context=local",
                            "FAlice",
                            "Salice",
                            "M",
                            "NFrom: x",
                            "NTo: a (comment), \"b c\"@d,",
                            "N e",
                            "NBcc: list: f, g;",
                            "NReply-To: no",
                            "N",
                            "NTo: body",
                            "X",
                            "Anotify_flags=2",
                            "Ra",
                            "Anotify_flags=2",
                            "Rb c@d",
                            "Anotify_flags=2",
                            "Re",
                            "Anotify_flags=2",
                            "Rf",
                            "Anotify_flags=2",
                            "Rg"}));
}

TEST(Submit, ResentRecipientsReplaceTheOthers) {
  CommandLine line;
  line.recipients_from_header = true;
  line.recipients = {"extra"};
  Texts records = run(line, "To: a\nResent-To: r1\nCc: b\nResent-Bcc: r2\n\n").records;
  EXPECT_EQ(Texts(records.end() - 3, records.end()), (Texts{"X", "Rr1", "Rr2"}));
}

TEST(Submit, RefusesAHeaderThatIsTooLong) {
  CommandLine line;
  line.recipients_from_header = true;
  std::string message = "To: a\nX: ";
  for (int i = 0; i < 60; ++i)
    message += std::string(1000, 'x') + "\n ";
  EXPECT_TRUE(run(line, message).result);
  HeaderRecipients header(1000, 100, [](std::string_view, bool) {});
  header.put("To: a", true);
  for (int i = 0; i < 20; ++i)
    header.put("X: " + std::string(90, 'x'), false);
  header.finish();
  EXPECT_EQ(header.problem(), "message header length exceeds safety limit");
}

TEST(EnvelopeSender, IsTheLoginNameOrTheAddressGiven) {
  Caller caller{.uid = 2000, .login = "alice"};
  CommandLine line;
  EXPECT_EQ(envelope_sender(line, caller)->address, "alice");
  line.sender = "Joe Smith <joe@example.com>";
  EXPECT_EQ(envelope_sender(line, caller)->address, "joe@example.com");
  EXPECT_FALSE(envelope_sender(line, caller)->warning);
  line.sender = "a,b";
  EXPECT_EQ(envelope_sender(line, caller)->address, "a");
  EXPECT_EQ(envelope_sender(line, caller)->warning, "-f option specified malformed sender: a,b");
  line.sender = "";
  EXPECT_EQ(envelope_sender(line, caller)->address, "");
}

TEST(EnvelopeSender, NeedsALoginNameWithoutDashF) {
  EXPECT_EQ(envelope_sender({}, {.uid = 3333}).error().text, "no login name found for user ID 3333");
}

TEST(FullName, IsTheFirstFieldOfTheAccountComment) {
  EXPECT_EQ(full_name_of("Joe Smith,Room 5,123", "joe"), "Joe Smith");
  EXPECT_EQ(full_name_of("& Smith", "joe"), "Joe Smith");
  EXPECT_EQ(full_name_of("", "joe"), "");
}

}  // namespace
}  // namespace postrider::sendmail
