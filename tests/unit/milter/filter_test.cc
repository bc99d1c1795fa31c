#include "milter/filter.h"

#include <deque>

#include <gtest/gtest.h>

#include "io/loop.h"
#include "milter/content.h"

namespace postrider::milter {
namespace {

using std::string_literals::operator""s;
using Kind = Verdict::Kind;

/// A filter that says what the test wants.
struct Script {
  std::deque<Packet> answers;
  std::string heard;  // The letters of packets but macros.
  bool given_up = false;
};

class ScriptedChannel : public Channel {
 public:
  explicit ScriptedChannel(Script& script) : script_(script) {}
  Result<void> send(std::string_view packets, Deadline) override {
    while (!packets.empty()) {
      uint32_t length = *packet_length(packets.substr(0, kPacketHeader));
      if (packets[kPacketHeader] != kMacros) script_.heard += packets[kPacketHeader];
      packets.remove_prefix(kPacketHeader + length);
    }
    return {};
  }
  Result<void> flush(Deadline) override { return {}; }
  Result<Packet> receive(Deadline) override {
    if (script_.answers.empty()) return fail(ErrorKind::closed, "");
    Packet out = script_.answers.front();
    script_.answers.pop_front();
    return out;
  }
  void give_up() override { script_.given_up = true; }

 private:
  Script& script_;
};

class Message : public Content {
 public:
  const std::vector<std::string_view> headers() override { return {"Subject: a", "Subject: b"}; }
  void rewind_body() override { left_ = 2; }
  Result<std::string_view> body_piece() override { return left_-- > 0 ? "piece\r\n" : ""; }

 private:
  int left_ = 0;
};

class Notes : public Editor {
 public:
  Goes add_header(std::string_view header) override { return note("add", header); }
  Goes insert_header(uint32_t index, std::string_view header) override {
    return note("insert" + std::to_string(index), header);
  }
  Goes change_header(uint32_t index, std::string_view name, std::string_view header) override {
    return note("change" + std::to_string(index) + std::string(name), header);
  }
  Goes add_recipient(std::string_view address, std::string_view parameters) override {
    return note("to" + std::string(address), parameters);
  }
  Goes delete_recipient(std::string_view address) override { return note("not", address); }
  Goes change_sender(std::string_view address, std::string_view parameters) override {
    return note("from" + std::string(address), parameters);
  }
  Goes replace_body(std::string_view piece) override { return note("body", piece); }
  void end_of_edits() override { text += "end;"; }

  std::string text;
  size_t good = 100;  // Modifications that can be carried out.

 private:
  Goes note(const std::string& what, std::string_view rest) {
    text += what + "=" + std::string(rest) + ";";
    return text.size() < good;
  }
};

class FilterTest : public testing::Test {
 protected:
  Filter& filter(uint32_t steps = 0, std::string default_action = "tempfail") {
    Snapshot snapshot;
    snapshot.endpoint = "inet:test";
    snapshot.content_timeout = seconds(1);
    snapshot.default_action = std::move(default_action);
    snapshot.steps = steps;
    filter_ =
        std::make_unique<Filter>(std::move(snapshot), std::make_unique<ScriptedChannel>(script_), defaults_);
    return *filter_;
  }
  void says(std::initializer_list<Packet> packets) { script_.answers.assign(packets); }
  Verdict show(Filter& to) { return to.message(message_, notes_, none_); }
  Verdict tell(Filter& to, Event event) { return to.command(event, {}, none_); }

