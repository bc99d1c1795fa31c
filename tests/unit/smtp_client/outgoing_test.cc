#include "smtp/outgoing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "clients/tables.h"
#include "config/params/smtp.h"
#include "support.h"

namespace postrider::smtp_client {
namespace {

namespace params = config::params;
using smtp::test::converse;
using smtp::test::LogLines;
using smtp::test::ScriptedServer;
using testing::ElementsAre;

struct Sent {
  std::vector<std::string> lines;
  std::optional<ContentTrouble> trouble;
};

/// What a server gets of these lines.
Sent send(const Outgoing::Work& work, const std::vector<std::string>& lines, mail::MimeOptions mime = {}) {
  Sent out;
  converse(
      [&](ScriptedServer& server) {
        server.greet();
        server.on("MAIL FROM:<>", "250 ok");
        server.on("RCPT TO:<a@dest.test>", "250 ok");
        server.on("DATA", "354 go");
        out.lines = server.receive_content();
        server.send("250 taken\r\n");
      },
      [&](smtp::ClientSession& session) {
        ASSERT_TRUE(session.read_greeting());
        ASSERT_TRUE(session.hello());
        smtp::Envelope envelope;
        envelope.mail = "MAIL FROM:<>";
        envelope.recipients = {"RCPT TO:<a@dest.test>"};
        ASSERT_TRUE(session.send_envelope(envelope).ready_for_content);
        Outgoing outgoing(session, "QID", work, mime);
        for (const std::string& line : lines)
          (void)outgoing.line(line, true);
        (void)outgoing.finish();
        out.trouble = outgoing.trouble();
        (void)session.end_content(false);
      });
  return out;
}

checks::Checks make_checks(table::Catalog& catalog, const std::string& main_cf) {
  std::vector<std::string> paths;
  return checks::Checks(
      catalog, test::configuration(main_cf),
      {params::smtp_header_checks, params::smtp_mime_header_checks, params::smtp_nested_header_checks,
       params::smtp_body_checks, checks::Repertoire::lines},
      100, paths);
}

TEST(Outgoing, AppliesChecksToHeadersAndBody) {
  table::Catalog catalog{table::OpenOptions{}};
  checks::Checks checks =
      make_checks(catalog,
                  "smtp_header_checks = inline:{{X-Gone:1 = IGNORE} {X-Stripped:1 = STRIP private} "
                  "{X-Old:1 = REPLACE X-New: 2} {X-First:1 = PREPEND X-Zero: 0} {X-Watch:1 = WARN look} "
                  "{X-Bad:1 = HOLD} }\n"
                  "smtp_body_checks = inline:{{secret = REPLACE ***} {noise = IGNORE} }\n");
  LogLines log;
  Sent sent = send({.checks = &checks}, {"X-Gone:1", "X-Stripped:1", "X-Old:1", "X-First:1", "X-Watch:1",
                                         "X-Bad:1", "", "secret", "noise", "text"});
  EXPECT_THAT(sent.lines,
              ElementsAre("X-New: 2", "X-Zero: 0", "X-First:1", "X-Watch:1", "X-Bad:1", "", "***", "text"));
  EXPECT_FALSE(sent.trouble);
  EXPECT_THAT(
      log.lines,
      ElementsAre("QID: strip: header X-Stripped:1: private", "QID: replace: header X-Old:1: X-New: 2",
                  "QID: prepend: header X-First:1: X-Zero: 0", "QID: warning: header X-Watch:1: look",
                  "warning: unsupported command in smtp_header_checks map: HOLD",
                  "QID: replace: body secret: ***"));
}

TEST(Outgoing, BodyChecksEndAtTheirLimit) {
  table::Catalog catalog{table::OpenOptions{}};
  checks::Checks checks = make_checks(catalog, "smtp_body_checks = inline:{{secret = REPLACE ***} }\n");
  LogLines log;
  Sent sent = send({.checks = &checks}, {"", "secret", std::string(100, 'x'), "secret"});
  EXPECT_THAT(sent.lines, ElementsAre("", "***", std::string(100, 'x'), "secret"));
}

TEST(Outgoing, ATableThatDoesNotAnswerStopsTheMessage) {
  table::Catalog catalog{table::OpenOptions{}};
  LogLines log;
  checks::Checks checks = make_checks(catalog, "smtp_header_checks = texthash:/nonexistent/file\n");
  Sent sent = send({.checks = &checks}, {"Subject: x", "", "body"});
  ASSERT_TRUE(sent.trouble);
  EXPECT_EQ(sent.trouble->kind, ContentTrouble::Kind::data);
  EXPECT_THAT(log.lines, testing::Contains("warning: QID: smtp header checks lookup error"));
}

TEST(Outgoing, ConvertsToSevenBits) {
  Sent sent = send({.downgrade = true}, {"MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
                                         "Content-Transfer-Encoding: 8bit", "", "\xc3\xa4 = a"});
  EXPECT_THAT(sent.lines, ElementsAre("MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
                                      "Content-Transfer-Encoding: quoted-printable", "", "=C3=A4 =3D a"));
}

TEST(Outgoing, GivesUpOnMessagesNestedTooDeep) {
  std::vector<std::string> lines;
  for (char level = 'a'; level < 'f'; ++level) {
    std::string boundary(1, level);
    lines.insert(lines.end(), {"Content-Type: multipart/mixed; boundary=" + boundary, "", "--" + boundary});
  }
  mail::MimeOptions mime;
  mime.nesting_limit = 2;
  Sent sent = send({.downgrade = true}, lines, mime);
  ASSERT_TRUE(sent.trouble);
  EXPECT_EQ(sent.trouble->kind, ContentTrouble::Kind::message);
  EXPECT_EQ(sent.trouble->mime, mail::MimeProblem::nesting);
}

}  // namespace
}  // namespace postrider::smtp_client
