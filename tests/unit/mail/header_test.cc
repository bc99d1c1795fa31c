#include "mail/header.h"

#include <gtest/gtest.h>

#include "mail/address.h"
#include "mail/encoded_word.h"
#include "mail/trace_header.h"

namespace postrider::mail {
namespace {

TEST(HeaderName, EndsAtTheColon) {
  EXPECT_EQ(header_name_length("Subject: x"), 7U);
  EXPECT_EQ(header_name_length("X-y_z:"), 5U);
  EXPECT_EQ(header_name_length("A!#$%\"(): x"), 8U);
  EXPECT_EQ(header_name_length(">From: x"), 5U);
}

TEST(HeaderName, MayBeFollowedByBlanks) {
  EXPECT_EQ(header_name_length("Subject : x"), 7U);
  EXPECT_EQ(header_name_length("Subject \t: x"), 7U);
}

TEST(HeaderName, IsOfPrintableAscii) {
  for (const char* line : {"", "A", ":", " A: b", "A b: c", "From x: y", "\xc3\xbc: x", "A\xc3\xbc: x",
                           "A\x01: x", "A\x7f: x", "A\r: x", "A \v: x", "A\nB: c"}) {
    EXPECT_EQ(header_name_length(line), 0U) << line;
  }
}

TEST(HeaderTable, FindsNamesInAnySpelling) {
  const HeaderInfo* to = find_header("tO : x");
  ASSERT_NE(to, nullptr);
  EXPECT_EQ(to->type, HeaderType::to);
  EXPECT_EQ(to->name, "To");
  EXPECT_TRUE(to->recipient_addresses);
  EXPECT_TRUE(to->extract);
  EXPECT_FALSE(to->sender_addresses);
  EXPECT_EQ(find_header("Subject: x"), nullptr);
  EXPECT_EQ(find_header("T"), nullptr);
  EXPECT_EQ(find_header(""), nullptr);
  EXPECT_EQ(find_header("Content-Type")->type, HeaderType::content_type);
}

TEST(HeaderTable, KnowsWhatToDo) {
  EXPECT_TRUE(find_header("From")->sender_addresses);
  EXPECT_TRUE(find_header("Errors-To")->sender_addresses);
  EXPECT_TRUE(find_header("Apparently-To")->recipient_addresses);
  EXPECT_FALSE(find_header("Apparently-To")->extract);
  EXPECT_TRUE(find_header("Resent-Bcc")->extract);
  EXPECT_TRUE(find_header("Resent-Bcc")->resent);
  EXPECT_TRUE(find_header("Resent-Reply-To")->recipient_addresses);
  EXPECT_TRUE(find_header("MIME-Version")->mime);
  EXPECT_FALSE(find_header("Received")->has_addresses());
}

TEST(HeaderValue, BeginsAfterTheColonAndBlanks) {
  EXPECT_EQ(header_value("To:\n \t x y"), "x y");
  EXPECT_EQ(header_value("To:"), "");
  EXPECT_EQ(header_value("no colon"), "");
}

TEST(HeaderFold, FillsLinesWithAddresses) {
  std::string text =
      "To: " + write_external(parse_address_list("bob@site.test, carol@mx.site.test, y@x.site.test, "
                                                 "p@q.site.test, \"quoted name\" <alice@site.test>"),
                              ListLayout::header);
  EXPECT_EQ(fold_address_header(text),
            "To: bob@site.test, carol@mx.site.test, y@x.site.test, p@q.site.test,\n"
            "\t\"quoted name\" <alice@site.test>");
}

TEST(HeaderFold, AllowsSixtyNineCharacters) {
  std::string first = "To: " + std::string(60, 'a') + ",";  // 65
  EXPECT_EQ(fold_address_header(first + "\nb@c"), first + " b@c");
  EXPECT_EQ(fold_address_header(first + "\nbb@c"), first + "\n\tbb@c");
  // The tab of a continuation line does not count.
  std::string second = std::string(64, 'b') + ",";
  EXPECT_EQ(fold_address_header(first + "\n" + second + "\nccc"), first + "\n\t" + second + " ccc");
  EXPECT_EQ(fold_address_header(first + "\n" + second + "\ncccc"), first + "\n\t" + second + "\n\tcccc");
}

TEST(HeaderFold, KeepsWhiteSpaceThatIsThere) {
  std::string longline(70, 'x');
  EXPECT_EQ(fold_address_header("To: " + longline + "\n  y"), "To: " + longline + "\n  y");
  EXPECT_EQ(fold_address_header("To: (a\n  b)"), "To: (a   b)");
}

TEST(HeaderTruncate, CutsAtTheLimitOrTheLineBefore) {
  auto cut = [](std::string text, size_t limit) {
    truncate_header(text, limit);
    return text;
  };
  std::string first(40, 'a');
  EXPECT_EQ(cut(first, 40), first);
  EXPECT_EQ(cut(first + "b", 40), first);
  // 100 - 89 - 1 = 10 bytes are a tenth of the limit, 9 are not.
  std::string line89(89, 'a'), line90(90, 'a'), more(50, 'b');
  EXPECT_EQ(cut(line89 + "\n" + more, 100), line89 + "\n" + more.substr(0, 10));
  EXPECT_EQ(cut(line90 + "\n" + more, 100), line90);
}

TEST(HeaderAssembler, JoinsLinesAndPieces) {
  HeaderAssembler header(1000);
  EXPECT_TRUE(header.empty());
  header.start("Subject \t: x", 7);
  header.add_piece("y");
  header.add_line(" z");
  EXPECT_EQ(header.text(), "Subject: xy\n z");
  EXPECT_FALSE(header.truncated());
  header.clear();
  EXPECT_TRUE(header.empty());
}

TEST(HeaderAssembler, StopsAtTheLimit) {
  HeaderAssembler header(10);
  header.start("A: 123456", 1);  // 9
  header.add_line(" bcd");       // begins below the limit: whole
  header.add_line(" e");
  header.add_piece("f");
  EXPECT_EQ(header.text(), "A: 123456\n bcd");
  EXPECT_TRUE(header.truncated());
}

std::string words(std::string_view text, EncodedWordPlace place, std::string_view charset = "utf-8") {
  auto encoded = encode_words(text, place, charset, " ");
  return encoded ? *encoded : "error: " + encoded.error().text;
}

TEST(EncodedWord, ShortTextsAreInQ) {
  EXPECT_EQ(words("J\xc3\xb6rg M", EncodedWordPlace::phrase), "=?utf-8?Q?J=C3=B6rg_M?=");
  EXPECT_EQ(words("a_b=c?", EncodedWordPlace::comment), "=?utf-8?Q?a=5Fb=3Dc=3F?=");
}

TEST(EncodedWord, PlacesDifferInWhatMayAppear) {
  EXPECT_EQ(words("a.b(c)'!*+-/", EncodedWordPlace::phrase), "=?utf-8?Q?a=2Eb=28c=29=27!*+-/?=");
  EXPECT_EQ(words("a.b(c)'\\", EncodedWordPlace::comment), "=?utf-8?Q?a.b=28c=29'=5C?=");
}

TEST(EncodedWord, MostlyForeignTextsAreInBase64) {
  // Twenty bytes, ten of which need encoding.
  EXPECT_EQ(words("\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6"
                  "abcdefghij",
                  EncodedWordPlace::phrase),
            "=?utf-8?B?w7bDtsO2w7bDtmFiY2RlZmdoaWo=?=");
  EXPECT_EQ(words("\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6"
                  "abcdefghijkl",
                  EncodedWordPlace::phrase),
            "=?utf-8?Q?=C3=B6=C3=B6=C3=B6=C3=B6abcdefghijkl?=");
}

TEST(EncodedWord, LongTextsBecomeSeveralWordsOfWholeCharacters) {
  std::string text;
  for (int i = 0; i < 40; ++i)
    text += "\xe2\x82\xac";
  for (std::string_view sample : {text, text + std::string(200, 'a')}) {
    std::string encoded = words(sample, EncodedWordPlace::comment);
    size_t begin = 0, count = 0;
    while (begin < encoded.size()) {
      size_t end = std::min(encoded.find(' ', begin), encoded.size());
      EXPECT_LE(end - begin, 75U);
      begin = end + 1;
      ++count;
    }
    EXPECT_GT(count, 2U);
  }
  // 61 bytes of text fit in a word; a euro sign takes nine, so six of them, not six and a part.
  std::string q =
      words(std::string(40, 'a') + text.substr(0, 12) + std::string(30, 'b'), EncodedWordPlace::comment);
  EXPECT_EQ(q, "=?utf-8?Q?" + std::string(40, 'a') + "=E2=82=AC=E2=82=AC?= =?utf-8?Q?=E2=82=AC=E2=82=AC" +
                   std::string(30, 'b') + "?=");
}

TEST(EncodedWord, TheCharsetNameMustFit) {
  EXPECT_EQ(words("x", EncodedWordPlace::phrase, "a?b"), "error: invalid character set name: 'a?b'");
  EXPECT_EQ(words("x", EncodedWordPlace::phrase, ""), "error: invalid character set name: ''");
  EXPECT_TRUE(words("x", EncodedWordPlace::phrase, std::string(38, 'a')).starts_with("error: "));
  EXPECT_TRUE(
      words("\xe2\x82\xac", EncodedWordPlace::phrase, std::string(37, 'a')).ends_with("?Q?=E2=82=AC?="));
  EXPECT_EQ(words("", EncodedWordPlace::phrase), "error: no text to encode");
}

class TraceHeader : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }

