// What stands in the queue file for sender and recipients.
#include "support.h"

namespace postrider::cleanup {
namespace {

using queue::RecordType;
using EnvelopeTest = CleanupTest;

TEST_F(EnvelopeTest, RecordsStandInPostfixsOrder) {
  Input in;
  in.add(RecordType::filter, "smtp:[127.0.0.1]:10025");
  in.add(RecordType::arrival_time, "1700000000 5");
  in.attribute("log_ident", "X")
      .attribute("rewrite_context", "local")
      .attribute("envelope_id", "e1")
      .attribute("ret_flags", "2");
  in.add(RecordType::sender, "joe@sender.example").attribute("log_client_name", "localhost");
  in.attribute("notify_flags", "4")
      .attribute("dsn_orig_rcpt", "rfc822;x@y")
      .add(RecordType::recipient, "ann");
  in.add(RecordType::recipient, "bob").content({"Content-Transfer-Encoding: 8bit", "", "x"}).end();
  Outcome out = submit(
      "always_bcc = archive\ndelay_warning_time = 1h\nsender_bcc_maps = static:out@copy.example\n", in);
  EXPECT_EQ(out.records,
            "content_filter: smtp:[127.0.0.1]:10025\n"
            "named_attribute: log_ident=X\n"
            "named_attribute: rewrite_context=local\n"
            "named_attribute: envelope_id=e1\n"
            "named_attribute: ret_flags=2\n"
            "sender: joe@sender.example\n"
            "named_attribute: notify_flags=1\n"
            "original_recipient: out@copy.example\n"
            "recipient: out@copy.example\n"
            "named_attribute: log_client_name=localhost\n"
            "warning_message_time:      1700003600\n"
            "named_attribute: notify_flags=4\n"
            "named_attribute: dsn_orig_rcpt=rfc822;x@y\n"
            "original_recipient: ann\n"
            "recipient: ann@mx.example\n"
            "named_attribute: dsn_orig_rcpt=rfc822;bob@mx.example\n"
            "original_recipient: bob\n"
            "recipient: bob@mx.example\n"
            "message_content: \n"
            "extracted_info: \n"
            "named_attribute: encoding=8bit\n"
            "named_attribute: notify_flags=1\n"
            "original_recipient: archive@mx.example\n"
            "recipient: archive@mx.example\n"
            "message_end: \n");
  EXPECT_EQ(out.size.flags, 4 << queue::kNotifyShift);
}

TEST_F(EnvelopeTest, RecordsBetweenRecipientsAreTheQueueManagersToKnow) {
  Input in = Input::envelope("joe");
  in.add(RecordType::recipient, "ann").attribute("encoding", "8bit").add(RecordType::recipient, "bob");
  Outcome out = submit("", in.content({"", "x"}).end());
  EXPECT_EQ(out.size.flags, queue::kMixedRecipients);
}

TEST_F(EnvelopeTest, BouncesHaveNoSender) {
  EXPECT_EQ(submit("delay_warning_time = 1h\n", Input::mail("mailer-daemon", {"ann"}, {"", "x"})).records,
            "named_attribute: rewrite_context=local\nsender: \n"
            "named_attribute: dsn_orig_rcpt=rfc822;ann@mx.example\noriginal_recipient: ann\nrecipient: "
            "ann@mx.example\n"
            "message_content: \nextracted_info: \nmessage_end: \n");
}

TEST_F(EnvelopeTest, ARecipientWithoutAddressIsTheAdministratorsToName) {
  EXPECT_EQ(submit("empty_address_recipient = nobody\n", Input::mail("joe", {""}, {"", "x"})).envelope,
            "S:joe@mx.example R:nobody@mx.example()");
}

TEST_F(EnvelopeTest, AddressesAreAskedForAtOnce) {
  submit("", Input::mail("joe", {"ann", "bob", "eve"}, {"Subject: x", "From: joe", "", "x"}), kAllFlags,
         5000);
  EXPECT_EQ(questions_, 1);
}

TEST_F(EnvelopeTest, DuplicatesAreDroppedUpToALimit) {
  Input in = Input::mail("joe", {"ann@x", "ANN@x", "bob@x", "eve@x", "eve@x"}, {"", "x"});
  EXPECT_EQ(submit("duplicate_filter_limit = 0\n", in).envelope,
            "S:joe@mx.example R:ann@x(ann@x) R:bob@x(bob@x) R:eve@x(eve@x)");
  EXPECT_EQ(submit("duplicate_filter_limit = 2\n", in).envelope,
            "S:joe@mx.example R:ann@x(ann@x) R:bob@x(bob@x) R:eve@x(eve@x) R:eve@x(eve@x)");
}

TEST_F(EnvelopeTest, WithoutOriginalRecipientsOnlyTheAddressCounts) {
  Input in = Input::mail("joe", {"a@x", "b@x"}, {"", "x"});
  std::string maps = "virtual_alias_maps = inline:{ {a@x=c@x} {b@x=c@x} }\n";
  EXPECT_EQ(submit(maps, in).envelope, "S:joe@mx.example R:c@x(a@x) R:c@x(b@x)");
  EXPECT_EQ(submit(maps + "enable_original_recipient = no\n", in).envelope, "S:joe@mx.example R:c@x(a@x)");
}

TEST_F(EnvelopeTest, CopiesGoWhereTheMapsSay) {
  std::string main_cf =
      "recipient_delimiter = +\nvirtual_alias_maps = inline:{ {audit@x=auditor@x} }\n"
      "recipient_bcc_maps = inline:{ {bob@x=audit+in@x} }\nsender_bcc_maps = inline:{ {joe@x=out@x} }\n";
  EXPECT_EQ(submit(main_cf, Input::mail("joe@x", {"bob+e@x"}, {"", "x"})).envelope,
            "S:joe@x R:out@x(out@x) R:bob+e@x(bob+e@x) R:auditor+in@x(audit+in@x)");
  EXPECT_EQ(submit(main_cf, Input::mail("joe@x", {"bob@x"}, {"", "x"}), proto::kCleanupMap).envelope,
            "S:joe@x R:bob@x(bob@x)");
}

TEST_F(EnvelopeTest, AnExpansionIsSuccessForWhoAskedForReports) {
  std::string maps = "virtual_alias_maps = inline:{ {all@x = a@x, b@x} {self@x = self@x} }\n";
  Input in = Input::envelope("joe");
  in.attribute("notify_flags", "6").add(RecordType::recipient, "all@x");
  in.attribute("notify_flags", "2").add(RecordType::recipient, "self@x");
  in.attribute("notify_flags", "2").add(RecordType::recipient, "all@x");
  Outcome out = submit(maps, in.content({"", "x"}).end());
  EXPECT_EQ(reports_, "expanded all@x 2.0.0 alias expanded\nexpanded all@x 2.0.0 alias expanded\n");
  EXPECT_NE(out.records.find("notify_flags=4\nnamed_attribute: dsn_orig_rcpt=rfc822;all@x\n"
                             "original_recipient: all@x\nrecipient: b@x\n"),
            std::string::npos);
  EXPECT_NE(out.records.find("notify_flags=2\nnamed_attribute: dsn_orig_rcpt=rfc822;self@x\n"),
            std::string::npos);
  EXPECT_NE(out.records.find("notify_flags=1\nnamed_attribute: dsn_orig_rcpt=rfc822;all@x\n"),
            std::string::npos);
}

TEST_F(EnvelopeTest, NothingIsSaidOfOriginalRecipientsThatClientsDisclaim) {
  Input in = Input::envelope("joe");
  in.attribute("dsn_orig_rcpt", "").attribute("notify_flags", "1").add(RecordType::recipient, "ann@x");
  Outcome out = submit("", in.content({"", "x"}).end());
  EXPECT_EQ(out.records.find("dsn_orig_rcpt"), std::string::npos);
}

TEST_F(EnvelopeTest, UsersMayAskForSafety) {
  auto options = [&](const std::string& value) {
    Input in = Input::envelope("joe");
    in.attribute("sendopts", value).add(RecordType::recipient, "ann@x");
    Outcome out = submit("", in.content({"", "x"}).end());
    EXPECT_EQ(out.records.find("sendopts"), std::string::npos);
    return out.size.send_options;
  };
  EXPECT_EQ(options("32"), queue::kRequireTls);
  EXPECT_EQ(options("33"), queue::kRequireTls | queue::kSmtputf8Requested);
  EXPECT_EQ(options("48"), queue::kRequireTls);  // The rest is not for users to say.
}

TEST_F(EnvelopeTest, Utf8IsNoticed) {
  auto options = [&](const Input& in, uint32_t flags) {
    return submit("", in, kAllFlags | flags).size.send_options;
  };
  Input ascii = Input::mail("joe", {"ann@x"}, {"Subject: x", "", "\xc3\xbc"});
  Input header = Input::mail("joe", {"ann@x"}, {"Subject: \xc3\xbc", "", ""});
  Input sender = Input::mail("j\xc3\xb6@x", {"ann@x"}, {"From: x", "", ""});
  Input recipient = Input::mail("joe", {"\xc3\xa4nn@x"}, {"Subject: x", "", ""});
  constexpr uint32_t kAuto = proto::kCleanupAutoUtf8;
  EXPECT_EQ(options(ascii, 0), 0);
  EXPECT_EQ(options(ascii, kAuto), 0);
  EXPECT_EQ(options(ascii, proto::kCleanupSmtpUtf8), queue::kSmtputf8Requested);
  EXPECT_EQ(options(header, 0), queue::kSmtputf8Header);
  EXPECT_EQ(options(header, kAuto), queue::kSmtputf8Header | queue::kSmtputf8Requested);
  EXPECT_EQ(options(sender, 0), queue::kSmtputf8Sender);
  EXPECT_EQ(options(sender, kAuto), queue::kSmtputf8Sender | queue::kSmtputf8Requested);
  EXPECT_EQ(options(recipient, 0), 0);
  EXPECT_EQ(options(recipient, kAuto), queue::kSmtputf8Requested);
}

}  // namespace
}  // namespace postrider::cleanup
