// Headers, MIME and checks.
#include "support.h"

namespace postrider::cleanup {
namespace {

using ContentTest = CleanupTest;

Input mail(const std::vector<std::string>& lines, std::string_view context = "remote") {
  return Input::mail("joe@x", {"ann@x"}, lines, context);
}

TEST_F(ContentTest, CompletesAddressesAndMissingHeaders) {
  Outcome out =
      submit("", Input::mail("joe", {"ann", "bob@example.org"}, {"Subject: x", "To: ann", "", "body"}));
  EXPECT_EQ(out.status.problems, 0U);
  EXPECT_EQ(out.envelope, "S:joe@mx.example R:ann@mx.example(ann) R:bob@example.org(bob@example.org)");
  size_t id = out.content.find("Message-Id: <20");
  ASSERT_NE(id, std::string::npos);
  std::string message_id = out.content.substr(id, out.content.find('\n', id) - id);
  EXPECT_TRUE(message_id.ends_with("." + out.id + "@mx.example>"));
  EXPECT_EQ(out.content, "Subject: x\nTo: ann@mx.example\n" + message_id +
                             "\nDate: Tue, 14 Nov 2023 22:13:20 +0000 (UTC)\nFrom: joe@mx.example\n\nbody\n");
  EXPECT_TRUE(logged(out.id + ": message-id=" + message_id.substr(12)));
}

TEST_F(ContentTest, ALongQueueIdNeedsNoTimeInTheMessageId) {
  Outcome out = submit("enable_long_queue_ids = yes\n", mail({"Subject: x", "", ""}, "local"));
  EXPECT_NE(out.content.find("\nMessage-Id: <" + out.id + "@mx.example>\n"), std::string::npos);
}

TEST_F(ContentTest, LeavesTheHeadersOfOutsidersAlone) {
  Outcome out = submit("", mail({"From: joe", "", "body"}));
  EXPECT_EQ(out.content, "From: joe\n\nbody\n");
  EXPECT_TRUE(logged(": message-id=<>"));
  out = submit(
      "remote_header_rewrite_domain = remote.example\nundisclosed_recipients_header = To: undisclosed\n",
      mail({"From: joe", "Date: x", "Message-ID:  <1> ", "", "body"}));
  EXPECT_EQ(out.content, "From: joe@remote.example\nDate: x\nMessage-ID:  <1> \nTo: undisclosed\n\nbody\n");
  EXPECT_TRUE(logged(": message-id=<1> "));
}

TEST_F(ContentTest, ResentMailGetsResentHeaders) {
  Outcome out =
      submit("", mail({"From: a@x", "Message-Id: <1>", "Date: d", "Resent-To: b", "", ""}, "local"));
  EXPECT_NE(out.content.find("Resent-To: b@mx.example\nResent-Message-Id: <"), std::string::npos);
  EXPECT_NE(out.content.find("\nResent-Date: Tue, 14 Nov 2023 22:13:20 +0000 (UTC)\nResent-From: joe@x\n\n"),
            std::string::npos);
  EXPECT_TRUE(logged(": resent-message-id=<"));
}

TEST_F(ContentTest, AFullNameIsQuotedOrEncoded) {
  auto from = [&](std::string_view full_name, const std::string& main_cf = "") {
    Input in = Input().add(queue::RecordType::full_name, full_name);
    in.records += mail({"Subject: x", "", ""}, "local").records;
    std::string content = submit(main_cf, in).content;
    size_t at = content.find("From: ");
    return content.substr(at, content.find("\n\n") - at);
  };
  EXPECT_EQ(from("Joe  User "), "From: Joe User <joe@x>");
  EXPECT_EQ(from("J. User"), "From: \"J. User\" <joe@x>");
  EXPECT_EQ(from("J. User", "header_from_format = obsolete\n"), "From: joe@x (J. User)");
  EXPECT_EQ(from("J\xc3\xb6"), "From: =?utf-8?Q?J=C3=B6?= <joe@x>");
}

TEST_F(ContentTest, SomeHeadersAreDropped) {
  Outcome out =
      submit("", mail({"bcc: a@x", "Return-Path: <y>", "Content-Length: 1", "X-Bcc: z", "", "Bcc: stays"}));
  EXPECT_EQ(out.content, "X-Bcc: z\n\nBcc: stays\n");
  out = submit("message_drop_headers = x-bcc, date\n", mail({"Bcc: a@x", "X-BCC : z", "DATE: a", "", ""}));
  EXPECT_EQ(out.content, "Bcc: a@x\n\n\n");
}

TEST_F(ContentTest, AddressHeadersKeepTheirShape) {
  Outcome out = submit("", mail({"to : \"A, B\" <ann>, (c) bob", "\t(d)", "Cc: Group: a, b;, <@r:c@x>",
                                 "Reply-To: <>", "Sender: a@x (kept   as is)", "", ""},
                                "local"));
  EXPECT_EQ(out.content.substr(0, out.content.find("Message-Id")),
            "to: \"A, B\" <ann@mx.example>, bob@mx.example (c) (d)\nCc: Group: a@mx.example, b@mx.example;, "
            "<@r:c@x>\n"
            "Reply-To: <>\nSender: a@x (kept   as is)\n");
}

TEST_F(ContentTest, TooManyHopsAreRefused) {
  std::vector<std::string> lines(5, "Received: from x");
  lines.insert(lines.end(), {"", "Received: x"});
  EXPECT_EQ(submit("hopcount_limit = 6\n", mail(lines)).status.problems, 0U);
  Outcome out = submit("hopcount_limit = 5\n", mail(lines));
  EXPECT_EQ(out.status.problems, static_cast<uint32_t>(proto::kProblemHops));
  EXPECT_TRUE(logged("message rejected: hopcount exceeded"));
}

TEST_F(ContentTest, LongHeadersAreCut) {
  Outcome out = submit("header_size_limit = 100\n",
                       mail({"X: " + std::string(90, 'a'), " " + std::string(90, 'b'), "Y: c", "", ""}));
  EXPECT_EQ(out.content, "X: " + std::string(90, 'a') + "\nY: c\n\n\n");
  // Not those that this system makes.
  out = submit("header_size_limit = 20\n",
               mail({"Message-Id: <1>", "From: x@y", "X: " + std::string(30, 'a'), "", ""}, "local"));
  EXPECT_EQ(out.content, "Message-Id: <1>\nFrom: x@y\nX: " + std::string(17, 'a') +
                             "\nDate: Tue, 14 Nov 2023 22:13:20 +0000 (UTC)\n\n\n");
}

TEST_F(ContentTest, StrayLineEndsAndUnwantedCharacters) {
  Input in = mail({"Subject: a\rb", "", "c\nd\001e"});
  EXPECT_EQ(submit("", in).content, "Subject: a b\n\nc d\001e\n");
  EXPECT_EQ(submit("message_strip_characters = \\001e\n", in).content, "Subjct: a b\n\nc d\n");
  EXPECT_EQ(submit("cleanup_replace_stray_cr_lf = no\n", in).content, "Subject: a\rb\n\nc\nd\001e\n");
  EXPECT_EQ(submit("", in, proto::kCleanupMap).content, "Subject: a\rb\n\nc\nd\001e\n");
  Outcome out = submit("message_reject_characters = \\0\\001\n", in);
  EXPECT_EQ(out.status.problems, static_cast<uint32_t>(proto::kProblemContent));
  EXPECT_EQ(out.status.reason, "5.7.1 disallowed character");
  EXPECT_TRUE(
      logged("reject: content c d?e from local; from=<joe@x> to=<ann@x>: 5.7.1 disallowed character"));
}

TEST_F(ContentTest, ChecksChangeLines) {
  Outcome out = submit(
      "header_checks = pcre:{{/^X-Ignore:/ IGNORE} {/^X-Strip:/ STRIP why} {/^X-Prepend: (.*)/ PREPEND "
      "X-Before: $$1}"
      " {/^X-Replace: (.*)/ REPLACE Date: $$1} {/^X-Info:/ INFO noticed} {/^X-Warn:/ WARN}}\n"
      "mime_header_checks =\nnested_header_checks =\n"
      "body_checks = pcre:{{/^ignore/ IGNORE} {/^prepend/ PREPEND before} {/^replace (.*)/ REPLACE with "
      "$$1}}\n",
      mail({"X-Ignore: a", "X-Strip: b", "X-Prepend: c", "X-Replace: d", "X-Info: e", "X-Warn: f",
            "Message-Id: <1>", "", "ignore me", "prepend me", "replace me", "X-Ignore: stays"},
           "local"));
  EXPECT_EQ(out.content,
            "X-Before: c\nX-Prepend: c\nDate: d\nX-Info: e\nX-Warn: f\nMessage-Id: <1>\nFrom: joe@x\n\n"
            "before\nprepend me\nwith me\nX-Ignore: stays\n");
  EXPECT_TRUE(logged(out.id + ": strip: header X-Strip: b from local; from=<joe@x> to=<ann@x>: why"));
  EXPECT_TRUE(logged(out.id + ": info: header X-Info: e from local; from=<joe@x> to=<ann@x>: noticed"));
  EXPECT_FALSE(logged("X-Ignore"));
}

TEST_F(ContentTest, ChecksDecideAboutTheMessage) {
  std::string main_cf =
      "header_checks = pcre:{{/^X-Reject:/ REJECT 4.7.1 later} {/^X-Hold/ HOLD} {/^X-Filter: (.*)/ FILTER "
      "$$1}"
      " {/^X-Redirect/ REDIRECT all@y} {/^X-Bcc/ BCC copy} {/^X-Copy/ BCC copy@y} {/^X-Discard/ DISCARD} "
      "{/^X-Pass/ PASS}}\n";
  Outcome out = submit(main_cf, mail({"X-Reject: a", "", ""}));
  EXPECT_EQ(out.status.problems, static_cast<uint32_t>(proto::kProblemDefer));
  EXPECT_EQ(out.status.reason, "4.7.1 later");
  EXPECT_EQ(submit(main_cf, mail({"X-Pass: a", "X-Reject: a", "", ""})).status.problems, 0U);
  out = submit(main_cf, mail({"X-Discard: a", "", ""}));
  EXPECT_EQ(out.status.problems, 0U);
  EXPECT_EQ(out.envelope, "");
  out = submit(main_cf, mail({"X-Hold: a", "X-Hold: b", "X-Copy: x", "X-Filter: a:b", "X-Filter: c:d",
                              "X-Redirect: x", "X-Reject: x", "", ""}));
  EXPECT_EQ(out.envelope, "held S:joe@x R:ann@x(ann@x) R:copy@y(copy@y)");
  EXPECT_NE(
      out.records.find(
          "extracted_info: \ncontent_filter: c:d\nredirect_to: all@y\nnamed_attribute: notify_flags=1\n"),
      std::string::npos);
  EXPECT_EQ(submit(main_cf, mail({"X-Reject: a", "", ""}), proto::kCleanupMap).status.problems, 0U);
}

TEST_F(ContentTest, NothingBehindANullByteOfAHeaderIsKept) {
  Input in = mail({"Subject: a", "X-N: b", "", "c"});
  size_t at = in.records.find("X-N: b");
  in.records[at + 4] = '\0';
  EXPECT_EQ(submit("", in).content, "Subject: a\nX-N:\n\nc\n");
}

TEST_F(ContentTest, ARefusedHeaderIsTheLastThingThatIsTold) {
  submit("header_checks = pcre:{{/^X-Reject:/ REJECT}}\n", mail({"Subject: a", "X-Reject: b", "", ""}));
  EXPECT_FALSE(logged("message-id="));
}

TEST_F(ContentTest, AFailingCheckTableRefusesForNow) {
  Outcome out = submit("body_checks = fail:x\n", mail({"", "x"}));
  EXPECT_EQ(out.status.problems, static_cast<uint32_t>(proto::kProblemWrite));
  EXPECT_TRUE(logged(out.id + ": body_checks map lookup problem -- message not accepted, try again later"));
}

TEST_F(ContentTest, StrictMime) {
  Input header = mail({"Subject: \xc3\xbc", "", ""}), body = mail({"Subject: x", "", "\xc3\xbc"});
  Input encoded =
      mail({"Content-Type: multipart/mixed; boundary=x", "Content-Transfer-Encoding: base64", "", "--x--"});
  auto reason = [&](const std::string& main_cf, const Input& in) {
    return submit(main_cf, in).status.reason;
  };
  EXPECT_EQ(reason("strict_7bit_headers = yes\n", header),
            "5.6.0 improper use of 8-bit data in message header");
  EXPECT_TRUE(
      logged("reject: mime-error improper use of 8-bit data in message header: Subject: \xc3\xbc from local; "
             "from=<joe@x> to=<ann@x>"));
  EXPECT_EQ(reason("strict_8bitmime_body = yes\n", body), "5.6.0 improper use of 8-bit data in message body");
  EXPECT_EQ(reason("strict_8bitmime = yes\n", body), "5.6.0 improper use of 8-bit data in message body");
  EXPECT_EQ(reason("strict_mime_encoding_domain = yes\n", encoded),
            "5.6.0 invalid message/* or multipart/* encoding domain");
  EXPECT_EQ(reason("strict_8bitmime = yes\ndisable_mime_input_processing = yes\n", body), "");
  EXPECT_EQ(submit("strict_8bitmime = yes\n", body, proto::kCleanupMap).status.problems, 0U);
}

TEST_F(ContentTest, AHeaderThatEndsWithoutEmptyLine) {
  Input in = mail({"Subject: x", "body", "more"});
  EXPECT_EQ(submit("", in).content, "Subject: x\n\nbody\nmore\n");
  EXPECT_EQ(submit("non_empty_end_of_header_action = add_header\n", in).content,
            "Subject: x\nMIME-Error: message header was not terminated by empty line\n\nbody\nmore\n");
  Outcome out = submit("non_empty_end_of_header_action = reject\n", in);
  EXPECT_EQ(out.status.reason, "5.6.0 primary header was terminated with non-empty line");
  EXPECT_TRUE(
      logged(": reject: mime-error primary header was terminated with non-empty line: body from local;"));
}

TEST_F(ContentTest, EightBitContentIsConvertedWhereAsked) {
  Outcome out = submit("force_mime_input_conversion = yes\n",
                       mail({"MIME-Version: 1.0", "Content-Transfer-Encoding: 8bit", "", "\xc3\xbc="}));
  EXPECT_EQ(out.content, "MIME-Version: 1.0\nContent-Transfer-Encoding: quoted-printable\n\n=C3=BC=3D\n");
  EXPECT_NE(out.records.find("encoding=7bit"), std::string::npos);
}

TEST_F(ContentTest, HeadersMayAskForOrAgainstTls) {
  auto options = [&](const std::string& header, const std::string& main_cf = "") {
    return submit(main_cf, mail({header, "", ""})).size.send_options;
  };
  EXPECT_EQ(options("TLS-Required: No "), queue::kTlsNotRequired);
  EXPECT_EQ(options("TLS-Required: yes"), 0);
  EXPECT_EQ(options("TLS-Required: no", "tls_required_enable = no\n"), 0);
  EXPECT_EQ(options("Require-TLS-ESMTP: yes"), queue::kRequireTls);
  EXPECT_EQ(options("Require-TLS-ESMTP: yes", "requiretls_esmtp_header = no\n"), 0);
  EXPECT_EQ(options("Require-TLS-ESMTP: yes", "requiretls_enable = no\n"), 0);
}

}  // namespace
}  // namespace postrider::cleanup