  Script script_;
  Message message_;
  Notes notes_;
  MacroDefaults defaults_;
  MacroValues none_ = [](std::string_view) { return std::string(); };
  std::unique_ptr<Filter> filter_;
  const Packet go_{'c', {}};
};

TEST_F(FilterTest, ShowsTheWholeMessage) {
  says({go_, go_, go_, go_, go_, go_});
  EXPECT_EQ(show(filter()).kind, Kind::none);
  EXPECT_EQ(script_.heard, "LLNBBE");
  EXPECT_EQ(notes_.text, "end;");
}

TEST_F(FilterTest, LeavesOutWhatIsNotWanted) {
  says({go_});
  EXPECT_EQ(show(filter(kNoHeaders | kNoEndOfHeader | kNoBody)).kind, Kind::none);
  EXPECT_EQ(script_.heard, "E");
}

TEST_F(FilterTest, WaitsOnlyForAnswersThatAreDue) {
  says({go_});
  EXPECT_EQ(show(filter(kNoReplyHeader | kNoReplyEndOfHeader | kNoReplyBody)).kind, Kind::none);
  EXPECT_EQ(script_.heard, "LLNBBE");
}

TEST_F(FilterTest, SkipsTheRestOfItsKind) {
  says({{'s', {}}, go_, {'s', {}}, go_});
  EXPECT_EQ(show(filter()).kind, Kind::none);
  EXPECT_EQ(script_.heard, "LNBE");
}

TEST_F(FilterTest, AcceptsEarly) {
  says({{'a', {}}});
  Filter& f = filter();
  EXPECT_EQ(show(f).kind, Kind::none);
  EXPECT_EQ(script_.heard, "L");
  // Until the next message.
  EXPECT_EQ(tell(f, Event::rcpt).kind, Kind::none);
  f.abort();
  says({{'r', {}}});
  EXPECT_EQ(tell(f, Event::mail).text, "550 5.7.1 Command rejected");
  EXPECT_EQ(script_.heard, "LAM");
}

TEST_F(FilterTest, RefusesWithoutForgettingTheSession) {
  Filter& f = filter();
  says({{'t', {}}, {'y', "550 5.7.9 own\0"s}, go_});
  EXPECT_EQ(tell(f, Event::mail).text, "451 4.7.1 Service unavailable - try again later");
  EXPECT_EQ(tell(f, Event::rcpt).text, "550 5.7.9 own");
  EXPECT_EQ(tell(f, Event::rcpt).kind, Kind::none);
}

TEST_F(FilterTest, RejectedAtTheBeginningIsRejectedAtAll) {
  Filter& f = filter();
  says({{'r', {}}});
  EXPECT_EQ(tell(f, Event::helo).kind, Kind::reject);
  EXPECT_TRUE(script_.given_up);
  EXPECT_EQ(tell(f, Event::mail).kind, Kind::reject);
  EXPECT_EQ(script_.heard, "H");
}

TEST_F(FilterTest, CarriesOutModificationsAtTheEnd) {
  says({go_,
        go_,
        go_,
        go_,
        go_,
        {'h', "A\0b\0"s},
        {'i', "\0\0\0\2B\0c\0"s},
        {'m', "\0\0\0\1C\0\0"s},
        {'m', "\0\0\0\1C\0d\0"s},
        {'p', {}},
        {'+', "x\0"s},
        {'2', "y\0NOTIFY=NEVER\0"s},
        {'-', "z\0"s},
        {'e', "s\0"s},
        {'b', "text"},
        go_});
  EXPECT_EQ(show(filter()).kind, Kind::none);
  EXPECT_EQ(
      notes_.text,
      "add=A: b;insert2=B: c;change1C=;change1C=C: d;tox=;toy=NOTIFY=NEVER;not=z;froms=;body=text;end;");
}

TEST_F(FilterTest, LeadingSpaceIsTheFiltersBusiness) {
  says({go_, go_, go_, go_, go_, {'h', "A\0 b\0"s}, go_});
  show(filter(kLeadingSpace));
  EXPECT_EQ(notes_.text, "add=A: b;end;");
}

TEST_F(FilterTest, ReadsOnWhenAModificationCannotBeDone) {
  notes_.good = 1;
  says({go_, go_, go_, go_, go_, {'h', "A\0b\0"s}, {'h', "C\0d\0"s}, go_, {'r', {}}});
  Filter& f = filter();
  Verdict verdict = show(f);
  EXPECT_EQ(verdict.kind, Kind::reject);
  EXPECT_EQ(verdict.text, "");
  EXPECT_EQ(notes_.text, "add=A: b;end;");
  // What the filter says next belongs to the next question.
  f.abort();
  EXPECT_EQ(tell(f, Event::mail).text, "550 5.7.1 Command rejected");
}

TEST_F(FilterTest, QuarantineGivesItsReason) {
  says({go_, go_, go_, go_, go_, {'q', "looks\nodd\0"s}, {'a', {}}});
  Verdict verdict = show(filter());
  EXPECT_EQ(verdict.kind, Kind::hold);
  EXPECT_EQ(verdict.text, "looks?odd");
}

TEST_F(FilterTest, FailuresComeToTheDefaultAction) {
  struct Case {
    const char* action;
    Kind kind;
    const char* text;
  };
  for (const Case& c :
       {Case{"accept", Kind::none, ""}, Case{"reject", Kind::reject, "550 5.5.0 Service unavailable"},
        Case{"tempfail", Kind::reject, "451 4.7.1 Service unavailable - try again later"},
        Case{"quarantine", Kind::hold, "default_action"},
        Case{"shutdown", Kind::reject, "421 4.7.1 Service unavailable - try again later"},
        Case{"perhaps", Kind::reject, "451 4.3.5 Server configuration problem - try again later"}}) {
    script_ = {};
    Filter& f = filter(0, c.action);
    Verdict verdict = tell(f, Event::mail);
    EXPECT_EQ(verdict.kind, c.kind) << c.action;
    EXPECT_EQ(verdict.text, c.text);
    EXPECT_TRUE(script_.given_up);
    EXPECT_EQ(tell(f, Event::rcpt).kind, c.kind);
    EXPECT_EQ(script_.heard, "M");
  }
}

TEST_F(FilterTest, AMistakeInAReplyRefusesForNow) {
  for (const char* action : {"reject", "tempfail"}) {
    Filter& f = filter(0, action);
    says({{'y', "250 2.0.0 fine\0"s}});
    EXPECT_EQ(tell(f, Event::mail).text, "451 4.3.5 Server configuration problem - try again later");
  }
}

TEST_F(FilterTest, NonsenseIsAFailure) {
  const std::initializer_list<std::initializer_list<Packet>> cases = {
      {{'Z', {}}}, {{'f', {}}}, {{'c', "data"}}, {{'h', "A\0b\0"s}}, {{'a', "x"}}, {{'y', "550 no end"}}};
  for (const auto& packets : cases) {
    script_ = {};
    Filter& f = filter();
    says(packets);
    EXPECT_EQ(tell(f, Event::mail).kind, Kind::reject) << packets.begin()->letter;
    EXPECT_TRUE(script_.given_up);
  }
  for (const Packet& bad : {Packet{'h', "A"}, {'h', "A\0b"s}, {'i', "abc"}, {'m', "\0\0\0\1"s}, {'+', "x"}}) {
    script_ = {};
    notes_.text.clear();
    Filter& f = filter();
    says({go_, go_, go_, go_, go_, bad, go_});
    EXPECT_EQ(show(f).text, "451 4.7.1 Service unavailable - try again later") << bad.letter;
    EXPECT_EQ(notes_.text, "end;");
  }
}

TEST_F(FilterTest, HandsItselfOver) {
  Filter& f = filter(kNoBody);
  EXPECT_EQ(f.snapshot().state, Snapshot::State::asks);
  EXPECT_EQ(f.snapshot().steps, uint32_t{kNoBody});
  says({{'a', {}}});
  tell(f, Event::mail);
  EXPECT_EQ(f.snapshot().state, Snapshot::State::passes);
  f.abort();
  tell(f, Event::mail);
  EXPECT_EQ(f.snapshot().state, Snapshot::State::failed);
  EXPECT_EQ(f.snapshot().failure.kind, Kind::reject);
}

TEST_F(FilterTest, ALostConnectionIsFoundAtTheNextCommand) {
  Filter& f = filter();
  f.lose_connection();
  f.abort();
  EXPECT_EQ(tell(f, Event::mail).text, "451 4.7.1 Service unavailable - try again later");
}

}  // namespace
}  // namespace postrider::milter