  ReceivedSession session_{.helo_name = "client.test",
                           .client_name = "client.test",
                           .client_address = "198.51.100.7",
                           .with = "ESMTP"};
  ReceivedBy by_{.hostname = "mx.site.test", .mail_name = "Postfix", .queue_id = "4TT", .when = 1707134400};
};

TEST_F(TraceHeader, NamesTheOnlyRecipient) {
  by_.recipient = "a b@site.test";
  EXPECT_EQ(received_header(session_, by_),
            "Received: from client.test (client.test [198.51.100.7])\n"
            "\tby mx.site.test (Postfix) with ESMTP id 4TT\n"
            "\tfor <\"a b\"@site.test>; Mon, 05 Feb 2024 12:00:00 +0000 (UTC)");
}

TEST_F(TraceHeader, NamesNoneOfMany) {
  session_.helo_name = "";
  session_.client_name = "unknown";
  session_.client_address = "IPv6:2001:db8::1";
  EXPECT_EQ(received_header(session_, by_),
            "Received: from unknown (unknown [IPv6:2001:db8::1])\n"
            "\tby mx.site.test (Postfix) with ESMTP id 4TT;\n"
            "\tMon, 05 Feb 2024 12:00:00 +0000 (UTC)");
  by_.queue_id = "";
  EXPECT_EQ(received_header(session_, by_),
            "Received: from unknown (unknown [IPv6:2001:db8::1])\n"
            "\tby mx.site.test (Postfix) with ESMTP;\n"
            "\tMon, 05 Feb 2024 12:00:00 +0000 (UTC)");
}

