#include "tools/postcat/printer.h"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

#include "../queue/memory_source.h"

namespace postrider::postcat {
namespace {

using queue::record;
using queue::RecordType;

struct Printed {
  std::string text, warnings;
  bool ok = false;
};

Printed print(const std::string& bytes, const std::string& name, Options options) {
  setenv("TZ", "UTC", 1);
  tzset();
  if (!options.envelope && !options.header && !options.body)
    options.envelope = options.header = options.body = true;
  Printed out;
  Output output{.text = [&](std::string_view text) { out.text += text; },
                .warning = [&](std::string_view text) { out.warnings += std::string(text) + "\n"; }};
  queue::MemorySource source(bytes);
  out.ok = Printer(source, name, options, output).run().has_value();
  return out;
}

/// What Postfix's own postcat printed for the sample.
std::string expected(const std::string& name) {
  std::ifstream in(std::string(POSTRIDER_POSTCAT_TEST_DATA) + "/" + name + ".txt", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Printer, PrintsFilesOfPostfixAsPostfixDoes) {
  for (const std::string name : {"edited", "partly-done", "filter", "sendmail-t"}) {
    ASSERT_FALSE(expected(name).empty());
    Printed printed = print(queue::sample(name), name, {});
    EXPECT_EQ(printed.text, expected(name));
    EXPECT_EQ(printed.warnings, "");
    EXPECT_TRUE(printed.ok);
  }
}

TEST(Printer, ShowsTypesAndOffsetsAndPointers) {
  Printed printed =
      print(queue::sample("edited"), "edited", {.offset = true, .decimal_type = true, .verbose = true});
  EXPECT_EQ(printed.text, expected("edited-vod"));
}

TEST(Printer, ShowsTheMessageAlone) {
  EXPECT_EQ(print(queue::sample("edited"), "edited", {.header = true, .body = true}).text,
            expected("edited-bh"));
}

TEST(Printer, SkipsTheBodyButNotWhatFollowsIt) {
  EXPECT_EQ(print(queue::sample("partly-done"), "partly-done", {.envelope = true, .header = true}).text,
            expected("partly-done-eh"));
}

TEST(Printer, RefusesWhatIsNoQueueFile) {
  Printed printed = print("# configuration\n", "main.cf", {});
  EXPECT_EQ(printed.text, "");
  EXPECT_EQ(printed.warnings, "main.cf: input is not a valid queue file\n");
}

TEST(Printer, HasNothingToSayOfAnEmptyFile) {
  Printed printed = print("", "file", {});
  EXPECT_EQ(printed.text + printed.warnings, "");
  EXPECT_TRUE(printed.ok);
}

TEST(Printer, ShowsWhatComesBeforeTheDamage) {
  std::string whole = record(RecordType::sender, "joe") + record(RecordType::recipient, "kim");
  Printed printed = print(whole.substr(0, whole.size() - 1), "file", {});
  EXPECT_EQ(printed.text, "*** ENVELOPE RECORDS file ***\nsender: joe\n");
  EXPECT_EQ(printed.warnings, "file: unexpected EOF in data, record type 82 length 3\n");
  EXPECT_FALSE(printed.ok);
}

TEST(Printer, SaysNothingOfAFileWhoseFirstRecordIsDamaged) {
  Printed printed = print("S\x7f", "file", {});
  EXPECT_EQ(printed.text, "");
  EXPECT_FALSE(printed.ok);
}

TEST(Printer, StopsBehindTheHeaderWhenNothingElseIsWanted) {
  std::string bytes = record(RecordType::message, "") + record(RecordType::text, "Subject: x") +
                      record(RecordType::text, "") + "N\x7f";
  Printed printed = print(record(RecordType::sender, "joe") + bytes, "file", {.header = true});
  EXPECT_EQ(printed.text, "Subject: x\n");
  EXPECT_TRUE(printed.ok);
}

TEST(Printer, NamesTheFileOnEachLine) {
  Printed printed =
      print(record(RecordType::sender, "joe") + record(RecordType::end, ""), "file", {.file_name = true});
  EXPECT_EQ(printed.text,
            "file: *** ENVELOPE RECORDS file ***\nfile: sender: joe\nfile: *** MESSAGE FILE END file ***\n");
}

}  // namespace
}  // namespace postrider::postcat
