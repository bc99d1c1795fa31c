#include "mail/mime.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "mail/header_tokens.h"

namespace postrider::mail {
namespace {

/// Writes down what it is told, an event a line: "P From: x" for a header (P, M, N by class), "." at the end
/// of the message's header, "B text" for body, "! text" for a problem.
class Recorder : public MimeSink {
 public:
  void header(HeaderClass where, const HeaderInfo*, std::string_view text) override {
    log_ += fmt::format("{} {}\n", "PMN"[static_cast<size_t>(where)], replace_all(text, "\n", "|"));
  }
  void header_end() override { log_ += ".\n"; }
  void body(std::string_view text, LineEnd end, size_t offset) override {
    log_ += fmt::format("B{} {}\n", end == LineEnd::later ? "+" : "", text);
    offsets_.push_back(offset);
  }
  void message_end() override { ended_ = true; }
  void problem(MimeProblem problem, std::string_view text) override {
    log_ += fmt::format("! {}: {}\n", describe(problem).text, text);
  }

  std::string log_;
  std::vector<size_t> offsets_;
  bool ended_ = false;
};

Recorder record(std::string_view message, const MimeOptions& options = {}) {
  Recorder recorder;
  MimeParser parser(options, recorder);
  for (std::string_view line : split_each(message, '\n'))
    parser.line(line);
  parser.finish();
  EXPECT_TRUE(recorder.ended_);
  return recorder;
}

std::string parse(std::string_view message, const MimeOptions& options = {}) {
  return record(message, options).log_;
}

TEST(Mime, SeparatesHeaderAndBody) {
  EXPECT_EQ(parse("A : b\n c\nX-y:z\n\nbody"), "P A: b| c\nP X-y:z\n.\nB \nB body\n");
  EXPECT_EQ(parse("A: b"), "P A: b\n.\n");
  EXPECT_EQ(parse(""), ".\nB \n");
  EXPECT_EQ(parse("\nbody"), ".\nB \nB body\n");
}

TEST(Mime, PutsAnEmptyLineWhereTheHeaderHasNone) {
  EXPECT_EQ(parse("A: b\nbody"), "P A: b\n.\nB \nB body\n");
  EXPECT_EQ(parse(" no header"), ".\nB \nB  no header\n");
  EXPECT_EQ(parse("From x y\nA: b"), ".\nB \nB From x y\nB A: b\n");
  EXPECT_EQ(parse("A: b\nbody", {.report_non_empty_end = true}),
            "P A: b\n.\n! primary header was terminated with non-empty line: body\nB \nB body\n");
  EXPECT_EQ(parse("A: b\n\nbody", {.report_non_empty_end = true}), "P A: b\n.\nB \nB body\n");
}

constexpr std::string_view kMultipart =
    "Content-Type: multipart/mixed; boundary=\"a b\"\n\npre\n--a b\nC: d\n\none\n--a b\nE: f\ntwo\n--a "
    "b--\nG: h";

TEST(Mime, FindsTheHeadersOfParts) {
  EXPECT_EQ(
      parse(kMultipart),
      "P Content-Type: multipart/mixed; boundary=\"a b\"\n.\nB \nB pre\nB --a b\nM C: d\nB \nB one\nB --a b\n"
      "M E: f\nB two\nB --a b--\nB G: h\n");
}

TEST(Mime, CountsBodyOffsetsPerPart) {
  EXPECT_EQ(record(kMultipart).offsets_, (std::vector<size_t>{0, 1, 5, 0, 1, 5, 0, 0, 8}));
}

TEST(Mime, CanBeToldToLookNoFurther) {
  EXPECT_EQ(parse("Content-Type: multipart/mixed; boundary=x\n\n--x\nA: b", {.parse_mime = false}),
            "P Content-Type: multipart/mixed; boundary=x\n.\nB \nB --x\nB A: b\n");
}

TEST(Mime, FindsTheHeadersOfMessagesInside) {
  EXPECT_EQ(parse("Content-Type: message/rfc822\n\nA: b\n\nbody"),
            "P Content-Type: message/rfc822\n.\nB \nN A: b\nB \nB body\n");
  EXPECT_EQ(parse("Content-Type: message/global\n\nA: b\n"),
            "P Content-Type: message/global\n.\nB \nN A: b\nB \n");
  // These hold fragments, or what is no message.
  for (std::string type :
       {"message/partial", "message/external-body", "message/delivery-status", "message"}) {
    EXPECT_EQ(parse("Content-Type: " + type + "\n\nA: b"), "P Content-Type: " + type + "\n.\nB \nB A: b\n");
  }
  // Nor is it one without the empty line.
  EXPECT_EQ(parse("Content-Type: message/rfc822\nx\nA: b"),
            "P Content-Type: message/rfc822\n.\nB \nB x\nB A: b\n");
}

TEST(Mime, PartsOfADigestAreMessages) {
  EXPECT_EQ(parse("Content-Type: multipart/digest; boundary=x\n\n--x\n\nA: b\n"),
            "P Content-Type: multipart/digest; boundary=x\n.\nB \nB --x\nB \nN A: b\nB \n");
}

TEST(Mime, AnOuterBoundaryEndsInnerParts) {
  EXPECT_EQ(
      parse("Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/mixed; boundary=i\n\n"
            "--i\n\n--o\nA: b\n\n--i\nC: d"),
      "P Content-Type: multipart/mixed; boundary=o\n.\nB \nB --o\nM Content-Type: multipart/mixed; "
      "boundary=i\n"
      "B \nB --i\nB \nB --o\nM A: b\nB \nB --i\nB C: d\n");
}

TEST(Mime, BoundariesHaveALengthLimit) {
  MimeOptions options{.boundary_length_limit = 4};
  EXPECT_EQ(parse("Content-Type: multipart/mixed; boundary=abcdef\n\n--abcdXX\nA: b", options),
            "P Content-Type: multipart/mixed; boundary=abcdef\n.\nB \nB --abcdXX\nM A: b\n");
}

TEST(Mime, NestingHasALimit) {
  std::string message;
  for (int i = 0; i < 5; ++i)
    message += fmt::format("Content-Type: multipart/mixed; boundary={0}\n\n--{0}\n", i);
  Recorder within = record(message, {.report_nesting = true, .nesting_limit = 3});
  EXPECT_EQ(within.log_.find('!'), std::string::npos);
  Recorder beyond = record(message, {.report_nesting = true, .nesting_limit = 2});
  EXPECT_NE(
      beyond.log_.find("! MIME nesting exceeds safety limit: Content-Type: multipart/mixed; boundary=4\n"),
      std::string::npos);
  // Inner messages need no memory of the outer ones, and have no limit.
  std::string messages;
  for (int i = 0; i < 1000; ++i)
    messages += "Content-Type: message/rfc822\n\n";
  EXPECT_EQ(record(messages, {.report_nesting = true, .nesting_limit = 2}).log_.find('!'), std::string::npos);
}

TEST(Mime, LongHeadersAreCut) {
  MimeOptions options{.report_long_header = true, .header_size_limit = 10};
  EXPECT_EQ(parse("Subject: 12\n 3\n 4\n\n", options),
            "! message header length exceeds safety limit: Subject: 12\nP Subject: 12\n.\nB \nB \n");
}

TEST(Mime, LinesMayComeInPieces) {
  Recorder recorder;
  MimeParser parser({}, recorder);
  parser.line("Content-Type: multi", LineEnd::later);
  parser.line("part/mixed; boundary=x", LineEnd::here);
  parser.line("");
  parser.line("text ", LineEnd::later);
  parser.line("--x", LineEnd::here);  // not at the start of a line
  parser.line("--x", LineEnd::here);
  parser.line("A: b");
  parser.finish();
  EXPECT_EQ(recorder.log_,
            "P Content-Type: multipart/mixed; boundary=x\n.\nB \nB+ text \nB --x\nB --x\nM A: b\n");
}

TEST(Mime, ReportsEightBitTextOnce) {
  MimeOptions strict{.report_eight_bit_header = true, .report_eight_bit_body = true};
  EXPECT_EQ(parse("Subject: \xc3\xbc\nTo: \xc3\xbc\n\n\xc3\xbc\n\xc3\xbc", strict),
            "! improper use of 8-bit data in message header: Subject: \xc3\xbc\nP Subject: \xc3\xbc\nP To: "
            "\xc3\xbc\n.\n"
            "B \n! improper use of 8-bit data in message body: \xc3\xbc\nB \xc3\xbc\nB \xc3\xbc\n");
  EXPECT_EQ(parse("Content-Transfer-Encoding: 8bit\n\n\xc3\xbc", strict).find('!'), std::string::npos);
}

TEST(Mime, ReportsEncodedMultiparts) {
  MimeOptions strict{.report_encoding_domain = true};
  auto bad = [&](std::string type, std::string encoding) {
    std::string log =
        parse("Content-Type: " + type + "\nContent-Transfer-Encoding: " + encoding + "\n\n", strict);
    return log.find("! invalid message/* or multipart/* encoding domain: " + encoding) != std::string::npos;
  };
  EXPECT_TRUE(bad("multipart/mixed; boundary=x", "base64"));
  EXPECT_TRUE(bad("message/rfc822", "quoted-printable"));
  EXPECT_TRUE(bad("message/partial", "8bit"));
  EXPECT_FALSE(bad("multipart/mixed", "8bit"));
  EXPECT_FALSE(bad("message/global", "base64"));
  EXPECT_FALSE(bad("text/plain", "base64"));
}

TEST(Mime, EveryProblemHasAStatusAndAText) {
  EXPECT_EQ(describe(MimeProblem::eight_bit_body).status, StatusCode("5.6.0"));
  Recorder recorder;
  MimeParser parser({.report_eight_bit_header = true}, recorder);
  parser.line("A: \xff");
  EXPECT_TRUE(parser.problems().none());
  parser.finish();
  EXPECT_TRUE(parser.problems().has(MimeProblem::eight_bit_header));
  EXPECT_FALSE(parser.problems().has(MimeProblem::nesting));
}

constexpr MimeOptions kDowngrade{.downgrade = true};

TEST(MimeDowngrade, ConvertsWhatIsDeclaredEightBit) {
  EXPECT_EQ(
      parse("Content-Transfer-Encoding: 8bit\nA: b\n\nGr\xc3\xbc\xc3\x9f"
            "e = 1\ntrailing \ntab\t\n.dot\n\x01",
            kDowngrade),
      "P A: b\nP Content-Transfer-Encoding: quoted-printable\n.\nB \nB Gr=C3=BC=C3=9Fe =3D 1\nB trailing=20\n"
      "B tab=09\nB .dot\nB =01\n");
}

TEST(MimeDowngrade, LeavesTheRestAlone) {
  EXPECT_EQ(parse("A: b\n\n\xc3\xbc=", kDowngrade), "P A: b\n.\nB \nB \xc3\xbc=\n");
  EXPECT_EQ(parse("Content-Transfer-Encoding: base64\n\nw7w=", kDowngrade),
            "P Content-Transfer-Encoding: base64\n.\nB \nB w7w=\n");
}

TEST(MimeDowngrade, ConvertsMultipartsPartByPart) {
  EXPECT_EQ(
      parse("Content-Type: multipart/mixed; boundary=xx\nContent-Transfer-Encoding: 8bit\n\n--xx\n"
            "Content-Transfer-Encoding: 8bit\n\n\xc3\xa4\n--xx\nContent-Type: message/rfc822\n"
            "Content-Transfer-Encoding: 8bit\n\nSubject: \xc3\xbc\n\n\xc3\xb6\n--xx--",
            kDowngrade),
      "P Content-Type: multipart/mixed; boundary=xx\nP Content-Transfer-Encoding: 7bit\n.\nB \nB --xx\n"
      "M Content-Transfer-Encoding: quoted-printable\nB \nB =C3=A4\nB --xx\nM Content-Type: message/rfc822\n"
      "M Content-Transfer-Encoding: 7bit\nB \nN Subject: \xc3\xbc\nB \nB \xc3\xb6\nB --xx--\n");
}

TEST(MimeDowngrade, SaysWhatItDidToOtherMessageTypes) {
  EXPECT_EQ(
      parse("Content-Type: message/global\nContent-Transfer-Encoding: 8bit\n\nA: \xc3\xbc", kDowngrade),
      "P Content-Type: message/global\nP Content-Transfer-Encoding: quoted-printable\n.\nB \nB A: =C3=BC\n");
  EXPECT_EQ(parse("Content-Type: message/x\nContent-Transfer-Encoding: 8bit\n\n\xc3\xbc", kDowngrade),
            "P Content-Type: message/x\nP Content-Transfer-Encoding: 7bit\n.\nB \nB =C3=BC\n");
}

TEST(MimeDowngrade, BreaksLongLines) {
  std::string head = "Content-Transfer-Encoding: 8bit\n\n";
  std::string out = "P Content-Transfer-Encoding: quoted-printable\n.\nB \n";
  EXPECT_EQ(parse(head + std::string(73, 'a'), kDowngrade), out + "B " + std::string(73, 'a') + "\n");
  EXPECT_EQ(parse(head + std::string(74, 'a'), kDowngrade), out + "B " + std::string(73, 'a') + "=\nB a\n");
  EXPECT_EQ(parse(head + std::string(71, 'a') + "\xc3\xbc", kDowngrade),
            out + "B " + std::string(71, 'a') + "=C3=\nB =BC\n");
}

TEST(MimeDowngrade, JoinsPiecesOfALine) {
  Recorder recorder;
  MimeParser parser(kDowngrade, recorder);
  parser.line("Content-Transfer-Encoding: 8bit");
  parser.line("");
  parser.line("abc ", LineEnd::later);
  parser.line("def ", LineEnd::later);
  parser.line("");
  parser.line("cut", LineEnd::later);
  parser.finish();
  EXPECT_EQ(recorder.log_, "P Content-Transfer-Encoding: quoted-printable\n.\nB \nB abc def=20\nB cut\n");
}

std::string tokens(std::string_view value) {
  std::string out;
  while (auto part = next_header_tokens(value, 3)) {
    for (const HeaderToken& token : *part) {
      out += token.kind == HeaderToken::Kind::quoted ? "\"" + token.text + "\" " : token.text + " ";
    }
    out += "; ";
  }
  return out;
}

TEST(HeaderTokens, ReadsParameters) {
  EXPECT_EQ(tokens("a/b; c=d; e=\"f g\""), "a / b ; c = d ; e = \"f g\" ; ");
  EXPECT_EQ(tokens("a /b (x;y) ;c = d"), "a / b ; c = d ; ");
  EXPECT_EQ(tokens("a/b;;boundary=\"x;\\\"y\"; z"), "a / b ; ; boundary = \"x;\"y\" ; z ; ");
  EXPECT_EQ(tokens("a/b; c=\"un\n term"), "a / b ; c = \"un term\" ; ");
  EXPECT_EQ(tokens("a/b; c=d\x01"
                   "e"),
            "a / b ; c = d ; ");
  EXPECT_EQ(tokens("a/b c/d; (open"), "a / b ; ; ");
  EXPECT_EQ(tokens(" \n"), "");
}

}  // namespace
}  // namespace postrider::mail