TEST_F(TraceHeader, TellsOfTlsAndAuthentication) {
  ReceivedTls tls{
      .protocol = "TLSv1.3", .cipher = "TLS_AES_256_GCM_SHA384", .used_bits = 256, .algorithm_bits = 256};
  tls.key_exchange = "X25519";
  tls.server = {.name = "ECDSA", .curve = "prime256v1", .digest = "SHA256"};
  session_.tls = &tls;
  session_.with = "ESMTPSA";
  session_.authenticated_sender = "al)ic(e\\";
  EXPECT_EQ(received_header(session_, by_),
            "Received: from client.test (client.test [198.51.100.7])\n"
            "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
            "\t key-exchange X25519 server-signature ECDSA (prime256v1) server-digest SHA256)\n"
            "\t(No client certificate requested)\n"
            "\t(Authenticated sender: al?ic(e?))\n"
            "\tby mx.site.test (Postfix) with ESMTPSA id 4TT;\n"
            "\tMon, 05 Feb 2024 12:00:00 +0000 (UTC)");
}

TEST_F(TraceHeader, TellsOfTheClientsCertificate) {
  ReceivedTls tls{.protocol = "TLSv1.2", .cipher = "C", .used_bits = 128, .algorithm_bits = 256};
  tls.client = {.name = "RSA-PSS", .bits = 2048, .digest = "SHA256"};
  tls.client_identity = ReceivedTls::Client::certificate;
  tls.common_name = "client.test";
  tls.issuer = "Test CA";
  tls.trusted = true;
  session_.tls = &tls;
  EXPECT_TRUE(received_header(session_, by_)
                  .find("\n\t(using TLSv1.2 with cipher C (128/256 bits)\n"
                        "\t client-signature RSA-PSS (2048 bits) client-digest SHA256)\n"
                        "\t(Client CN \"client.test\", Issuer \"Test CA\" (verified OK))\n") !=
              std::string::npos)
      << received_header(session_, by_);
  tls.client_identity = ReceivedTls::Client::raw_public_key;
  tls.key_type = "X25519";
  tls.key_digest = "AB:CD";
  EXPECT_TRUE(received_header(session_, by_).find("\t(Client RPK X25519 digest AB:CD)\n") !=
              std::string::npos);
}

TEST_F(TraceHeader, CanHideTheSession) {
  session_.hidden = true;
  EXPECT_EQ(received_header(session_, by_),
            "Received: by mx.site.test (Postfix) id 4TT;\n\tMon, 05 Feb 2024 12:00:00 +0000 (UTC)");
  by_.recipient = "x@y";
  EXPECT_EQ(received_header(session_, by_),
            "Received: by mx.site.test (Postfix) id 4TT\n\tfor <x@y>; Mon, 05 Feb 2024 12:00:00 +0000 (UTC)");
}

TEST_F(TraceHeader, OfMailThatDidNotComeByNetwork) {
  EXPECT_EQ(local_received_header(by_, 2000),
            "Received: by mx.site.test (Postfix, from userid 2000)\n\tid 4TT; Mon, 05 Feb 2024 12:00:00 "
            "+0000 (UTC)");
  EXPECT_EQ(local_received_header(by_),
            "Received: by mx.site.test (Postfix)\n\tid 4TT; Mon, 05 Feb 2024 12:00:00 +0000 (UTC)");
}

TEST_F(TraceHeader, ProtocolWords) {
  EXPECT_EQ(with_protocol("SMTP", true, true, false), "SMTP");
  EXPECT_EQ(with_protocol("ESMTP", false, false, false), "ESMTP");
  EXPECT_EQ(with_protocol("ESMTP", true, false, false), "ESMTPS");
  EXPECT_EQ(with_protocol("ESMTP", false, true, false), "ESMTPA");
  EXPECT_EQ(with_protocol("ESMTP", true, true, false), "ESMTPSA");
  EXPECT_EQ(with_protocol("ESMTP", false, false, true), "UTF8SMTP");
  EXPECT_EQ(with_protocol("ESMTP", true, true, true), "UTF8SMTPSA");
}

TEST_F(TraceHeader, MessageIdIsOfTimeQueueIdAndHost) {
  EXPECT_EQ(make_message_id(1707134400, "4TT", "mx.site.test"), "<20240205120000.4TT@mx.site.test>");
}

std::string from(std::string_view name, FromFormat format) {
  return make_from("a b@site.test", name, format, "utf-8").value();
}

TEST(FromHeader, QuotesNamesThatNeedIt) {
  const std::string address = "<\"a b\"@site.test>";
  EXPECT_EQ(from("", FromFormat::standard), "\"a b\"@site.test");
  EXPECT_EQ(from("Alice B", FromFormat::standard), "Alice B " + address);
  EXPECT_EQ(from(" a  b ", FromFormat::standard), "a b " + address);
  EXPECT_EQ(from("A. B", FromFormat::standard), "\"A. B\" " + address);
  EXPECT_EQ(from("\"x\"", FromFormat::standard), "\"\\\"x\\\"\" " + address);
  EXPECT_EQ(from("a%b", FromFormat::standard), "\"a%b\" " + address);
  EXPECT_EQ(from("a|b", FromFormat::standard), "a|b " + address);
  EXPECT_EQ(from("O'Neil", FromFormat::standard), "O'Neil " + address);
  EXPECT_EQ(from(" ", FromFormat::standard), address);
  EXPECT_EQ(from("A\nBcc: x", FromFormat::standard), "\"A Bcc: x\" " + address);
}

TEST(FromHeader, TheObsoleteFormatPutsTheNameInAComment) {
  EXPECT_EQ(from("A. B", FromFormat::obsolete), "\"a b\"@site.test (A. B)");
  EXPECT_EQ(from("", FromFormat::obsolete), "\"a b\"@site.test");
  EXPECT_EQ(from("A\nB", FromFormat::obsolete), "\"a b\"@site.test (A B)");
}

TEST(FromHeader, EncodesNamesOutsideAscii) {
  EXPECT_EQ(from("J\xc3\xb6rg", FromFormat::standard), "=?utf-8?Q?J=C3=B6rg?= <\"a b\"@site.test>");
  EXPECT_EQ(from("J\xc3\xb6rg (x)", FromFormat::obsolete),
            "\"a b\"@site.test (=?utf-8?Q?J=C3=B6rg_=28x=29?=)");
  EXPECT_FALSE(make_from("a@b", "J\xc3\xb6rg", FromFormat::standard, "bad charset").has_value());
  EXPECT_EQ(parse_from_format("obsolete"), FromFormat::obsolete);
  EXPECT_FALSE(parse_from_format("").has_value());
}

}  // namespace
}  // namespace postrider::mail
